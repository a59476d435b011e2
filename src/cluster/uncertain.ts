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
  wait(cluster, placement);
  cluster.refresher.markAll(node);
}

function wait(cluster: Cluster, placement: Placement): void {
  if (!cluster.leads) return;
  placement.waiting = cluster.clock.after(OUTCOME_MS, () => void undo(cluster, placement), { background: true });
}

/** The whole list of a node, begun at `startedAt` (monotonic milliseconds), was taken in. */
export function decideUncertain(cluster: Cluster, node: ClusterNode, startedAt: number): void {
  for (const placement of [...cluster.placements.uncertainOn(node.id)]) {
    if (placement.uncertainSince === undefined || placement.uncertainSince >= startedAt) continue;
    if (placement.record.engineId === "") void undo(cluster, placement);
    else {
      cluster.registry.remember(placement.record);
      made(cluster, placement);
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

/**
 * It was not made, or nobody waits for it any longer. Name and needs stay taken until every later manager would know that,
 * too. Never rejects: what the store does not take is decided again by a later list.
 */
async function undo(cluster: Cluster, placement: Placement): Promise<void> {
  const { nonce, record } = placement;
  placement.waiting?.cancel();
  cluster.placements.delete(nonce);
  try {
    await cluster.undone.add(nonce, record.node.id);
  } catch {
    cluster.placements.add(placement);
    if (cluster.nodes.get(record.node.id) === record.node) wait(cluster, placement);
    else parkUncertain(cluster, placement);
    return;
  }
  forget(cluster, record);
  placement.decided?.(false);
}

function made(cluster: Cluster, placement: Placement): void {
  placement.waiting?.cancel();
  tellVolumes(cluster, placement.record.node, placement.volumes);
  cluster.placements.delete(placement.nonce);
  cluster.registry.settleIntent(placement.nonce);
  placement.decided?.(true);
}
