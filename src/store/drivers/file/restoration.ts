/**
 * A backup that is to replace what a file store holds: a file placed beside the journal, which the store takes when it
 * opens or, while it is open, within a second or two. Owns that file; must not know who places it.
 */
import type { Disk } from "./disk.ts";
import { type Decoded, decode } from "./format.ts";

export class Restoration {
  readonly path: string;
  readonly #directory: string;
  readonly #disk: Disk;

  constructor(directory: string, disk: Disk) {
    this.#directory = directory;
    this.#disk = disk;
    this.path = `${directory}/restore`;
  }

  /** The placed backup; undefined when there is none. One that is not whole is put aside, and rejects. */
  async read(): Promise<Decoded | undefined> {
    const bytes = await this.#disk.read(this.path);
    if (bytes === undefined) return undefined;
    const backup = decodeBackup(bytes);
    if (backup?.restoration !== undefined) return backup;
    await this.#disk.rename(this.path, `${this.path}.refused`);
    throw new Error(`${this.path} is no whole backup; it is now ${this.path}.refused`);
  }

  /** Puts a backup in place, whole or not at all. */
  async place(pieces: Iterable<Uint8Array>): Promise<void> {
    const next = `${this.path}.new`;
    const file = await this.#disk.create(next);
    try {
      for (const piece of pieces) await file.append(piece);
      await file.sync();
    } finally {
      await file.close();
    }
    await this.#disk.rename(next, this.path);
    await this.#disk.syncDirectory(this.#directory);
  }

  async isPlaced(): Promise<boolean> {
    return (await this.#disk.read(this.path)) !== undefined;
  }

  async remove(): Promise<void> {
    await this.#disk.remove(this.path);
    await this.#disk.syncDirectory(this.#directory);
  }
}

/** What a backup holds; undefined when it is not whole. */
export function decodeBackup(bytes: Uint8Array): Decoded | undefined {
  try {
    const backup = decode(bytes);
    return backup.whole ? backup : undefined;
  } catch {
    return undefined;
  }
}
