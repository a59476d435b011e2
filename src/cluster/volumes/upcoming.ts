/** Names of volumes that creates under way will make: two at once must not make two of one name. */
export class UpcomingVolumes {
  /** Name → node ID → how many creates. */
  readonly #names = new Map<string, Map<string, number>>();

  add(name: string, nodeId: string): void {
    const nodes = this.#names.get(name) ?? new Map<string, number>();
    this.#names.set(name, nodes.set(nodeId, (nodes.get(nodeId) ?? 0) + 1));
  }

  delete(name: string, nodeId: string): void {
    const nodes = this.#names.get(name);
    const left = (nodes?.get(nodeId) ?? 0) - 1;
    if (left > 0) nodes?.set(nodeId, left);
    else nodes?.delete(nodeId);
    if (nodes?.size === 0) this.#names.delete(name);
  }

  nodesOf(name: string): Iterable<string> {
    return this.#names.get(name)?.keys() ?? [];
  }
}
