/**
 * All containers of the cluster and the indexes over them: by ID, name, prefix, label, node. A cache of what the engines
 * say; nothing here waits. Every look-up that a create makes is independent of how many containers there are.
 */
import { ambiguousPrefix, conflict } from "../docker/errors.ts";
import { isHexPrefix, splitNodePrefix } from "../docker/references.ts";
import { invariant } from "../kit/invariant.ts";
import { LabelIndex } from "./label-index.ts";
import type { ClusterNode } from "./node.ts";
import { PrefixIndex } from "./prefix-index.ts";
import { type ContainerRecord, type ContainerState, namesOf, type Rename } from "./record.ts";

const SHORT_ID = 12;

export class Inventory {
  readonly labels = new LabelIndex();
  readonly #byId = new Map<string, ContainerRecord>();
  readonly #byName = new Map<string, Set<ContainerRecord>>();
  readonly #byNonce = new Map<string, ContainerRecord>();
  readonly #reshown = new Set<ContainerRecord>();
  readonly #prefixes = new PrefixIndex<ContainerRecord>();
  /** Oldest first; removed ones stay until there are many. */
  #order: ContainerRecord[] = [];
  #sorted = true;
  #dead = 0;
  #sequence = 0;

  get size(): number {
    return this.#byId.size;
  }

  nextSequence(): number {
    return ++this.#sequence;
  }

  /** Later ones come after this one, which an earlier manager gave. */
  skipSequence(sequence: number): void {
    this.#sequence = Math.max(this.#sequence, sequence);
  }

  byId(id: string): ContainerRecord | undefined {
    return this.#byId.get(id);
  }

  /** The container that one create of ours made, or is making. */
  byNonce(nonce: string): ContainerRecord | undefined {
    return this.#byNonce.get(nonce);
  }

  /** Containers of this name: more than one only where engines were used past shoal. */
  named(name: string): ReadonlySet<ContainerRecord> {
    return this.#byName.get(name) ?? NONE;
  }

  names(): IterableIterator<[string, ReadonlySet<ContainerRecord>]> {
    return this.#byName.entries();
  }

  /** A create of ours made it. */
  own(record: ContainerRecord, nonce: string): void {
    record.nonce = nonce;
    this.#byNonce.set(nonce, record);
  }

