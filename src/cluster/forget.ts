/** What follows when a container leaves the cluster, or its needs become known: the counts that the rest stands on. */
import type { Cluster } from "./cluster.ts";
import { settle } from "./holdings.ts";
import type { ClusterNode } from "./node.ts";
import type { ContainerRecord } from "./record.ts";

/** The container is gone from the cluster. */
export function forget(cluster: Cluster, record: ContainerRecord): void {
  if (!record.needsKnown) measured(record);
  if (record.engineId !== "") record.node.gone.set(record.engineId, cluster.clock.monotonic());
  cluster.inventory.remove(record);
  settle(cluster, record);
}

/** Its needs are known now. */
export function measured(record: ContainerRecord): void {
  if (record.needsKnown) return;
  record.needsKnown = true;
  record.node.unmeasured--;
  if (record.node.unmeasured === 0) allMeasured(record.node);
}

/** To be called after each reading too: there may have been nothing to measure. */
export function allMeasured(node: ClusterNode): void {
  if (node.measuredOnce || !node.known) return;
  node.measuredOnce = true;
  node.touch();
}
