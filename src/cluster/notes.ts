/**
 * Notes on objects of a node that carry none themselves: kept in memory, and in the store for the next manager. A note
 * that a crash loses makes its object foreign, which is the safe side. Must not know what is noted.
 */
import type { Clock } from "../kit/clock.ts";
import type { Write } from "../store/store.ts";
import type { StoreWriter } from "./store-writer.ts";

interface Note<T> {
  readonly value: T;
  /** Monotonic milliseconds when it was made: lists begun before cannot know the object. */
  readonly at: number;
}

export class Notes<T extends object> {
  readonly #prefix: string;
  readonly #clock: Clock;
  readonly #writer: StoreWriter;
  /** Node ID → name of the object → note. */
  readonly #notes = new Map<string, Map<string, Note<T>>>();

  /** @param prefix of the store's keys, such as `images/`; the node's ID and the object's name follow */
  constructor(prefix: string, { clock, writer }: { readonly clock: Clock; readonly writer: StoreWriter }) {
    this.#prefix = prefix;
    this.#clock = clock;
    this.#writer = writer;
  }

  get(node: string, name: string): T | undefined {
    return this.#notes.get(node)?.get(name)?.value;
  }

  /** Names of a node's noted objects. */
  on(node: string): readonly string[] {
    return [...(this.#notes.get(node)?.keys() ?? [])];
  }

  set(node: string, name: string, value: T): void {
    this.#writer.later([this.keep(node, name, value)]);
  }

  /** The same, for who writes it to the store with something else and waits for that. */
  keep(node: string, name: string, value: T): Write {
    this.#keep(node, name, { value, at: this.#clock.monotonic() });
    return { key: this.#key(node, name), value: JSON.stringify(value) };
  }

  /** Into a store that lost them. */
  writeAgain(): void {
    for (const [node, notes] of this.#notes) {
      for (const [name, { value }] of notes) {
        this.#writer.later([{ key: this.#key(node, name), value: JSON.stringify(value) }]);
      }
    }
  }

  delete(node: string, name: string): void {
    const notes = this.#notes.get(node);
    if (!notes?.delete(name)) return;
    if (notes.size === 0) this.#notes.delete(node);
    this.#writer.later([{ key: this.#key(node, name), value: undefined }]);
  }

  /**
   * Holds the notes of a node against what its engine lists.
   *
   * @param startedAt monotonic milliseconds when the list was begun: newer notes stay as they are
   * @param still what is left of a note; undefined when its object is gone
   */
  reconcile(node: string, startedAt: number, still: (name: string, value: T) => T | undefined): void {
    for (const [name, { value, at }] of [...(this.#notes.get(node) ?? [])]) {
      if (at >= startedAt) continue;
      const left = still(name, value);
      if (left === undefined) this.delete(node, name);
      else if (left !== value) this.set(node, name, left);
    }
  }

  /** Takes in an entry of the store: an older manager's note. @returns false when it is none of these */
  restore(key: string, value: string): boolean {
    if (!key.startsWith(this.#prefix)) return false;
    const [node = "", name = ""] = key.slice(this.#prefix.length).split(/\/(.*)/s);
    this.#keep(node, name, { value: JSON.parse(value) as T, at: Number.NEGATIVE_INFINITY });
    return true;
  }

  #keep(node: string, name: string, note: Note<T>): void {
    const notes = this.#notes.get(node) ?? new Map<string, Note<T>>();
    notes.set(name, note);
    this.#notes.set(node, notes);
  }

  #key(node: string, name: string): string {
    return `${this.#prefix}${node}/${name}`;
  }
}
