/**
 * A disk in memory that keeps its promises and no more: what was not synced may be lost, torn or left as zeros by a crash,
 * a name that was not synced may be the old one, what a failed sync held is never safe again. It can be slow, full, fail
 * at any call, and end the process at any call.
 */
import { type Disk, type DiskFile, type DiskLock, DiskLockedError } from "../../src/store/drivers/file/disk.ts";

export type CallName =
  | "makeDirectory"
  | "lock"
  | "read"
  | "create"
  | "append"
  | "sync"
  | "rename"
  | "remove"
  | "syncDirectory";

export interface DiskCall {
  readonly name: CallName;
  /** Of the file or directory; of a rename the old one. */
  readonly path: string;
  /** Counts all calls, from 0. */
  readonly index: number;
}

/** A whole number in [0, below): how a crash falls out. */
export type Choose = (below: number) => number;

interface Piece {
  readonly bytes: Uint8Array;
  /** `doomed`: a sync of it failed, so that later ones leave it out. */
  state: "dirty" | "durable" | "doomed";
}

type File = Piece[];

/** A change of names that no `syncDirectory` made durable yet. */
type Move = (names: Map<string, File>) => void;

export class DiskError extends Error {
  readonly code: string;
  constructor(code: string, { name, path }: Pick<DiskCall, "name" | "path">) {
    super(`${code}: simulated, ${name} '${path}'`);
    this.code = code;
  }
}

export class SimDisk implements Disk {
  readonly #names: Map<string, File>;
  readonly #durable: Map<string, File>;
  readonly #locks = new Set<string>();
  #moves: Move[] = [];
  #calls = 0;
  #die: () => void = () => {};
  #dead = false;
  /** Bytes in all files; beyond it ENOSPC. */
  capacity = Number.POSITIVE_INFINITY;
  /** Asked before each call: may take its time, and may throw a `DiskError`. An append that fails so leaves half. */
  before: (call: DiskCall) => Promise<void> | void = () => {};
  /** The process ends at this call, which is then half done and never answered; nor is any later one. */
  dieAt = Number.POSITIVE_INFINITY;
  /** Resolves when it did. */
  readonly death = new Promise<void>((resolve) => {
    this.#die = resolve;
  });

  /** @param files by path, durable */
  constructor(files: Iterable<readonly [string, Uint8Array]> = []) {
    this.#durable = new Map(Array.from(files, ([path, bytes]) => [path, [{ bytes, state: "durable" }]]));
    this.#names = new Map(this.#durable);
  }

  get calls(): number {
    return this.#calls;
  }

  /** A file as it is seen now. */
  peek(path: string): Uint8Array | undefined {
    const file = this.#names.get(path);
    return file && Buffer.concat(file.map(({ bytes }) => bytes));
  }

  /** What a new process finds after a crash of the machine now. This disk stays as it is. */
  afterCrash(choose: Choose): SimDisk {
    const names = new Map(this.#durable);
    for (const move of this.#moves.slice(0, choose(this.#moves.length + 1))) move(names);
    return new SimDisk([...names].map(([path, file]) => [path, survivors(file, choose)]));
  }

  /** What a new process finds after a crash of this process alone: everything that was written, synced or not. */
  afterKill(): SimDisk {
    const next = new SimDisk();
    for (const [path, file] of this.#durable) next.#durable.set(path, file);
    for (const [path, file] of this.#names) next.#names.set(path, file);
    next.#moves = this.#moves;
    return next;
  }

  async makeDirectory(path: string): Promise<void> {
    await this.#call("makeDirectory", path);
  }

  async lock(path: string): Promise<DiskLock> {
    await this.#call("lock", path);
    if (this.#locks.has(path)) throw new DiskLockedError(undefined);
    this.#locks.add(path);
    return { release: async () => void this.#locks.delete(path) };
  }

  async read(path: string): Promise<Uint8Array | undefined> {
    await this.#call("read", path);
    return this.peek(path);
  }

  async create(path: string): Promise<DiskFile> {
    const file: File = [];
    await this.#call("create", path, () => this.#move((names) => names.set(path, file)));
    return {
      append: async (bytes) => {
        const half = bytes.subarray(0, bytes.length >> 1);
        await this.#call(
          "append",
          path,
          () => this.#write(file, bytes, path),
          () => this.#write(file, half, path),
        );
      },
      sync: async () => {
        const settle = (state: Piece["state"]) => {
          for (const piece of file) if (piece.state === "dirty") piece.state = state;
        };
        await this.#call(
          "sync",
          path,
          () => settle("durable"),
          () => settle("doomed"),
          () => {},
        );
      },
      close: async () => {},
    };
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#call("rename", from, () => {
      const file = this.#names.get(from);
      if (file === undefined) throw new DiskError("ENOENT", { name: "rename", path: from });
      this.#move((names) => {
        names.delete(from);
        names.set(to, file);
      });
    });
  }

  async remove(path: string): Promise<void> {
    await this.#call("remove", path, () => this.#move((names) => names.delete(path)));
  }

  async syncDirectory(path: string): Promise<void> {
    const settle = () => {
      for (const move of this.#moves.splice(0)) move(this.#durable);
    };
    await this.#call(
      "syncDirectory",
      path,
      settle,
      () => {},
      () => {},
    );
  }

  /**
   * One call: `act` when it works, `fail` when it is made to fail, `half` when the process dies in it. What dies is done as
   * far as a crash can still undo it.
   */
  async #call(name: CallName, path: string, act = () => {}, fail = () => {}, half = act): Promise<void> {
    if (this.#dead) await forever();
    const call = { name, path, index: this.#calls++ };
    if (call.index >= this.dieAt) {
      this.#dead = true;
      half();
      this.#die();
      await forever();
    }
    try {
      await this.before(call);
    } catch (error) {
      fail();
      throw error;
    }
    if (this.#dead) await forever();
    act();
  }

  #move(move: Move): void {
    move(this.#names);
    this.#moves.push(move);
  }

  #write(file: File, bytes: Uint8Array, path: string): void {
    const room = Math.max(0, this.capacity - this.#used());
    if (room > 0) file.push({ bytes: bytes.slice(0, room), state: "dirty" });
    if (bytes.length > room) throw new DiskError("ENOSPC", { name: "append", path });
  }

  #used(): number {
    let sum = 0;
    for (const file of this.#names.values()) for (const { bytes } of file) sum += bytes.length;
    return sum;
  }
}

/** Each piece that was not synced is whole, lost, torn in the middle, or zeros. */
function survivors(file: File, choose: Choose): Uint8Array {
  let bytes: Uint8Array = new Uint8Array();
  let length = 0;
  for (const piece of file) {
    const kept = piece.state === "durable" ? piece.bytes : survivor(piece.bytes, choose);
    // What was lost before something that was kept is a hole; at the end it was never there.
    if (kept.length > 0) bytes = Buffer.concat([bytes, new Uint8Array(length - bytes.length), kept]);
    length += piece.bytes.length;
  }
  return bytes;
}

function survivor(bytes: Uint8Array, choose: Choose): Uint8Array {
  const kinds = [bytes, bytes.subarray(0, 0), bytes.subarray(0, bytes.length >> 1), new Uint8Array(bytes.length)];
  return kinds[choose(kinds.length)] ?? bytes;
}

function forever(): Promise<never> {
  return new Promise(() => {});
}
