/** A store in this process: for tests and for managers that need keep nothing. Owns its entries; nothing survives the process. */
import {
  type Condition,
  type Entry,
  type Store,
  StoreError,
  type Txn,
  type TxnResult,
  type Version,
  type WatchObserver,
} from "../store.ts";

export class MemoryStore implements Store {
  readonly #entries = new Map<string, Entry>();
  readonly #watches = new Set<{ readonly prefix: string; readonly observer: WatchObserver }>();
  #version = 0;
  #closed = false;

  async get(key: string): Promise<Entry | undefined> {
    this.#requireOpen();
    return this.#entries.get(key);
  }

  async list(prefix: string): Promise<readonly Entry[]> {
    this.#requireOpen();
    return this.#under(prefix);
  }

  async txn({ conditions, writes }: Txn): Promise<TxnResult> {
    this.#requireOpen();
    if (!conditions.every((condition) => this.#holds(condition))) return { ok: false };
    return { ok: true, versions: writes.map(({ key, value }) => this.#write(key, value)) };
  }

  async watch(prefix: string, observer: WatchObserver, signal: AbortSignal): Promise<void> {
    this.#requireOpen();
    if (signal.aborted) return;
    const watch = { prefix, observer };
    observer.snapshot(this.#under(prefix));
    this.#watches.add(watch);
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    this.#watches.delete(watch);
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  #under(prefix: string): Entry[] {
    return [...this.#entries.values()]
      .filter(({ key }) => key.startsWith(prefix))
      .sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  #holds({ key, version }: Condition): boolean {
    return this.#entries.get(key)?.version === version;
  }

  #write(key: string, value: string | undefined): Version | undefined {
    if (value === undefined) {
      if (this.#entries.delete(key)) this.#tell({ key, value, version: undefined });
      return undefined;
    }
    const entry = { key, value, version: String(++this.#version) };
    this.#entries.set(key, entry);
    this.#tell(entry);
    return entry.version;
  }

  #tell(change: Parameters<WatchObserver["change"]>[0]): void {
    for (const { prefix, observer } of this.#watches) if (change.key.startsWith(prefix)) observer.change(change);
  }

  #requireOpen(): void {
    if (this.#closed) throw new StoreError("the store is closed");
  }
}
