/**
 * Objects of one kind that live on nodes, networks or volumes, as their engines list them: by node, by cluster-wide key, by
 * name. A cache; nothing here waits, and an older list never undoes a newer fact. Must not know what the objects are for.
 */
import type { ObjectHint } from "./hint.ts";
import { PrefixIndex } from "./prefix-index.ts";

/** One object on one node. */
export interface NodeObject {
  /** What its engine knows it by: a network's ID, a volume's name. */
  readonly engineKey: string;
  /** Its key in the cluster: where several nodes have the same key, they have the same object (such as `bridge`). */
  readonly key: string;
  readonly name: string;
  readonly driver: string;
  /** Without the hint. */
  readonly labels: Readonly<Record<string, string>>;
  /** Left by our own create; undefined for a foreign one, and until a list has told. */
  readonly hint: ObjectHint | undefined;
  /** The engine's row as it came; undefined while only an event or an answer tells of it. */
  readonly row: string | undefined;
  /** The row without the hint. */
  readonly text: string | undefined;
}

/** One object of the cluster, with the nodes that have it. */
export interface ClusterObject<T extends NodeObject> {
  readonly key: string;
  readonly name: string;
  /** Node ID → its object there; never empty. */
  readonly on: ReadonlyMap<string, T>;
}

interface Entry<T extends NodeObject> extends ClusterObject<T> {
  readonly on: Map<string, T>;
}

interface Known<T> {
  readonly object: T;
  /** Monotonic milliseconds when it was learned: lists begun before cannot tell that it is gone. */
  readonly at: number;
  /** How many objects were heard of when it was learned first. */
  readonly serial: number;
}

/** Told of each object that comes (no `before`), is known better, or goes (no `after`). */
export type ObjectObserver = (nodeId: string, before: NodeObject | undefined, after: NodeObject | undefined) => void;

export class ObjectIndex<T extends NodeObject> {
  readonly #observers: readonly ObjectObserver[];
  readonly #byNode = new Map<string, Map<string, Known<T>>>();
  /** Node ID → engine key → when it went: a list begun before must not bring it back. */
  readonly #gone = new Map<string, Map<string, number>>();
  readonly #byKey = new Map<string, Entry<T>>();
  readonly #byName = new Map<string, Set<Entry<T>>>();
  readonly #prefixes = new PrefixIndex<Entry<T>>();
  /** Names that creates under way will take, and the key that each will have where that is decided. */
  readonly #held = new Map<string, string | undefined>();
  #heard = 0;

  /** How many objects it has heard of so far: a moment that `isNewSince` compares with. */
  get heard(): number {
    return this.#heard;
  }

