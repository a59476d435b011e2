/** What follows when a container leaves the cluster, or its needs become known: the counts that the rest stands on. */
import type { Cluster } from "./cluster.ts";
import { judgeCopies } from "./copies.ts";
import { groupOfRecord, leftGroup } from "./groups/standing.ts";
import { settle } from "./holdings.ts";
import type { ClusterNode } from "./node.ts";
import type { ContainerRecord } from "./record.ts";
import { forgetRow } from "./remembered.ts";

/** The container is gone. */
export function forget(cluster: Cluster, record: ContainerRecord): void {
  drop(cluster, record);
  forgetRow(cluster, record.node, record.engineId);
  leftGroup(cluster, groupOfRecord(cluster, record));
  if (!isReplaced(cluster, record)) cluster.registry.forget(record);
}

/** Somebody will be told that it is gone: no later manager may know it otherwise. */
export async function forgetAnswered(cluster: Cluster, record: ContainerRecord): Promise<void> {
  drop(cluster, record);
  forgetRow(cluster, record.node, record.engineId);
  leftGroup(cluster, groupOfRecord(cluster, record));
  if (isReplaced(cluster, record)) return;
  try {
    await cluster.registry.forgetDurably(record);
  } catch {
    // It is gone all the same, and that is the answer; the store learns it when it can.
    cluster.registry.forget(record);
  }
}

/** Another copy of it goes on. */
function isReplaced(cluster: Cluster, record: ContainerRecord): boolean {
  return cluster.inventory.byId(record.id) !== undefined;
}

/** It leaves the manager's memory; what the store says of it stays. */
export function drop(cluster: Cluster, record: ContainerRecord): void {
  // What it held may be another copy's by now.
  if (record.removed) return;
  if (!record.needsKnown) measured(record);
  if (record.engineId !== "") {
    record.node.gone.set(record.engineId, cluster.clock.monotonic());
    cluster.changes.note({ node: record.node.id, what: "containers", id: record.engineId });
  }
  cluster.inventory.remove(record);
  judgeCopies(cluster, record);
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
