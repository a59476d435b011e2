/**
 * The one file of a file store: a snapshot, then a batch of changes for each sync. Owns the file and how it is replaced;
 * must not know who waits for a change.
 *
 * After any failure nothing more is written to that file, because what a failed sync left of it cannot be known: the next
 * change begins with a new one, written whole and put in its place.
 */
import { STORE_GROWTH } from "../../../kit/store-limits.ts";
import type { Change } from "../../contents.ts";
import type { Entry } from "../../store.ts";
import type { Disk, DiskFile } from "./disk.ts";
import { encodeBatch, encodeSnapshot } from "./format.ts";

export class Journal {
  readonly path: string;
  readonly #directory: string;
  readonly #disk: Disk;
  /** The file in place, as long as all that was written to it is known to be there. */
  #file: DiskFile | undefined;
  #bytes = 0;

  constructor(directory: string, disk: Disk) {
    this.#directory = directory;
    this.#disk = disk;
    this.path = `${directory}/journal`;
  }

  /** Whether `append` has a file to go on with. */
  get isSound(): boolean {
    return this.#file !== undefined;
  }

  /** Bytes in the file. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @param live bytes that a new file would have */
  isOvergrown(live: number): boolean {
    return this.#bytes > STORE_GROWTH.factor * live + STORE_GROWTH.bytes;
  }

  /** Everything in the file; undefined when there is none. */
  read(): Promise<Uint8Array | undefined> {
    return this.#disk.read(this.path);
  }

  /** Puts a new file with these entries in place; durable when it resolves. A failure leaves the old or the new one. */
  async rewrite(entries: readonly Entry[], revision: number, restoration: string | undefined): Promise<void> {
    const next = `${this.path}.new`;
    const file = await this.#disk.create(next);
    let bytes = 0;
    try {
      for (const piece of encodeSnapshot(entries, revision, restoration)) {
        await file.append(piece);
        bytes += piece.length;
      }
      await file.sync();
    } catch (error) {
      await abandon(file);
      // Room for others, and for the next try.
      await this.#disk.remove(next).catch(() => undefined);
      throw error;
    }
    // From here on it is open which of the two a crash leaves.
    await this.drop();
    try {
      await this.#disk.rename(next, this.path);
      await this.#disk.syncDirectory(this.#directory);
    } catch (error) {
      await abandon(file);
      throw error;
    }
    this.#file = file;
    this.#bytes = bytes;
  }

  /** Durable when it resolves; when it rejects, a crash may leave it or not. */
  async append(changes: Iterable<Change>, revision: number): Promise<void> {
    const file = this.#file;
    if (file === undefined) throw new Error("shoal bug: append to a journal that is not sound");
    const batch = encodeBatch(changes, revision);
    try {
      await file.append(batch);
      await file.sync();
    } catch (error) {
      await this.drop();
      throw error;
    }
    this.#bytes += batch.length;
  }

  /** Lets go of the file. */
  async drop(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    if (file !== undefined) await abandon(file);
  }
}

/** A file whose fate no longer matters. */
async function abandon(file: DiskFile): Promise<void> {
  await file.close().catch(() => undefined);
}
