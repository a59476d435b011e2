/**
 * What a store holds under a prefix, in memory: JSON values by the rest of their keys. Several hubs on one store see each
 * other's changes. Owns following and writing; must not know what the values mean.
 */
import type { Clock } from "../kit/clock.ts";
import { withDeadline } from "../kit/deadline.ts";
import { STORE_WRITE_MS } from "../kit/store-limits.ts";
import type { Store, TxnResult, Write } from "../store/store.ts";

export interface MirrorOptions<T> {
  readonly store: Store;
  readonly clock: Clock;
  /** Ends with a slash. */
  readonly prefix: string;
  readonly onChange?: (before: T | undefined, now: T | undefined) => void;
  readonly onSnapshot: () => void;
  readonly onTrouble: (error: Error) => void;
}

export class Mirror<T> {
  readonly #options: MirrorOptions<T>;
  readonly #values = new Map<string, T>();

  constructor(options: MirrorOptions<T>) {
    this.#options = options;
  }

  get size(): number {
    return this.#values.size;
  }

  get(name: string): T | undefined {
    return this.#values.get(name);
  }

  values(): IterableIterator<T> {
    return this.#values.values();
  }

  /** Until the signal aborts. */
  run(signal: AbortSignal): Promise<void> {
    const { store, prefix, onSnapshot, onTrouble } = this.#options;
    return store.watch(
      prefix,
      {
        snapshot: (entries) => {
          const there = new Set(entries.map(({ key }) => key.slice(prefix.length)));
          for (const name of [...this.#values.keys()]) if (!there.has(name)) this.#set(name, undefined);
          for (const { key, value } of entries) this.#take(key, value);
          onSnapshot();
        },
        change: ({ key, value }) => this.#take(key, value),
        trouble: onTrouble,
      },
      signal,
    );
  }

  /** False: there is one already. Rejects with StoreError. */
  async add(name: string, value: T): Promise<boolean> {
    const key = this.#options.prefix + name;
    const { ok } = await this.#txn([{ key, value: JSON.stringify(value) }], key);
    if (ok) this.#set(name, value);
    return ok;
  }

  /** Rejects with StoreError. */
  async put(name: string, value: T | undefined): Promise<void> {
    const text = value === undefined ? undefined : JSON.stringify(value);
    await this.#txn([{ key: this.#options.prefix + name, value: text }]);
    this.#set(name, value);
  }

  #txn(writes: readonly Write[], absent?: string): Promise<TxnResult> {
    const { store, clock } = this.#options;
    const conditions = absent === undefined ? [] : [{ key: absent, version: undefined }];
    return withDeadline(clock, STORE_WRITE_MS, "store", (signal) => store.txn({ conditions, writes }, { signal }));
  }

  #take(key: string, text: string | undefined): void {
    try {
      this.#set(key.slice(this.#options.prefix.length), text === undefined ? undefined : (JSON.parse(text) as T));
    } catch {
      this.#options.onTrouble(new Error(`the record ${key} is passed over: it is no JSON`));
    }
  }

  #set(name: string, value: T | undefined): void {
    const before = this.#values.get(name);
    if (value === undefined) this.#values.delete(name);
    else this.#values.set(name, value);
    this.#options.onChange?.(before, value);
  }
}
