/**
 * What a store of one process holds, in memory: entries by key, the count that versions are made of, and who watches.
 * Drivers that keep everything in memory stand on it. Must not know how, or whether, it is kept.
 */
import type { Condition, Entry, Txn, TxnResult, WatchObserver } from "./store.ts";

/** An entry that was set, or the key of one that was deleted. */
export type Change = Parameters<WatchObserver["change"]>[0];

interface Watcher {
  readonly prefix: string;
  readonly observer: WatchObserver;
}

export class Contents {
  readonly #entries = new Map<string, Entry>();
  readonly #watchers = new Set<Watcher>();
  #revision = 0;

  /** Counts transactions; never goes back, so that versions made of it never repeat. */
  get revision(): number {
    return this.#revision;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): Entry | undefined {
    return this.#entries.get(key);
  }

  /** In no order. */
  entries(): Iterable<Entry> {
    return this.#entries.values();
  }

  /** Sorted by key. */
  list(prefix: string): readonly Entry[] {
    const found = [...this.#entries.values()].filter(({ key }) => key.startsWith(prefix));
    return found.sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  /** Makes the changes visible, and tells the watchers. */
  apply(changes: Iterable<Change>, revision: number): void {
    this.#revision = revision;
    for (const change of changes) {
      this.#put(change);
      for (const watcher of this.#watchers) {
        if (change.key.startsWith(watcher.prefix)) this.#tell(watcher, ({ observer }) => observer.change(change));
      }
    }
  }

  /** Puts other contents in the place of these; watchers get a snapshot. */
  replace(entries: Iterable<Entry>, revision: number): void {
    this.#revision = revision;
    this.#entries.clear();
    for (const entry of entries) this.#entries.set(entry.key, entry);
    for (const watcher of this.#watchers) {
      const list = this.list(watcher.prefix);
      this.#tell(watcher, ({ observer }) => observer.snapshot(list));
    }
  }

  /** As `Store.watch`; ends with either signal. */
  watch(prefix: string, observer: WatchObserver, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    const watcher = { prefix, observer };
    this.#watchers.add(watcher);
    const list = this.list(prefix);
    this.#tell(watcher, () => observer.snapshot(list));
    return new Promise((resolve) => {
      const end = () => {
        this.#watchers.delete(watcher);
        resolve();
      };
      signal.addEventListener("abort", end, { once: true });
    });
  }

  /** In order, and never in the middle of a change: an observer may write. */
  #tell(watcher: Watcher, what: (watcher: Watcher) => void): void {
    queueMicrotask(() => {
      if (this.#watchers.has(watcher)) what(watcher);
    });
  }

  #put(change: Change): void {
    if (change.value === undefined) this.#entries.delete(change.key);
    else this.#entries.set(change.key, change);
  }
}

/** Transactions decided one after the other on top of contents, and not yet part of them. */
export class Staged {
  readonly #base: Contents;
  readonly #changes = new Map<string, Change>();
  #revision: number;

  constructor(base: Contents) {
    this.#base = base;
    this.#revision = base.revision;
  }

  /** Of the last transaction. */
  get revision(): number {
    return this.#revision;
  }

  /** The last one of each key. */
  get changes(): Iterable<Change> {
    return this.#changes.values();
  }

  get isEmpty(): boolean {
    return this.#changes.size === 0;
  }

  add({ conditions, writes }: Txn): TxnResult {
    if (!conditions.every((condition) => this.#holds(condition))) return { ok: false };
    if (writes.length === 0) return { ok: true, versions: [] };
    const version = String(++this.#revision);
    for (const { key, value } of writes) {
      if (value === undefined) this.#changes.set(key, { key, version: undefined, value: undefined });
      else this.#changes.set(key, { key, value, version });
    }
    return { ok: true, versions: writes.map(({ value }) => (value === undefined ? undefined : version)) };
  }

  #holds({ key, version }: Condition): boolean {
    const staged = this.#changes.get(key);
    return (staged ?? this.#base.get(key))?.version === version;
  }
}