  add(record: ContainerRecord): void {
    invariant(!this.#byId.has(record.id), `container ${record.id} is in the inventory already`);
    this.#byId.set(record.id, record);
    if (record.nonce !== undefined) this.#byNonce.set(record.nonce, record);
    this.#prefixes.add(record.id, record);
    if (record.engineId !== "") record.node.containers.set(record.engineId, record);
    for (const name of namesOf(record)) this.#nameIndexAdd(record, name);
    this.labels.add(record);
    this.#count(record, 1);
    const last = this.#order.at(-1);
    if (last && isBefore(record, last)) this.#sorted = false;
    this.#order.push(record);
  }

  remove(record: ContainerRecord): void {
    if (record.removed) return;
    record.removed = true;
    this.#byId.delete(record.id);
    if (record.nonce !== undefined && this.#byNonce.get(record.nonce) === record) this.#byNonce.delete(record.nonce);
    this.#reshown.delete(record);
    this.#prefixes.delete(record.id);
    if (record.node.containers.get(record.engineId) === record) record.node.containers.delete(record.engineId);
    for (const name of namesOf(record)) this.#nameIndexDelete(record, name);
    this.labels.delete(record);
    this.#count(record, -1);
    if (++this.#dead > 1024 && this.#dead > this.#order.length / 2) this.#compact();
  }

  /** The engine gave it an ID (and perhaps another node took it). */
  bind(record: ContainerRecord, node: ClusterNode, engineId: string, engineName: string): void {
    if (record.node.containers.get(record.engineId) === record) record.node.containers.delete(record.engineId);
    if (record.node !== node) {
      this.#count(record, -1);
      this.labels.delete(record);
      record.node = node;
      this.labels.add(record);
      this.#count(record, 1);
    }
    record.engineId = engineId;
    record.engineName = engineName;
    if (engineId !== "") node.containers.set(engineId, record);
  }

  rename(record: ContainerRecord, name: string): void {
    if (record.name === name || record.removed) return;
    const before = record.name;
    record.name = name;
    this.#release(record, before);
    this.#nameIndexAdd(record, name);
    this.#reshown.add(record);
  }

  /** From now on it has the new name, and nobody else may take either of the two. */
  beginRename(record: ContainerRecord, name: string): Rename {
    const rename: Rename = { names: [record.name, name], uncertainSince: undefined };
    record.renames.add(rename);
    this.rename(record, name);
    return rename;
  }

  /** It is known what became of it: a name that the container does not have is free. */
  endRename(record: ContainerRecord, rename: Rename): void {
    record.renames.delete(rename);
    for (const name of rename.names) this.#release(record, name);
  }

  #release(record: ContainerRecord, name: string): void {
    if (record.removed || !namesOf(record).has(name)) this.#nameIndexDelete(record, name);
  }

  /** Its row was written under a name, or with a state, that may be another by now. */
  reshow(record: ContainerRecord): void {
    this.#reshown.add(record);
  }

  /** Containers whose name or state may be another than their row shows, though no engine has listed it yet. */
  takeReshown(): readonly ContainerRecord[] {
    const records = [...this.#reshown];
    this.#reshown.clear();
    return records;
  }

  setState(record: ContainerRecord, state: ContainerState): void {
    if (record.state === state || record.removed) return;
    this.#count(record, -1);
    record.state = state;
    if (state !== "exited") record.exitCode = undefined;
    this.#count(record, 1);
  }

  setLabels(record: ContainerRecord, labels: Readonly<Record<string, string>>): void {
    if (record.removed) return;
    this.labels.delete(record);
    record.labels = labels;
    this.labels.add(record);
  }

  /** `created` is part of the order: call after changing it. */
  reorder(): void {
    this.#sorted = false;
  }

  /** What clients see as its name: `node/name` when several nodes have the name. */
  shownName(record: ContainerRecord): string {
    return this.named(record.name).size > 1 ? `${record.node.name}/${record.name}` : record.name;
  }

  /**
   * The container of a reference, in dockerd's order: full ID, name, ID prefix; `node/name` wherever a name is.
   * Undefined when there is none. Throws 400 for an ambiguous prefix, 409 for a name that several nodes have.
   */
  find(ref: string): ContainerRecord | undefined {
    const plain = ref.startsWith("/") ? ref.slice(1) : ref;
    const byId = this.#byId.get(plain);
    if (byId && byId.state !== "placing") return byId;
    const named = [...this.named(plain)].filter((record) => record.state !== "placing" && !record.removed);
    if (named.length === 1) return named[0];
    if (named.length > 1) {
      const places = named.map((record) => `${record.node.name}/${plain}`).sort();
      throw conflict(`The container name "${plain}" is on several nodes: say which one, ${places.join(" or ")}`);
    }
    const { node, rest } = splitNodePrefix(plain);
    if (node !== undefined) {
      return [...this.named(rest)].find((record) => record.node.name === node && record.state !== "placing");
    }
    if (!isHexPrefix(plain)) return undefined;
    const found = this.#prefixes.find(plain, 3).filter((record) => record.state !== "placing");
    if (found.length > 1) throw ambiguousPrefix(plain);
    return found[0];
  }

  /** Newest first, as `docker ps` lists. */
  *newestFirst(): IterableIterator<ContainerRecord> {
    if (!this.#sorted) this.#compact();
    for (let i = this.#order.length - 1; i >= 0; i--) {
      const record = this.#order[i];
      if (record && !record.removed && record.state !== "placing") yield record;
    }
  }

  /** Every ID that names it: for affinities. */
  static idsOf(record: ContainerRecord): readonly string[] {
    return [record.id, record.id.slice(0, SHORT_ID)];
  }

  #compact(): void {
    this.#order = this.#order.filter((record) => !record.removed).sort((a, b) => (isBefore(a, b) ? -1 : 1));
    this.#sorted = true;
    this.#dead = 0;
  }

  #nameIndexAdd(record: ContainerRecord, name: string): void {
    let set = this.#byName.get(name);
    if (!set) {
      set = new Set();
      this.#byName.set(name, set);
    }
    set.add(record);
    if (set.size > 1) for (const same of set) this.#reshown.add(same);
  }

  #nameIndexDelete(record: ContainerRecord, name: string): void {
    const set = this.#byName.get(name);
    set?.delete(record);
    if (set?.size === 0) this.#byName.delete(name);
    if (set?.size === 1) for (const left of set) this.#reshown.add(left);
  }

  #count(record: ContainerRecord, by: 1 | -1): void {
    const { count } = record.node;
    count.all += by;
    switch (record.state) {
      case "running":
      case "restarting":
        count.running += by;
        count.busy += by;
        break;
      case "placing":
      case "created":
        count.busy += by;
        break;
      case "paused":
        count.paused += by;
        break;
    }
  }
}

const NONE: ReadonlySet<ContainerRecord> = new Set();

function isBefore(a: ContainerRecord, b: ContainerRecord): boolean {
  return a.created !== b.created ? a.created < b.created : a.sequence < b.sequence;
}
