/**
 * What a leader of before asked an engine for, and the engine made only after another one led: the one that leads finds it
 * soon after it can see it, and it is its own, kept aside or gone. Owns this rule.
 */
import type { Cluster } from "../../src/cluster/cluster.ts";
import type { Copy, History } from "./history.ts";
import type { Complain } from "./witness.ts";

/** From when the engine can be asked. */
const FOUND_MS = 5_000;

export class Strays {
  readonly #history: History;
  readonly #complain: Complain;
  /** Since when the cluster that leads can see it. */
  readonly #visible = new Map<Copy, { readonly by: Cluster; readonly since: number }>();
  #found = 0;

  constructor(history: History, complain: Complain) {
    this.#history = history;
    this.#complain = complain;
  }

  /** How many there were. */
  get found(): number {
    return this.#found;
  }

  /** To be called now and then. @param cluster of the manager that leads, if one does */
  look(cluster: Cluster | undefined, now: number): void {
    for (const { token, copies } of this.#history.made) {
      for (const copy of copies) if (copy.stray) this.#judge(copy, token, cluster, now);
    }
  }

  #judge(copy: Copy, token: string, cluster: Cluster | undefined, now: number): void {
    const { host, container } = copy;
    const node = cluster && [...cluster.nodes.values()].find(({ address }) => address === host.entry);
    if (copy.gone) return;
    const seen = this.#visible.get(copy);
    if (!cluster || !node?.reachable || !host.well) {
      this.#visible.delete(copy);
      return;
    }
    if (seen?.by !== cluster) {
      this.#found++;
      this.#visible.set(copy, { by: cluster, since: now });
      return;
    }
    if (now - seen.since < FOUND_MS) return;
    const isOurs = node.containers.get(container.id)?.nonce !== undefined;
    if (isOurs || node.ignored.has(container.id)) return;
    this.#complain("stray", `${token} was made on ${host.name} for a leader of before, and is not found`);
  }
}
