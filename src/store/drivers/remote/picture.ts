/**
 * What a watcher was told so far, as versions: from whole lists and single changes to one snapshot and then only what is
 * new. Must not know where the news come from.
 */
import type { Change } from "../../contents.ts";
import type { Entry, Version, WatchObserver } from "../../store.ts";
import type { Told } from "./remote.ts";

export class Picture implements Told {
  readonly #observer: WatchObserver;
  #versions: Map<string, Version> | undefined;

  constructor(observer: WatchObserver) {
    this.#observer = observer;
  }

  /** Whether the snapshot was told. */
  get isBegun(): boolean {
    return this.#versions !== undefined;
  }

  all(entries: readonly Entry[]): void {
    const before = this.#versions;
    if (before === undefined) {
      this.#versions = new Map(entries.map(({ key, version }) => [key, version]));
      this.#observer.snapshot(sorted(entries));
      return;
    }
    const gone = new Set(before.keys());
    for (const { key } of entries) gone.delete(key);
    for (const key of gone) this.change({ key, version: undefined, value: undefined });
    for (const entry of sorted(entries)) this.change(entry);
  }

  change(change: Change): void {
    const { key, version } = change;
    if (this.#versions?.get(key) === version) return;
    if (version === undefined) this.#versions?.delete(key);
    else this.#versions?.set(key, version);
    this.#observer.change(change);
  }
}

export function sorted(entries: readonly Entry[]): readonly Entry[] {
  return [...entries].sort((a, b) => (a.key < b.key ? -1 : 1));
}
