/**
 * A node's record as stores and hubs keep it: JSON of ours, or the bare `host:port` of a classic Swarm agent. Owns the
 * format and its bounds; must not know where it is kept.
 */
import { DISCOVERY_LABELS, DISCOVERY_NAME_CHARS, DISCOVERY_RECORD_BYTES } from "../kit/limits.ts";
import type { Entry, ManagerState, Registration } from "./discovery.ts";
import { parseEntry } from "./entries.ts";
import { readManagerState } from "./manager-state.ts";

export interface NodeRecord extends Entry {
  /** Undefined: the record says nothing of it, and stays for as long as it is there. */
  readonly ttlMs?: number | undefined;
  readonly beat?: number | undefined;
  /** The machine's own host name. */
  readonly host?: string | undefined;
  readonly cpus?: number | undefined;
  /** Bytes. */
  readonly memory?: number | undefined;
  /** Of a manager's record, which is kept apart from the nodes'. */
  readonly manager?: ManagerState | undefined;
}

interface Written {
  readonly addr?: unknown;
  readonly id?: unknown;
  readonly name?: unknown;
  readonly labels?: unknown;
  /** Seconds. */
  readonly ttl?: unknown;
  readonly beat?: unknown;
  readonly host?: unknown;
  readonly cpus?: unknown;
  readonly memory?: unknown;
  readonly manager?: unknown;
}

export function writeRecord({ address, ttlMs, ...rest }: Registration | NodeRecord): string {
  return JSON.stringify({ addr: address, ...rest, ...(ttlMs !== undefined && { ttl: ttlMs / 1000 }) });
}

/** @throws Error one sentence */
export function readRecord(text: string): NodeRecord {
  if (Buffer.byteLength(text) > DISCOVERY_RECORD_BYTES) {
    throw new Error(`a node's record has at most ${DISCOVERY_RECORD_BYTES} bytes`);
  }
  const trimmed = text.trim();
  return trimmed.startsWith("{") ? fromJson(trimmed) : { address: tcpAddress(trimmed) };
}

function fromJson(text: string): NodeRecord {
  let written: Written;
  try {
    written = JSON.parse(text) as Written;
  } catch {
    throw new Error("a node's record is neither host:port nor JSON");
  }
  const { addr, id, name, labels, ttl, beat, host, cpus, memory, manager } = written;
  return dropUndefined({
    address: tcpAddress(textOf("addr", addr) ?? ""),
    id: idOf(id),
    name: nameOf("name", name),
    labels: labelsOf(labels),
    ttlMs: numberOf("ttl", ttl, 1000),
    beat: numberOf("beat", beat),
    host: nameOf("host", host),
    cpus: numberOf("cpus", cpus),
    memory: numberOf("memory", memory),
    manager: manager === undefined ? undefined : readManagerState(manager),
  });
}

function dropUndefined(record: NodeRecord): NodeRecord {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as unknown as NodeRecord;
}

/** A socket's path means something on the machine of its writer alone: read elsewhere, it would be the reader's own engine. */
function tcpAddress(text: string): string {
  const address = parseEntry(text);
  if (address.startsWith("unix:")) throw new Error(`a node's record cannot hold ${address}: expected host:port`);
  return address;
}

function idOf(value: unknown): string | undefined {
  const id = textOf("id", value);
  if (id !== undefined && !/^[a-z0-9]{16,64}$/.test(id)) throw new Error("a node's ID has 16 to 64 of a-z and 0-9");
  return id;
}

/** As host names are, and a little more. */
export const isNodeName = (text: string): boolean =>
  /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(text) && text.length <= DISCOVERY_NAME_CHARS;

function nameOf(what: string, value: unknown): string | undefined {
  const name = textOf(what, value);
  if (name === undefined) return undefined;
  if (!isNodeName(name)) {
    throw new Error(`bad ${what} of a node: only [a-zA-Z0-9][a-zA-Z0-9_.-]*, ${DISCOVERY_NAME_CHARS} at most`);
  }
  return name;
}

function labelsOf(value: unknown): Readonly<Record<string, string>> | undefined {
  if (value === undefined) return undefined;
  const entries = typeof value === "object" && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
  if (entries.length > DISCOVERY_LABELS) throw new Error(`a node has at most ${DISCOVERY_LABELS} labels`);
  for (const [key, label] of entries) {
    if (key === "" || typeof label !== "string") throw new Error("a node's labels are texts");
  }
  return Object.fromEntries(entries) as Record<string, string>;
}

function textOf(what: string, value: unknown): string | undefined {
  if (value === undefined || typeof value === "string") return value;
  throw new Error(`${what} in a node's record is no text`);
}

function numberOf(what: string, value: unknown, factor = 1): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== "number" || !Number.isFinite(value) || value < 0) {
    throw new Error(`${what} in a node's record is no number`);
  }
  return value * factor;
}

/** What a manager wants to know of a record. */
export function entryOf({ address, id, name, labels }: NodeRecord): Entry {
  return {
    address,
    ...(id !== undefined && { id }),
    ...(name !== undefined && { name }),
    ...(labels !== undefined && { labels }),
  };
}
