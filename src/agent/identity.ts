/**
 * Who this node is: the ID that it keeps in its state directory whatever becomes of its address, and the address that it
 * was last registered by. One agent at a time uses a directory: two with one ID would be taken for a clone.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Random } from "../kit/random.ts";

interface Kept {
  readonly id: string;
  /** By place of registration. */
  readonly addresses: Readonly<Record<string, string>>;
}

const ID_BYTES = 12;

export class Identity {
  readonly id: string;
  readonly #directory: string;
  #addresses: Readonly<Record<string, string>>;

  private constructor(directory: string, { id, addresses }: Kept) {
    this.#directory = directory;
    this.id = id;
    this.#addresses = addresses;
  }

  /** Reads it, or makes it. Throws Error for the operator. */
  static open(directory: string, random: Random): Identity {
    try {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      hold(join(directory, "pid"));
    } catch (error) {
      throw new Error(`the state directory ${directory} cannot be used: ${(error as Error).message}`);
    }
    const path = join(directory, "node.json");
    let text: string | undefined;
    try {
      text = readFileSync(path, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
    const identity = new Identity(directory, text === undefined ? made(random) : parsed(path, text));
    if (text === undefined) identity.#write();
    return identity;
  }

  /** Where a registration of an earlier time may still be; undefined: there was none. */
  addressAt(place: string): string | undefined {
    return this.#addresses[place];
  }

  remember(place: string, address: string): void {
    if (this.#addresses[place] === address) return;
    this.#addresses = { ...this.#addresses, [place]: address };
    this.#write();
  }

  /** Lets another agent have the directory. */
  close(): void {
    rmSync(join(this.#directory, "pid"), { force: true });
  }

  #write(): void {
    const path = join(this.#directory, "node.json");
    const kept: Kept = { id: this.id, addresses: this.#addresses };
    writeFileSync(`${path}.new`, `${JSON.stringify(kept)}\n`, { mode: 0o600 });
    renameSync(`${path}.new`, path);
  }
}

const made = (random: Random): Kept => ({ id: random.hex(ID_BYTES), addresses: {} });

function parsed(path: string, text: string): Kept {
  try {
    const { id, addresses = {} } = JSON.parse(text) as Partial<Kept>;
    if (typeof id === "string" && /^[a-z0-9]{16,64}$/.test(id)) return { id, addresses };
  } catch {
    // Said below.
  }
  throw new Error(`${path} is damaged: remove it, and this machine is a new node`);
}

/** A process that is gone has left its file behind. */
function hold(path: string): void {
  const own = `${process.pid}\n`;
  try {
    writeFileSync(path, own, { flag: "wx" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    const pid = Number(readFileSync(path, "utf8"));
    if (pid !== process.pid && isAlive(pid)) {
      throw new Error(`the agent with process ID ${pid} uses it; give this one another --state-dir`);
    }
    writeFileSync(path, own);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
