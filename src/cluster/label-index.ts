/** Which containers, and so which nodes, have a label value. Adding and removing cost the container's labels, nothing more. */
import type { ClusterNode } from "./node.ts";
import type { ContainerRecord } from "./record.ts";

interface Holders {
  readonly records: Set<ContainerRecord>;
  /** Node ID → how many of the records it has. */
  readonly nodes: Map<string, number>;
}

export class LabelIndex {
  readonly #keys = new Map<string, Map<string, Holders>>();

  add(record: ContainerRecord): void {
    for (const [key, value] of Object.entries(record.labels)) {
      let values = this.#keys.get(key);
      if (!values) {
        values = new Map();
        this.#keys.set(key, values);
      }
      let holders = values.get(value);
      if (!holders) {
        holders = { records: new Set(), nodes: new Map() };
        values.set(value, holders);
      }
      holders.records.add(record);
      holders.nodes.set(record.node.id, (holders.nodes.get(record.node.id) ?? 0) + 1);
    }
  }

  delete(record: ContainerRecord): void {
    for (const [key, value] of Object.entries(record.labels)) {
      const values = this.#keys.get(key);
      const holders = values?.get(value);
      if (!values || !holders?.records.delete(record)) continue;
      this.#leave(holders, record.node);
      if (holders.records.size === 0) values.delete(value);
      if (values.size === 0) this.#keys.delete(key);
    }
  }

  /** The distinct values of a key, each with the nodes that have it. */
  *values(key: string): IterableIterator<[string, ReadonlyMap<string, number>]> {
    for (const [value, holders] of this.#keys.get(key) ?? []) yield [value, holders.nodes];
  }

  nodesWith(key: string, value: string): ReadonlyMap<string, number> {
    return this.#keys.get(key)?.get(value)?.nodes ?? EMPTY;
  }

  recordsWith(key: string, value: string): ReadonlySet<ContainerRecord> {
    return this.#keys.get(key)?.get(value)?.records ?? NONE;
  }

  #leave(holders: Holders, node: ClusterNode): void {
    const left = (holders.nodes.get(node.id) ?? 1) - 1;
    if (left > 0) holders.nodes.set(node.id, left);
    else holders.nodes.delete(node.id);
  }
}

const EMPTY: ReadonlyMap<string, number> = new Map();
const NONE: ReadonlySet<ContainerRecord> = new Set();
