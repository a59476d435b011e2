/**
 * Turns a placement into the container that the engine made of it, whichever tells first: the answer to the create, the
 * engine's event, or a list after the engine broke off. Idempotent.
 */
import type { Cluster } from "./cluster.ts";
import { settle } from "./holdings.ts";
import type { ClusterNode } from "./node.ts";
import type { ContainerRecord } from "./record.ts";

/** The record of a create of ours by its nonce; undefined when the nonce is not of a create under way on this node. */
export function claimNonce(
  cluster: Cluster,
  node: ClusterNode,
  nonce: string,
  engineId: string,
  engineName: string,
): ContainerRecord | undefined {
  const placement = cluster.placements.get(nonce);
  if (!placement || placement.record.node !== node) return undefined;
  const { record } = placement;
  if (record.engineId === engineId) return record;
  // A second container with the nonce inherited it (docker commit copies labels into images): it is not ours.
  if (record.engineId !== "" || record.removed) return undefined;
  placement.record =
    cluster.options.mintIds || record.epoch > 1 || cluster.inventory.byId(engineId)
      ? record
      : rekey(cluster, record, engineId);
  cluster.inventory.bind(placement.record, node, engineId, engineName);
  cluster.inventory.setState(placement.record, "created");
  placement.record.touchedAt = cluster.clock.monotonic();
  settle(cluster, placement.record);
  return placement.record;
}

/** The engine's ID becomes the cluster's: nothing waits between giving up the reserved place and taking the final one. */
function rekey(cluster: Cluster, placing: ContainerRecord, id: string): ContainerRecord {
  const record: ContainerRecord = { ...placing, id };
  cluster.inventory.remove(placing);
  settle(cluster, placing);
  cluster.inventory.add(record);
  settle(cluster, record);
  return record;
}