  /** Whether the object was unknown when so many had been heard of. */
  isNewSince(heard: number, nodeId: string, engineKey: string): boolean {
    return (this.#byNode.get(nodeId)?.get(engineKey)?.serial ?? Infinity) > heard;
  }

  constructor(...observers: readonly ObjectObserver[]) {
    this.#observers = observers;
  }

  /** An engine's list. @param startedAt monotonic milliseconds when it was begun */
  set(nodeId: string, listed: readonly T[], startedAt: number): void {
    const gone = this.#gone.get(nodeId);
    const left = new Map(this.#byNode.get(nodeId));
    for (const object of listed) {
      const known = left.get(object.engineKey);
      left.delete(object.engineKey);
      // Of one that was made again under its name meanwhile the list may show the one before.
      if ((gone?.get(object.engineKey) ?? -Infinity) >= startedAt || (known && known.at >= startedAt)) continue;
      this.#put(nodeId, object, startedAt);
    }
    for (const [engineKey, { at }] of left) if (at < startedAt) this.#take(nodeId, engineKey);
    for (const [engineKey, at] of gone ?? []) if (at < startedAt) gone?.delete(engineKey);
  }

  /** Told by an event or an answer. @param at monotonic milliseconds */
  add(nodeId: string, object: T, at: number): void {
    this.#gone.get(nodeId)?.delete(object.engineKey);
    this.#put(nodeId, object, at);
  }

  /** @param at monotonic milliseconds */
  remove(nodeId: string, engineKey: string, at: number): void {
    let gone = this.#gone.get(nodeId);
    if (!gone) {
      gone = new Map();
      this.#gone.set(nodeId, gone);
    }
    gone.set(engineKey, at);
    this.#take(nodeId, engineKey);
  }

  /** The node left. */
  dropNode(nodeId: string): void {
    for (const engineKey of [...(this.#byNode.get(nodeId)?.keys() ?? [])]) this.#take(nodeId, engineKey);
    this.#gone.delete(nodeId);
  }

  get(nodeId: string, engineKey: string): T | undefined {
    return this.#byNode.get(nodeId)?.get(engineKey)?.object;
  }

  /** How many a node has. */
  countOn(nodeId: string): number {
    return this.#byNode.get(nodeId)?.size ?? 0;
  }

  *on(nodeId: string): IterableIterator<T> {
    for (const { object } of this.#byNode.get(nodeId)?.values() ?? []) yield object;
  }

  all(): IterableIterator<ClusterObject<T>> {
    return this.#byKey.values();
  }

  byKey(key: string): ClusterObject<T> | undefined {
    return this.#byKey.get(key);
  }

  named(name: string): ReadonlySet<ClusterObject<T>> {
    return this.#byName.get(name) ?? NONE;
  }

  /** Up to `most` whose key begins so. */
  withPrefix(prefix: string, most: number): ClusterObject<T>[] {
    return this.#prefixes.find(prefix, most);
  }

  /** A create under way will make it; released when its object is here or will never be. */
  hold(name: string, key?: string): void {
    this.#held.set(name, key);
  }

  heldKey(name: string): string | undefined {
    return this.#held.get(name);
  }

  release(name: string): void {
    this.#held.delete(name);
  }

  isTaken(name: string): boolean {
    return this.#held.has(name) || this.#byName.has(name);
  }

  #put(nodeId: string, object: T, at: number): void {
    const known = this.#byNode.get(nodeId)?.get(object.engineKey);
    const before = known?.object;
    const isSame = before?.key === object.key && before.name === object.name;
    if (before && !isSame) this.#take(nodeId, object.engineKey);
    let objects = this.#byNode.get(nodeId);
    if (!objects) {
      objects = new Map();
      this.#byNode.set(nodeId, objects);
    }
    objects.set(object.engineKey, { object, at, serial: known?.serial ?? ++this.#heard });
    let entry = this.#byKey.get(object.key);
    if (!entry) {
      entry = { key: object.key, name: object.name, on: new Map() };
      this.#byKey.set(object.key, entry);
      this.#prefixes.add(object.key, entry);
      const named = this.#byName.get(object.name) ?? new Set();
      this.#byName.set(object.name, named.add(entry));
    }
    entry.on.set(nodeId, object);
    this.#tell(nodeId, isSame ? before : undefined, object);
  }

  #take(nodeId: string, engineKey: string): void {
    const objects = this.#byNode.get(nodeId);
    const object = objects?.get(engineKey)?.object;
    if (!objects || !object) return;
    objects.delete(engineKey);
    if (objects.size === 0) this.#byNode.delete(nodeId);
    const entry = this.#byKey.get(object.key);
    entry?.on.delete(nodeId);
    if (entry?.on.size === 0) this.#drop(entry);
    this.#tell(nodeId, object, undefined);
  }

  #tell(nodeId: string, before: T | undefined, after: T | undefined): void {
    for (const observe of this.#observers) observe(nodeId, before, after);
  }

  /** No node has it any more. */
  #drop(entry: Entry<T>): void {
    this.#byKey.delete(entry.key);
    this.#prefixes.delete(entry.key);
    const named = this.#byName.get(entry.name);
    named?.delete(entry);
    if (named?.size === 0) this.#byName.delete(entry.name);
  }
}

const NONE: ReadonlySet<never> = new Set();
