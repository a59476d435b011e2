/** Fences in a store: a key for each node. A hub keeps its clusters' in the same way. */
import type { Clock } from "../kit/clock.ts";
import { withDeadline } from "../kit/deadline.ts";
import { STORE_LOAD_MS, STORE_WRITE_MS } from "../kit/store-limits.ts";
import type { Entry, Store } from "../store/store.ts";
import { type FenceBoard, type FenceEntry, type FenceRecord, readFence, writeFence } from "./fences.ts";

export class StoredFences implements FenceBoard {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #prefix: string;

  /** @param prefix ends with a slash */
  constructor(store: Store, clock: Clock, prefix: string) {
    this.#store = store;
    this.#clock = clock;
    this.#prefix = prefix;
  }

  async list(signal?: AbortSignal): Promise<readonly FenceEntry[]> {
    const load = (until: AbortSignal) => this.#store.list(this.#prefix, { signal: until });
    const entries = await withDeadline(this.#clock, STORE_LOAD_MS, "fences", load, signal);
    return entries.flatMap((entry) => {
      const read = this.#read(entry);
      return read ? [read] : [];
    });
  }

  async get(node: string, signal?: AbortSignal): Promise<FenceEntry | undefined> {
    const ask = (until: AbortSignal) => this.#store.get(this.#prefix + node, { signal: until });
    const entry = await withDeadline(this.#clock, STORE_WRITE_MS, "fence", ask, signal);
    return entry && this.#read(entry);
  }

  async write(
    node: string,
    record: FenceRecord,
    version: string | undefined,
    signal?: AbortSignal,
  ): Promise<string | undefined> {
    const key = this.#prefix + node;
    const txn = { conditions: [{ key, version }], writes: [{ key, value: writeFence(record) }] };
    const ask = (until: AbortSignal) => this.#store.txn(txn, { signal: until });
    const result = await withDeadline(this.#clock, STORE_WRITE_MS, "fence", ask, signal);
    return result.ok ? result.versions[0] : undefined;
  }

  /** All of them are to be gone, as their cluster is. */
  async clear(): Promise<void> {
    for (const { key } of await this.#store.list(this.#prefix)) {
      await this.#store.txn({ conditions: [], writes: [{ key, value: undefined }] });
    }
  }

  #read({ key, value, version }: Entry): FenceEntry | undefined {
    try {
      return { node: key.slice(this.#prefix.length), version, record: readFence(value) };
    } catch {
      return undefined;
    }
  }
}
