/** Room on one node for containers that are about to come there: booked in the ledger until each of them is placed. */
import type { Decision } from "../../scheduler/place.ts";
import type { Cluster } from "../cluster.ts";
import type { ClusterNode } from "../node.ts";
import type { ContainerRecord } from "../record.ts";

export class HeldRoom {
  readonly #cluster: Cluster;
  readonly to: ClusterNode;
  /** Why it is held there. */
  readonly decision: Decision;
  /** Cluster IDs, in the order in which they are to be placed. */
  readonly ids: readonly string[];

  /** Synchronous, with the decision that there is room. */
  constructor(cluster: Cluster, to: ClusterNode, decision: Decision, members: readonly ContainerRecord[]) {
    this.#cluster = cluster;
    this.to = to;
    this.decision = decision;
    this.ids = members.map(({ id }) => id);
    for (const { id, needs } of members) {
      const { nanoCpus, memory, ports } = needs;
      cluster.ledger.reserve({ id: heldId(id), node: to.id, nanoCpus, memory, ports });
    }
  }

  /** No node but this one. */
  get others(): Map<string, string> {
    const why = `room is held for it on ${this.to.name}`;
    const others = [...this.#cluster.nodes.keys()].filter((id) => id !== this.to.id);
    return new Map(others.map((id) => [id, why]));
  }

  /** To be called before each of them is placed: between the two nothing waits. */
  give(id: string): void {
    this.#cluster.ledger.release(heldId(id));
  }

  /** The rest is free. */
  end(): void {
    for (const id of this.ids) this.give(id);
  }
}

/** Whether a container that is on no node would fit there now. */
export function hasRoom({ ledger, options }: Cluster, node: ClusterNode, { id, needs }: ContainerRecord): boolean {
  const { nanoCpus, memory, ports } = needs;
  const need = { id, nanoCpus, memory, ports };
  return ledger.fits(node.id, need, options.overcommit) && ledger.conflict(node.id, need) === undefined;
}

const heldId = (id: string): string => `${id} comes`;
