/**
 * Creates of which nobody knows whether an engine made them: the engine broke off, or the manager died. Name and needs
 * stay taken until a list of the node tells; what turns up after that was decided is removed, for nobody was told of it.
 */
import { OUTCOME_MS } from "../kit/limits.ts";
import type { Cluster } from "./cluster.ts";
import { drop, forget } from "./forget.ts";
import type { ClusterNode } from "./node.ts";
import type { Placement } from "./placements.ts";
import { tellVolumes } from "./volumes/own-volumes.ts";

/**
 * Lists of the node begun after `since` (monotonic milliseconds) decide. A node that does not come back holds the name
 * for a bounded time.
 */
export function awaitOutcome(cluster: Cluster, placement: Placement, since: number): void {
  placement.uncertainSince = since;
  const { node } = placement.record;
  if (cluster.nodes.get(node.id) !== node) {
    parkUncertain(cluster, placement);
    return;
  }
  placement.waiting = cluster.clock.after(OUTCOME_MS, () => undo(cluster, placement), { background: true });
  cluster.refresher.markAll(node);
}

/** The whole list of a node, begun at `startedAt` (monotonic milliseconds), was taken in. */
export function decideUncertain(cluster: Cluster, node: ClusterNode, startedAt: number): void {
  for (const placement of [...cluster.placements.uncertainOn(node.id)]) {
    if (placement.uncertainSince === undefined || placement.uncertainSince >= startedAt) continue;
    if (placement.record.engineId === "") undo(cluster, placement);
    else {
      cluster.registry.remember(placement.record);
      decide(cluster, placement, true);
    }
  }
}

/** Its node leaves the cluster: it decides when it is back. */
export function parkUncertain(cluster: Cluster, placement: Placement): void {
  placement.waiting?.cancel();
  cluster.placements.delete(placement.nonce);
  cluster.registry.parkIntent(cluster.registry.intentOf(placement));
  drop(cluster, placement.record);
  placement.decided?.(false);
}

/** It was not made, or nobody waits for it any longer. */
function undo(cluster: Cluster, placement: Placement): void {
  cluster.placements.undone(placement.nonce);
  forget(cluster, placement.record);
  decide(cluster, placement, false);
}

function decide(cluster: Cluster, placement: Placement, made: boolean): void {
  placement.waiting?.cancel();
  if (made) tellVolumes(cluster, placement.record.node, placement.volumes);
  cluster.placements.delete(placement.nonce);
  cluster.registry.settleIntent(placement.nonce);
  placement.decided?.(made);
}
