/**
 * The embedded store: everything in memory, and each change in a journal before anybody is told of it. Transactions that
 * come while the disk syncs share the next sync. Owns the order of changes; must not know the journal's format.
 *
 * A directory belongs to one process at a time. In it: `journal`, `lock`, and at times `restore` (restoration.ts).
 */
import type { Clock, Timer } from "../../../kit/clock.ts";
import type { Logger } from "../../../kit/log.ts";
import { STORE_BATCH_BYTES, STORE_CLOSE_MS, STORE_QUEUE, STORE_TICK_MS } from "../../../kit/store-limits.ts";
import { checkKey, checkOpen, checkPrefix, checkTxn, EVERY_STORE, writeBytes } from "../../bounds.ts";
import { type Change, Contents, Staged } from "../../contents.ts";
import {
  type CallOptions,
  type Entry,
  type Store,
  StoreError,
  type Txn,
  type TxnResult,
  type WatchObserver,
} from "../../store.ts";
import { type Disk, type DiskLock, DiskLockedError } from "./disk.ts";
import { decode, entryBytes, FormatError } from "./format.ts";
import { Journal } from "./journal.ts";
import { Restoration } from "./restoration.ts";

export interface FileStoreContext {
  readonly clock: Clock;
  readonly log: Logger;
  readonly disk: Disk;
}

interface Waiting {
  readonly txn: Txn;
  readonly resolve: (result: TxnResult) => void;
  readonly reject: (error: StoreError) => void;
}

export class FileStore implements Store {
  readonly limits = EVERY_STORE;
  readonly #directory: string;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #lock: DiskLock;
  readonly #journal: Journal;
  readonly #restoration: Restoration;
  readonly #contents = new Contents();
  readonly #closed = new AbortController();
  /** In the order in which they came. */
  readonly #queue = new Set<Waiting>();
  /** Bytes that the contents take in a new journal. */
  #live = 0;
  /** The last restoration that the contents went through. */
  #restored: string | undefined;
  #working: Promise<void> | undefined;
  #tick: Timer | undefined;
  /** A tick is due. */
  #ticked = false;
  /** Why there is no new journal; it is tried again at the next tick. */
  #trouble: StoreError | undefined;
  #closing: Promise<void> | undefined;

  private constructor(directory: string, lock: DiskLock, { clock, log, disk }: FileStoreContext) {
    this.#directory = directory;
    this.#lock = lock;
    this.#journal = new Journal(directory, disk);
    this.#restoration = new Restoration(directory, disk);
    this.#clock = clock;
    this.#log = log.with({ store: directory });
  }

  /**
   * Opens the store in `directory`, making it if missing.
   * Rejects with StoreError, one sentence: another process has it, it cannot be read, it is damaged.
   */
  static async open(directory: string, context: FileStoreContext): Promise<FileStore> {
    const lock = await lockDirectory(directory, context.disk);
    try {
      const store = new FileStore(directory, lock, context);
      await store.#load();
      return store;
    } catch (error) {
      await lock.release();
      throw toStoreError(error, `cannot open the store ${directory}`);
    }
  }

