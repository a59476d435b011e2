/** ZooKeeper's operations, as far as they are used here: how each is asked and what it answers. Must not know connections. */
import { type JuteReader, JuteWriter } from "./jute.ts";

/** Numbers of the protocol. */
export const OP = {
  create: 1,
  delete: 2,
  exists: 3,
  getData: 4,
  setData: 5,
  getChildren: 8,
  sync: 9,
  ping: 11,
  check: 13,
  multi: 14,
  auth: 100,
  addWatch: 106,
  close: -11,
} as const;

export const ERROR = {
  noNode: -101,
  noAuth: -102,
  badVersion: -103,
  nodeExists: -110,
  notEmpty: -111,
  authFailed: -115,
} as const;

/** Any version. */
export const ANY = -1;
const PERSISTENT_RECURSIVE = 1;
const ALL_PERMISSIONS = 31;

export interface Stat {
  /** Of the transaction that wrote the data last: never used again. */
  readonly mzxid: bigint;
  /** Of the data; begins at 0 with each creation. */
  readonly version: number;
  readonly dataLength: number;
  readonly children: number;
}

/** Who may do what with a node that is made. */
export interface Acl {
  readonly scheme: string;
  readonly id: string;
}

export const WORLD: Acl = { scheme: "world", id: "anyone" };
/** Whoever made it, as authenticated. */
export const CREATOR: Acl = { scheme: "auth", id: "" };

/** One part of a `multi`. */
export type Part =
  | { readonly op: "create"; readonly path: string; readonly data: Buffer; readonly acl: Acl }
  | { readonly op: "delete"; readonly path: string; readonly version: number }
  | { readonly op: "setData"; readonly path: string; readonly data: Buffer; readonly version: number }
  | { readonly op: "check"; readonly path: string; readonly version: number };

/** A request without its header. */
export interface Request {
  readonly type: number;
  write(to: JuteWriter): void;
}

export const pathRequest = (type: number, path: string): Request => ({ type, write: (to) => to.text(path) });

/** Of those that could leave a watch behind, which none does here. */
export const readRequest = (type: number, path: string): Request => ({
  type,
  write: (to) => to.text(path).boolean(false),
});

export const watchRequest = (path: string): Request => ({
  type: OP.addWatch,
  write: (to) => to.text(path).int(PERSISTENT_RECURSIVE),
});

export const authRequest = (user: string, password: string): Request => ({
  type: OP.auth,
  write: (to) => to.int(0).text("digest").text(`${user}:${password}`),
});

export const partRequest = (part: Part): Request => ({ type: OP[part.op], write: (to) => writePart(to, part) });

export const multiRequest = (parts: readonly Part[]): Request => ({
  type: OP.multi,
  write(to) {
    for (const part of parts) {
      to.int(OP[part.op]).boolean(false).int(-1);
      writePart(to, part);
    }
    to.int(-1).boolean(true).int(-1);
  },
});

/** 0, or the error for which none of the parts was done. */
export function readMulti(from: JuteReader): number {
  for (;;) {
    const [type, isDone, error] = [from.int(), from.boolean(), from.int()];
    if (isDone) return 0;
    if (type === -1) {
      // Those before the one that failed have 0 here, those after it something of no meaning.
      const own = from.int();
      if (own !== 0) return own;
    } else if (error !== 0) return error;
    else if (type === OP.create) from.text();
    else if (type === OP.setData) readStat(from);
  }
}

export function readStat(from: JuteReader): Stat {
  from.long();
  const mzxid = from.long();
  from.long();
  from.long();
  const version = from.int();
  from.int();
  from.int();
  from.long();
  const dataLength = from.int();
  const children = from.int();
  from.long();
  return { mzxid, version, dataLength, children };
}

/** Bytes that a request takes. */
export function sizeOf(request: Request): number {
  const writer = new JuteWriter().int(0).int(request.type);
  request.write(writer);
  return writer.framed().length;
}

function writePart(to: JuteWriter, part: Part): void {
  to.text(part.path);
  if (part.op === "create") {
    const { scheme, id } = part.acl;
    to.buffer(part.data).int(1).int(ALL_PERMISSIONS).text(scheme).text(id).int(0);
  } else if (part.op === "setData") to.buffer(part.data).int(part.version);
  else to.int(part.version);
}
