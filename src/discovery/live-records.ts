/**
 * The records under a prefix of a store, each with whether its node is alive; in groups by what stands before the last
 * slash of their keys. Owns following the store and making sure before a node counts as silent; must not know what
 * becomes of the list.
 */
import type { Clock } from "../kit/clock.ts";
import { withDeadline } from "../kit/deadline.ts";
import { DISCOVERY_LOOK_MS } from "../kit/limits.ts";
import { STORE_WRITE_MS } from "../kit/store-limits.ts";
import type { Store, Entry as StoreEntry } from "../store/store.ts";
import { entryOf, type NodeRecord, readRecord, writeRecord } from "./record.ts";
import { type Seen, Sightings } from "./sightings.ts";

/** Share of a record's time to live after which a heartbeat is written: whoever reads the store sees one in time. */
const WRITTEN_WITHIN = 1 / 3;

export interface LiveRecordsOptions {
  readonly store: Store;
  readonly clock: Clock;
  /** Ends with a slash. */
  readonly prefix: string;
  /** A record that fell silent is deleted this much later; 0: at once. */
  readonly keepSilentMs: number;
  /** The store was read whole: at first, and after each interruption. */
  readonly onSnapshot?: () => void;
  /** The list of a group is another than before. */
  readonly onChange?: (group: string) => void;
  /** The store cannot be read; what is known stays. */
  readonly onTrouble?: (error: Error) => void;
}

export class LiveRecords {
  readonly #options: LiveRecordsOptions;
  readonly #sightings: Sightings<NodeRecord>;
  readonly #groups = new Map<string, Set<string>>();
  readonly #writing = new Set<string>();
  #making = false;
  #readable = true;

  constructor(options: LiveRecordsOptions) {
    this.#options = options;
    this.#sightings = new Sightings(options.clock, DISCOVERY_LOOK_MS);
  }

  /** Follows the store until the signal aborts. Rejects when it can never be watched. */
  async run(signal: AbortSignal): Promise<void> {
    const { store, prefix, clock, onTrouble } = this.#options;
    const ended = new AbortController();
    const looking = this.#keepLooking(AbortSignal.any([signal, ended.signal]), clock);
    try {
      await store.watch(
        prefix,
        {
          snapshot: (entries) => this.#snapshot(entries),
          change: (change) => {
            this.#tell([change.value === undefined ? this.#forget(change.key) : this.#see(change)]);
          },
          trouble: (error) => {
            this.#readable = false;
            onTrouble?.(error);
          },
        },
        signal,
      );
    } finally {
      ended.abort();
      await looking;
    }
  }

  /** Of one group, by address. */
  of(group: string): readonly (Seen<NodeRecord> & { readonly address: string })[] {
    const rows = [];
    for (const key of this.#groups.get(group) ?? []) {
      const seen = this.#sightings.get(key);
      if (seen) rows.push({ ...seen, address: seen.value.address });
    }
    return rows.sort((a, b) => (a.address < b.address ? -1 : 1));
  }

  has(key: string): boolean {
    return this.#sightings.has(key);
  }

  /** Records of a group, silent ones included. */
  count(group: string): number {
    return this.#groups.get(group)?.size ?? 0;
  }

  /** What is alive in a group, as managers want it. */
  entries(group: string): readonly ReturnType<typeof entryOf>[] {
    return this.of(group)
      .filter(({ silentMs }) => silentMs === undefined)
      .map(({ value }) => entryOf(value));
  }

