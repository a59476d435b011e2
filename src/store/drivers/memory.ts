/**
 * The store without a disk: for tests, the simulator, and a manager that is to remember nothing. What it holds outlives
 * the store that was opened on it, as a disk does, when the `MemoryStoreData` is kept.
 */
import { checkKey, checkOpen, checkPrefix, checkTxn, EVERY_STORE } from "../bounds.ts";
import { Contents, Staged } from "../contents.ts";
import type { CallOptions, Entry, Store, Txn, TxnResult, WatchObserver } from "../store.ts";

/** What memory stores hold: several opened on the same see each other's writes. */
export class MemoryStoreData {
  readonly contents = new Contents();

  /** Puts other entries in the place of all, as a restored backup does. */
  restore(entries: readonly Omit<Entry, "version">[]): void {
    const revision = this.contents.revision + 1;
    this.contents.replace(
      entries.map(({ key, value }) => ({ key, value, version: String(revision) })),
      revision,
    );
  }
}

export class MemoryStore implements Store {
  readonly limits = EVERY_STORE;
  readonly #contents: Contents;
  readonly #closed = new AbortController();

  constructor(data = new MemoryStoreData()) {
    this.#contents = data.contents;
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
    checkTxn(txn, this.limits);
    const staged = new Staged(this.#contents);
    const result = staged.add(txn);
    this.#contents.apply(staged.changes, staged.revision);
    return result;
  }

  async watch(prefix: string, observer: WatchObserver, signal: AbortSignal): Promise<void> {
    checkOpen(this.#closed.signal);
    checkPrefix(prefix);
    await this.#contents.watch(prefix, observer, AbortSignal.any([signal, this.#closed.signal]));
  }

  async close(): Promise<void> {
    this.#closed.abort();
  }
}