  async get(key: string, options?: CallOptions): Promise<Entry | undefined> {
    checkOpen(this.#closed.signal, options);
    checkKey(key);
    return this.#contents.get(key);
  }

  async list(prefix: string, options?: CallOptions): Promise<readonly Entry[]> {
    checkOpen(this.#closed.signal, options);
    checkPrefix(prefix);
    return this.#contents.list(prefix);
  }

  async txn(txn: Txn, options?: CallOptions): Promise<TxnResult> {
    checkOpen(this.#closed.signal, options);
    checkTxn(txn);
    if (this.#queue.size >= STORE_QUEUE) throw new StoreError(`${STORE_QUEUE} changes wait for the store's disk`);
    const signal = options?.signal;
    let giveUp = () => {};
    try {
      return await new Promise<TxnResult>((resolve, reject) => {
        const waiting = { txn, resolve, reject };
        giveUp = () => {
          // What is no longer queued is on its way to the disk.
          const uncertain = !this.#queue.delete(waiting);
          reject(new StoreError("the store's disk did not answer in time", { uncertain, cause: signal?.reason }));
        };
        signal?.addEventListener("abort", giveUp, { once: true });
        this.#queue.add(waiting);
        this.#work();
      });
    } finally {
      signal?.removeEventListener("abort", giveUp);
    }
  }

  async watch(prefix: string, observer: WatchObserver, signal: AbortSignal): Promise<void> {
    checkOpen(this.#closed.signal);
    checkPrefix(prefix);
    await this.#contents.watch(prefix, observer, AbortSignal.any([signal, this.#closed.signal]));
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    this.#closed.abort();
    this.#tick?.cancel();
    const done = new AbortController();
    const finished = Promise.resolve(this.#working).then(() => done.abort());
    await Promise.race([finished, this.#clock.sleep(STORE_CLOSE_MS, done.signal).catch(() => undefined)]);
    if (done.signal.aborted) await this.#journal.drop();
    else this.#log.error("the store's disk does not answer; the store closes without it");
    await this.#lock.release();
  }

  /** A new journal each time: what was in the old one may never have been synced, and its end may be torn. */
  async #load(): Promise<void> {
    const damage = await this.#read();
    await this.#restore();
    if (damage !== undefined && !this.#journal.isSound) throw damage;
    // A disk that is full now need not be so later.
    if (!this.#journal.isSound) await this.#renew();
    this.#scheduleTick();
  }

  /** Resolves with what is wrong with the journal when only a restored backup helps. */
  async #read(): Promise<StoreError | undefined> {
    const bytes = await this.#journal.read();
    if (bytes === undefined) return undefined;
    try {
      const { entries, revision, restoration, cut, missing } = decode(bytes);
      this.#replace([...entries.values()], revision, restoration);
      if (missing > 0 || cut === bytes.length) {
        this.#log.error("the store's journal was cut short: part of what it held is lost", { entries: missing });
      } else if (cut > 0) {
        this.#log.warn("the store's last record was torn by a crash and is left out", { bytes: cut });
      }
      return undefined;
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      this.#replace([], error.revision, undefined);
      return new StoreError(
        `the store's journal ${this.#journal.path} is ${error.message}: restore a backup ` +
          `(shoal store restore ${this.#directory} BACKUP), or move it aside to begin with an empty store`,
      );
    }
  }

  #scheduleTick(): void {
    this.#tick = this.#clock.after(
      STORE_TICK_MS,
      () => {
        this.#ticked = true;
        this.#work();
        this.#scheduleTick();
      },
      { background: true },
    );
  }

  /** Does what is due, in the background. */
  #work(): void {
    this.#working ??= this.#drain();
  }

  /** One thing after the other until nothing is due. Never rejects. */
  async #drain(): Promise<void> {
    // The next turn: whoever asks in this one shares the sync.
    await Promise.resolve();
    while (this.#ticked || this.#queue.size > 0) {
      if (this.#ticked) await this.#mend();
      if (this.#queue.size > 0) await this.#commit(this.#nextBatch());
    }
    this.#working = undefined;
  }

  /** What a tick is for. */
  async #mend(): Promise<void> {
    this.#ticked = false;
    this.#trouble = undefined;
    await this.#restore();
    if (!this.#journal.isSound) await this.#renew();
  }

  #nextBatch(): readonly Waiting[] {
    const batch: Waiting[] = [];
    let bytes = 0;
    for (const waiting of this.#queue) {
      bytes += waiting.txn.writes.reduce((sum, write) => sum + writeBytes(write), 0);
      if (batch.length > 0 && bytes > STORE_BATCH_BYTES) break;
      batch.push(waiting);
      this.#queue.delete(waiting);
    }
    return batch;
  }

  /** Decides the transactions in order, makes what they change durable with one sync, and only then shows and tells it. */
  async #commit(batch: readonly Waiting[]): Promise<void> {
    const staged = new Staged(this.#contents);
    const results = batch.map(({ txn }) => staged.add(txn));
    try {
      if (!staged.isEmpty) await this.#persist(staged);
    } catch (error) {
      const failure = toStoreError(error, `cannot write ${this.#journal.path}`);
      for (const { reject } of batch) reject(failure);
      return;
    }
    for (const change of staged.changes) this.#live += this.#growth(change);
    this.#contents.apply(staged.changes, staged.revision);
    for (const [at, { resolve }] of batch.entries()) resolve(results[at] ?? { ok: false });
  }

  async #persist(staged: Staged): Promise<void> {
    const due = !this.#journal.isSound || this.#journal.isOvergrown(this.#live);
    if (due && this.#trouble === undefined) await this.#renew();
    // One that is only overgrown can go on growing while there is no room for a new one.
    if (!this.#journal.isSound && this.#trouble !== undefined) throw this.#trouble;
    try {
      await this.#journal.append(staged.changes, staged.revision);
    } catch (error) {
      throw toStoreError(error, `cannot write ${this.#journal.path}`, true);
    }
  }

  /** Writes the journal anew; what hinders it is kept as `#trouble`. */
  async #renew(): Promise<void> {
    try {
      await this.#journal.rewrite([...this.#contents.entries()], this.#contents.revision, this.#restored);
    } catch (error) {
      this.#trouble = toStoreError(error, `cannot write ${this.#journal.path}`);
      this.#log.error("the store's journal cannot be written anew", { error: this.#trouble.message });
    }
  }

  /** Puts a backup that was placed in the place of everything. Never rejects. */
  async #restore(): Promise<void> {
    try {
      const backup = await this.#restoration.read();
      if (backup === undefined) return;
      if (backup.restoration !== this.#restored) {
        // Versions never repeat, those given since the backup included.
        const revision = Math.max(this.#contents.revision, backup.revision) + 1;
        const entries = Array.from(backup.entries.values(), (entry) => ({ ...entry, version: String(revision) }));
        await this.#journal.rewrite(entries, revision, backup.restoration);
        this.#replace(entries, revision, backup.restoration);
        this.#log.warn("the store was restored from a backup", { entries: entries.length });
      }
      await this.#restoration.remove();
    } catch (error) {
      const { message } = toStoreError(error, "cannot restore");
      this.#log.error("the store could not be restored from the backup", { error: message });
    }
  }

  #replace(entries: readonly Entry[], revision: number, restored: string | undefined): void {
    this.#contents.replace(entries, revision);
    this.#restored = restored;
    this.#live = entries.reduce((sum, entry) => sum + entryBytes(entry), 0);
  }

  #growth(change: Change): number {
    const before = this.#contents.get(change.key);
    return (change.value === undefined ? 0 : entryBytes(change)) - (before ? entryBytes(before) : 0);
  }
}

async function lockDirectory(directory: string, disk: Disk): Promise<DiskLock> {
  try {
    await disk.makeDirectory(directory);
    return await disk.lock(`${directory}/lock`);
  } catch (error) {
    if (!(error instanceof DiskLockedError)) throw toStoreError(error, `cannot open the store ${directory}`);
    const holder = error.pid === undefined ? "another process" : `process ${error.pid}`;
    const words = `the store ${directory} is in use by ${holder}: stop it first, or use another store`;
    throw new StoreError(words, { cause: error });
  }
}

function toStoreError(error: unknown, what: string, uncertain = false): StoreError {
  if (error instanceof StoreError) return error;
  const why = error instanceof Error ? error.message : String(error);
  return new StoreError(`${what}: ${why}`, { uncertain, cause: error });
}
