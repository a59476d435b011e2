/**
 * Discovery by records in a store: etcd, Consul, ZooKeeper, and a directory for one machine. Classic Swarm's path, one
 * key for each node. Owns reading and writing them; must not know the drivers of stores.
 */
import type { Clock } from "../kit/clock.ts";
import { withDeadline } from "../kit/deadline.ts";
import { STORE_LOAD_MS, STORE_WRITE_MS } from "../kit/store-limits.ts";
import type { Store } from "../store/store.ts";
import { type Discovery, type Entry, type Registration, type Registry, sameEntries } from "./discovery.ts";
import type { FenceBoard } from "./fences.ts";
import { LiveRecords } from "./live-records.ts";
import { entryOf, readRecord, writeRecord } from "./record.ts";
import { StoredFences } from "./stored-fences.ts";

/** Below the URL's own path. */
export const CLASSIC_PATH = "docker/swarm/nodes";

/** Not below the nodes' own path: classic Swarm reads every key there as a node. */
function fencesBeside(path: string): string {
  const at = path.lastIndexOf("/") + 1;
  return `${path.slice(0, at)}fences/${path.slice(at)}/`;
}

export interface StoredOptions {
  readonly url: string;
  readonly store: Store;
  readonly clock: Clock;
  /** Where the records are in the store, without a slash at either end. */
  readonly path: string;
}

export class StoredDiscovery implements Discovery {
  readonly url: string;
  readonly registry: Registry;
  readonly fences: FenceBoard;
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #path: string;

  constructor({ url, store, clock, path }: StoredOptions) {
    this.url = url;
    this.#store = store;
    this.#clock = clock;
    this.#path = path;
    this.fences = new StoredFences(store, clock, fencesBeside(path));
    this.registry = {
      register: (registration: Registration, signal) =>
        this.#write(registration.address, writeRecord(registration), signal),
      withdraw: (address, signal) => this.#write(address, undefined, signal),
    };
  }

  /** Every record that can be read; whether its node still beats, one reading cannot tell. */
  async list(signal?: AbortSignal): Promise<readonly Entry[]> {
    const load = (until: AbortSignal) => this.#store.list(`${this.#path}/`, { signal: until });
    const entries = await withDeadline(this.#clock, STORE_LOAD_MS, this.url, load, signal);
    return entries.flatMap(({ value }) => {
      try {
        return [entryOf(readRecord(value))];
      } catch {
        return [];
      }
    });
  }

  async watch(
    onEntries: (entries: readonly Entry[]) => void,
    onError: (error: Error) => void,
    signal: AbortSignal,
  ): Promise<void> {
    if (signal.aborted) return;
    let told: readonly Entry[] | undefined;
    let ready = false;
    const tell = (): void => {
      const entries = records.entries(this.#path);
      if (!ready || sameEntries(told, entries)) return;
      told = entries;
      onEntries(entries);
    };
    const records = new LiveRecords({
      store: this.#store,
      clock: this.#clock,
      prefix: `${this.#path}/`,
      keepSilentMs: 0,
      onChange: tell,
      onTrouble: (error) => {
        // The next list is told again, as it is news that there is one.
        told = undefined;
        onError(error);
      },
      onSnapshot: () => {
        ready = true;
        tell();
      },
    });
    await records.run(signal);
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  async #write(address: string, value: string | undefined, signal?: AbortSignal): Promise<void> {
    const txn = { conditions: [], writes: [{ key: `${this.#path}/${address}`, value }] };
    await withDeadline(
      this.#clock,
      STORE_WRITE_MS,
      this.url,
      (until) => this.#store.txn(txn, { signal: until }),
      signal,
    );
  }
}