  /**
   * A heartbeat that was told here, not read: a record that says nothing new is seen at once, and written when others on the
   * same store must see it. So a beat costs mostly no write, and waits for none; a store that is down takes no node out.
   * @returns false when the record is to be written: it is new, or says something else
   */
  beat(key: string, record: NodeRecord): boolean {
    const known = this.#sightings.get(key);
    if (!known || differs(known.value, record)) return false;
    const ageMs = this.#sightings.touch(key);
    if (ageMs === undefined) return false;
    if (record.ttlMs !== undefined && ageMs > record.ttlMs * WRITTEN_WITHIN && !this.#writing.has(key)) {
      this.#writing.add(key);
      void this.write(key, writeRecord(record))
        .catch((error: Error) => this.#options.onTrouble?.(error))
        .finally(() => this.#writing.delete(key));
    }
    return true;
  }

  /** Writes a record, or takes it away; it is to be seen here when that is durable. Rejects with StoreError. */
  async write(key: string, text: string | undefined, signal?: AbortSignal): Promise<void> {
    const { store, clock } = this.#options;
    const txn = { conditions: [], writes: [{ key, value: text }] };
    const result = await withDeadline(
      clock,
      STORE_WRITE_MS,
      "store",
      (until) => store.txn(txn, { signal: until }),
      signal,
    );
    const version = result.ok ? result.versions[0] : undefined;
    if (text === undefined) this.#tell([this.#forget(key)]);
    else if (version !== undefined) this.#tell([this.#see({ key, value: text, version })]);
  }

  #snapshot(entries: readonly StoreEntry[]): void {
    const there = new Set(entries.map(({ key }) => key));
    const gone = [...this.#sightings.keys()].filter((key) => !there.has(key));
    const changed = [...gone.map((key) => this.#forget(key)), ...entries.map((entry) => this.#see(entry))];
    this.#readable = true;
    this.#sightings.readAgain();
    this.#options.onSnapshot?.();
    this.#tell(changed);
  }

  /** Each group once. */
  #tell(changed: readonly (string | undefined)[]): void {
    for (const group of new Set(changed)) if (group !== undefined) this.#options.onChange?.(group);
  }

  /** @returns the group whose list changed by it */
  #see({ key, version, value }: StoreEntry): string | undefined {
    let record: NodeRecord;
    try {
      record = readRecord(value);
    } catch (error) {
      this.#options.onTrouble?.(new Error(`the record ${key} is passed over: ${String(error)}`));
      return this.#forget(key);
    }
    const group = groupOf(key);
    let members = this.#groups.get(group);
    if (!members) {
      members = new Set();
      this.#groups.set(group, members);
    }
    members.add(key);
    const ttlMs = record.ttlMs ?? Number.POSITIVE_INFINITY;
    return this.#sightings.see(key, version, record, ttlMs, differs) ? group : undefined;
  }

  /** @returns the group whose list changed by it */
  #forget(key: string): string | undefined {
    if (!this.#sightings.forget(key)) return undefined;
    const group = groupOf(key);
    const members = this.#groups.get(group);
    members?.delete(key);
    if (members?.size === 0) this.#groups.delete(group);
    return group;
  }

  async #keepLooking(signal: AbortSignal, clock: Clock): Promise<void> {
    while (!signal.aborted) {
      await clock.sleep(DISCOVERY_LOOK_MS, signal).catch(() => undefined);
      if (signal.aborted) return;
      if (!this.#readable) continue;
      const due = this.#sightings.look();
      // Making sure may take longer than a look.
      if (due.length > 0 && !this.#making) {
        this.#making = true;
        void this.#makeSure(due, signal).finally(() => {
          this.#making = false;
        });
      }
      this.#dropOld();
    }
  }

  /** A record is silent when the store, asked now, still has the version that was seen a whole time ago. */
  async #makeSure(keys: readonly string[], signal: AbortSignal): Promise<void> {
    const { store, clock, prefix, onTrouble, keepSilentMs } = this.#options;
    let now: Map<string, StoreEntry>;
    try {
      const entries = await withDeadline(
        clock,
        STORE_WRITE_MS,
        "store",
        (until) => store.list(prefix, { signal: until }),
        signal,
      );
      now = new Map(entries.map((entry) => [entry.key, entry]));
    } catch (error) {
      if (!signal.aborted) onTrouble?.(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    this.#tell(
      keys.map((key) => {
        const entry = now.get(key);
        if (!entry) return this.#forget(key);
        if (entry.version !== this.#sightings.version(key)) return this.#see(entry);
        if (!this.#sightings.silence(key, entry.version)) return undefined;
        if (keepSilentMs === 0) this.#delete(key, entry.version);
        return groupOf(key);
      }),
    );
  }

  #dropOld(): void {
    const { keepSilentMs } = this.#options;
    for (const key of this.#sightings.keys()) {
      const silentMs = this.#sightings.get(key)?.silentMs;
      const version = this.#sightings.version(key);
      if (silentMs !== undefined && silentMs > keepSilentMs && version !== undefined) this.#delete(key, version);
    }
  }

  /** Only what nobody renewed meanwhile. When the store does not take it, the next look tries again. */
  #delete(key: string, version: string): void {
    const { store } = this.#options;
    store
      .txn({ conditions: [{ key, version }], writes: [{ key, value: undefined }] })
      .then(({ ok }) => {
        if (ok && this.#sightings.version(key) === version) this.#tell([this.#forget(key)]);
      })
      .catch(() => undefined);
  }
}

const groupOf = (key: string): string => key.slice(0, key.lastIndexOf("/"));

/** A heartbeat alone is no news. */
function differs(a: NodeRecord, b: NodeRecord): boolean {
  return JSON.stringify({ ...a, beat: 0 }) !== JSON.stringify({ ...b, beat: 0 });
}
