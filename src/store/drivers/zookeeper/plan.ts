/**
 * From a transaction and what is there now to the parts of one `multi` that is done only if it still is so. Pure.
 *
 * ZooKeeper knows no "whatever is there": a node that exists is set, one that does not is created, and both fail when it is
 * the other way by now; then the plan is made anew. It checks only the count of a node's writes, which begins again when a
 * node is deleted and made again, while an entry's version here is `mzxid`, which never repeats. So every deletion moves
 * the guard, and whatever relies on such a count checks that no deletion came in between.
 */
import type { Txn, Version } from "../../store.ts";
import { type Acl, ANY, type Part, type Stat } from "./wire/operations.ts";

/** What is there: nothing, a directory (a node without data), or an entry. */
export type Found = Stat | undefined;

export interface Guard {
  readonly path: string;
  readonly version: number;
}

export interface Situation {
  readonly guard: Guard;
  readonly acl: Acl;
  found(key: string): Found;
}

const NOTHING = Buffer.alloc(0);
const NUL = "\0";

export const pathOf = (key: string): string => `/${key}`;
export const keyOf = (path: string): string => path.slice(1);

export function versionOf(found: Found): Version | undefined {
  return found && found.dataLength > 0 ? String(found.mzxid) : undefined;
}

/** A directory has no data, so an entry always has some. */
export function encodeValue(value: string): Buffer {
  return Buffer.from(value === "" || value.startsWith(NUL) ? NUL + value : value);
}

/** Undefined for a directory. */
export function decodeValue(data: Buffer): string | undefined {
  if (data.length === 0) return undefined;
  return (data[0] === 0 ? data.subarray(1) : data).toString("utf8");
}

/** Undefined when a condition does not hold. */
export function planTxn({ conditions, writes }: Txn, { guard, acl, found }: Situation): readonly Part[] | undefined {
  if (conditions.some(({ key, version }) => versionOf(found(key)) !== version)) return undefined;
  const conditional = new Set(conditions.map(({ key }) => key));
  const written = new Map(writes.map(({ key, value }) => [key, value]));
  const parts: Part[] = [];
  let [relies, deletes] = [false, false];
  for (const key of new Set([...conditional, ...written.keys()])) {
    const [path, stat, value] = [pathOf(key), found(key), written.get(key)];
    const isConditional = conditional.has(key);
    if (stat === undefined) {
      if (value !== undefined) parts.push({ op: "create", path, data: encodeValue(value), acl });
      else parts.push({ op: "create", path, data: NOTHING, acl }, { op: "delete", path, version: ANY });
      continue;
    }
    const isEntry = stat.dataLength > 0;
    const removes = written.has(key) && value === undefined;
    // What is no entry stays none: that is a condition, too.
    const version = isConditional || (removes && !isEntry) ? stat.version : ANY;
    relies ||= version !== ANY;
    if (value !== undefined) parts.push({ op: "setData", path, data: encodeValue(value), version });
    else if (!removes || !isEntry) parts.push({ op: "check", path, version });
    else if (stat.children > 0) parts.push({ op: "setData", path, data: NOTHING, version });
    else {
      deletes = true;
      parts.push({ op: "delete", path, version });
    }
  }
  if (deletes) parts.push({ op: "setData", path: guard.path, data: NOTHING, version: relies ? guard.version : ANY });
  else if (relies) parts.push({ op: "check", path: guard.path, version: guard.version });
  return parts;
}

/** The nodes above a key's, the uppermost first. */
export function parentsOf(key: string): readonly string[] {
  const segments = key.split("/");
  return segments.slice(1).map((_, at) => pathOf(segments.slice(0, at + 1).join("/")));
}
