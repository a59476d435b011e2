/**
 * The journal's format, which backups share: lines of `<CRC-32 of the JSON, 8 hex digits> <JSON>`. The first says which
 * format it is and how many entries were in the snapshot that follows; each further one is a batch of changes, whole or
 * worth nothing. Pure; must not know where the bytes lie.
 *
 * A batch is synced before the next is written, so a crash can damage nothing but the last line. A bad line that has a good
 * one behind it was damaged by something else.
 */
import { crc32 } from "node:zlib";
import { STORE_CHUNK_BYTES } from "../../../kit/store-limits.ts";
import type { Change } from "../../contents.ts";
import type { Entry } from "../../store.ts";

export interface Header {
  readonly format: typeof FORMAT;
  readonly version: number;
  /** In the snapshot that follows. */
  readonly entries: number;
  readonly revision: number;
  /** Of a backup that is being restored: names this restoration. Of a journal: the last one that it went through. */
  readonly restoration?: string;
}

/** The changes that became durable together, and the revision that they led to. */
interface Batch {
  readonly revision: number;
  /** Key, version, value. */
  readonly set?: readonly (readonly [string, string, string])[];
  readonly delete?: readonly string[];
}

/** What bytes turned out to hold. */
export interface Decoded {
  readonly entries: ReadonlyMap<string, Entry>;
  readonly revision: number;
  readonly restoration: string | undefined;
  /** Bytes at the end that are no whole record. */
  readonly cut: number;
  /** Entries that the snapshot had and that were cut off with it: no crash does that. */
  readonly missing: number;
  /** Not a byte is missing, as far as the bytes can tell. */
  readonly whole: boolean;
}

/** The bytes are damaged where no crash damages them, or are no store of shoal's. */
export class FormatError extends Error {
  /** The highest revision seen in what is whole. */
  readonly revision: number;
  constructor(message: string, revision: number) {
    super(message);
    this.name = "FormatError";
    this.revision = revision;
  }
}

const FORMAT = "shoal-store";
const VERSION = 1;
const CRC_CHARS = 8;
const NEWLINE = 0x0a;
/** How every batch's line begins behind its checksum; within a JSON string the quotes would be escaped. */
const BATCH_START = ' {"revision":';

function encodeHeader(entries: number, revision: number, restoration: string | undefined): Uint8Array {
  return encodeLine({ format: FORMAT, version: VERSION, entries, revision, restoration } satisfies Header);
}

export function encodeBatch(changes: Iterable<Change>, revision: number): Uint8Array {
  const set: [string, string, string][] = [];
  const gone: string[] = [];
  for (const change of changes) {
    if (change.value === undefined) gone.push(change.key);
    else set.push([change.key, change.version, change.value]);
  }
  const batch: Batch = {
    revision,
    ...(set.length > 0 ? { set } : {}),
    ...(gone.length > 0 ? { delete: gone } : {}),
  };
  return encodeLine(batch);
}

/** A header and a snapshot, in pieces. */
export function* encodeSnapshot(
  entries: readonly Entry[],
  revision: number,
  restoration: string | undefined,
): Generator<Uint8Array> {
  yield encodeHeader(entries.length, revision, restoration);
  let chunk: Entry[] = [];
  let bytes = 0;
  for (const entry of entries) {
    chunk.push(entry);
    bytes += entry.key.length + entry.value.length;
    if (bytes < STORE_CHUNK_BYTES) continue;
    yield encodeBatch(chunk, revision);
    chunk = [];
    bytes = 0;
  }
  if (chunk.length > 0) yield encodeBatch(chunk, revision);
}

/** Bytes that an entry takes in a journal. */
export function entryBytes({ key, version, value }: Entry): number {
  return Buffer.byteLength(JSON.stringify([key, version, value])) + 1;
}

/**
 * Everything whole in `bytes`; no bytes at all hold nothing.
 * @throws FormatError
 */
export function decode(bytes: Uint8Array): Decoded {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries = new Map<string, Entry>();
  let header: Header | undefined;
  let revision = 0;
  let count = 0;
  let at = 0;
  let line = 0;
  while (at < text.length) {
    line++;
    const end = text.indexOf(NEWLINE, at);
    const json = end < 0 ? undefined : checked(text, at, end);
    if (json === undefined) break;
    const value: unknown = JSON.parse(json);
    if (line === 1) {
      header = readHeader(value);
      revision = header.revision;
    } else {
      const batch = value as Batch;
      revision = batch.revision;
      count += batch.set?.length ?? 0;
      for (const [key, version, text] of batch.set ?? []) entries.set(key, { key, version, value: text });
      for (const key of batch.delete ?? []) entries.delete(key);
    }
    at = end + 1;
  }
  const behind = wholeBatchesBehind(text, at + 1);
  if (behind !== undefined) {
    throw new FormatError(`damaged at byte ${at} (line ${line}), though what follows is whole`, behind);
  }
  const cut = text.length - at;
  const missing = Math.max(0, (header?.entries ?? 0) - count);
  const whole = header !== undefined && cut === 0 && missing === 0;
  return { entries, revision, restoration: header?.restoration, cut, missing, whole };
}

function encodeLine(value: Header | Batch): Uint8Array {
  const json = Buffer.from(JSON.stringify(value));
  const head = `${crc32(json).toString(16).padStart(CRC_CHARS, "0")} `;
  return Buffer.concat([Buffer.from(head), json, Buffer.from([NEWLINE])]);
}

/** The JSON of the line in [at, end), if its checksum is right. */
function checked(text: Buffer, at: number, end: number): string | undefined {
  const start = at + CRC_CHARS + 1;
  if (end < start || text[start - 1] !== 0x20) return undefined;
  const json = text.subarray(start, end);
  const crc = crc32(json).toString(16).padStart(CRC_CHARS, "0");
  return crc === text.toString("latin1", at, at + CRC_CHARS) ? json.toString() : undefined;
}

function readHeader(value: unknown): Header {
  const header = value as Partial<Header>;
  if (header.format !== FORMAT) throw new FormatError("not a store of shoal's", 0);
  if (header.version !== VERSION)
    throw new FormatError(`written by another shoal (format ${header.version}, this one reads ${VERSION})`, 0);
  return header as Header;
}

/** The highest revision of the whole batches that begin at `from` or later; undefined when there is none. */
function wholeBatchesBehind(text: Buffer, from: number): number | undefined {
  let highest: number | undefined;
  for (let mark = text.indexOf(BATCH_START, from); mark >= 0; mark = text.indexOf(BATCH_START, mark + 1)) {
    const end = text.indexOf(NEWLINE, mark);
    if (end < 0) break;
    const json = mark < CRC_CHARS ? undefined : checked(text, mark - CRC_CHARS, end);
    if (json !== undefined) highest = Math.max(highest ?? 0, (JSON.parse(json) as Batch).revision);
  }
  return highest;
}
