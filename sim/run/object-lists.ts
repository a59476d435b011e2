/**
 * What lists of networks and of volumes must show: everything that somebody was told of exactly once, under its ID and
 * name, nothing that somebody was told is gone, and what every engine makes for itself once.
 */
import { HINT_LABEL } from "../../src/cluster/hint.ts";
import type { Host } from "./host.ts";
import type { ObjectKind } from "./object-items.ts";
import type { Thing, Things } from "./things.ts";
import type { Complain } from "./witness.ts";

export interface ObjectRow {
  /** A network's. */
  readonly Id?: string;
  /** Plain, or `node/name`. */
  readonly Name: string;
  readonly Labels: Readonly<Record<string, string>> | null;
}

const NEVER = Number.POSITIVE_INFINITY;

/**
 * @param asked when the list was asked for
 * @param knows whether the manager has ever read the host
 */
export function checkObjects(
  things: Things,
  kind: ObjectKind,
  rows: readonly ObjectRow[],
  asked: number,
  knows: (host: Host) => boolean,
  complain: Complain,
): void {
  const names = new Set<string>();
  for (const { Name, Labels } of rows) {
    if (names.has(Name)) complain("twice", `two ${kind}s are listed as ${Name}`);
    names.add(Name);
    if (Labels?.[HINT_LABEL] !== undefined) complain("hint", `the ${kind} ${Name} shows it`);
  }
  if (kind === "network") {
    for (const one of ["bridge", "host", "none"]) if (!names.has(one)) complain("missing", `${one} is not listed`);
  }
  for (const thing of things.all) {
    if (thing.kind !== kind) continue;
    const shown = rows.some((row) => isRowOf(thing, row));
    if (isStanding(things, thing, asked) && knows(thing.host) && !shown) {
      complain("missing", `the ${kind} ${thing.name} is on ${thing.host.name}, and is not shown`);
    }
    if (shown && thing.removedAt < asked && !isElsewhere(things, thing, asked)) {
      complain("ghost", `the ${kind} ${thing.name} is shown, and was removed before`);
    }
  }
}

/** It is there, somebody was told so before, and nobody has asked to remove it. */
export function isStanding(things: Things, thing: Thing, asked: number): boolean {
  return thing.toldAt < asked && thing.goneAt === NEVER && thing.removedAt === NEVER && !things.mayBeRemoved(thing);
}

function isRowOf({ kind, id, name, host }: Thing, row: ObjectRow): boolean {
  if (kind === "network") return row.Id === id;
  return row.Name === name || row.Name === `${host.name}/${name}`;
}

/** Of a network on every node another part is still there; a volume of that name was made again. */
function isElsewhere(things: Things, thing: Thing, asked: number): boolean {
  return things.all.some(
    (other) =>
      other !== thing &&
      other.kind === thing.kind &&
      other.goneAt >= asked &&
      (thing.kind === "network" ? other.id === thing.id : other.name === thing.name),
  );
}
