/**
 * From a lost node into limbo and back: a container that is pending keeps ID, name and labels, and its copy on the lost
 * node is no longer it. Owns the two steps, each whole or not at all over a crash; must not know when they are due.
 */
import { STATES_AT_REST } from "../at-rest.ts";
import type { Cluster } from "../cluster.ts";
import { see } from "../copies.ts";
import { drop, forgetAnswered } from "../forget.ts";
import { groupOfRecord, rebuildGroup } from "../groups/standing.ts";
import { settle } from "../holdings.ts";
import { type ListedContainer, pendingEntry } from "../list-entry.ts";
import { publishMissed, publishOwn } from "../missed-events.ts";
import type { ClusterNode } from "../node.ts";
import type { ContainerRecord } from "../record.ts";
import { forgetRow, rememberRow, rowKey, rowWrites } from "../remembered.ts";
import { endTombstone, requireTombstone, type Tombstone, tombstoneOf, tombstoneWrite } from "../tombstones.ts";

/**
 * Its node is lost, or drained and the container stopped there: from now on it is pending. Rejects with DockerError 503
 * when that cannot be kept.
 */
export async function release(cluster: Cluster, record: ContainerRecord, cause: "lost" | "drained"): Promise<void> {
  const { registry, writer, tombstones, log } = cluster;
  const { node, engineId } = record;
  requireTombstone(cluster);
  const tombstone = tombstoneOf(record, true);
  const pending = inLimbo(cluster, record);
  await writer.write([
    tombstoneWrite(tombstone),
    ...registry.identityWrites(pending),
    ...rowWrites(pending),
    { key: rowKey(node.id, engineId), value: undefined },
  ]);
  const mayGo = cause === "lost" ? !node.reachable : node.draining;
  if (record.removed || record.node !== node || record.engineId !== engineId || !mayGo) {
    // It is back, or gone, or somewhere else: as if nothing had been written.
    writer.later([{ ...tombstoneWrite(tombstone), value: undefined }]);
    forgetRow(cluster, cluster.limbo, pending.engineId);
    if (record.removed) registry.forget(record);
    else {
      registry.remember(record);
      rememberRow(cluster, record);
    }
    return;
  }
  tombstones.add(tombstone);
  node.told.left(cluster, node, record);
  node.ignored.add(engineId);
  drop(cluster, record);
  enterLimbo(cluster, pending);
  publishOwn(cluster, node, { type: "container", record: pending }, "pending");
  log.warn(`a container waits for another node: its own is ${cause}`, { node: node.name, container: pending.name });
}

/** The same container, on no node. What it may have been called besides its name is free. */
function inLimbo(cluster: Cluster, record: ContainerRecord): ContainerRecord {
  return {
    ...record,
    node: cluster.limbo,
    engineId: record.id,
    engineName: record.name,
    state: "pending",
    exitCode: undefined,
    since: undefined,
    published: [],
    entry: record.entry && pendingEntry(record.entry),
    touchedAt: Number.NEGATIVE_INFINITY,
    renames: new Set(),
    starting: 0,
    streams: 0,
    recipe: undefined,
    startsAgain: true,
    removed: false,
  };
}

/** Also again, when a node that was to take it did not. */
export function enterLimbo(cluster: Cluster, pending: ContainerRecord): void {
  const { limbo, inventory } = cluster;
  limbo.ignored.delete(pending.engineId);
  inventory.add(pending);
  // No engine will ever list it: another copy is judged by its epoch alone.
  see(cluster, pending);
  rebuildGroup(cluster, groupOfRecord(cluster, pending));
}

/** It is somewhere again, or gone; in the store it stays until that is written. */
export function leaveLimbo(cluster: Cluster, pending: ContainerRecord): void {
  drop(cluster, pending);
  cluster.limbo.gone.delete(pending.engineId);
}

/** A client removes it. Resolves with what it is told; its copy counts as removed while its node was lost. */
export async function removePending(cluster: Cluster, pending: ContainerRecord): Promise<string> {
  const { tombstones, writer, nodes, limbo } = cluster;
  const left = [...tombstones.all()].find(({ replacedBy }) => replacedBy === pending.id);
  await forgetAnswered(cluster, pending);
  limbo.gone.delete(pending.engineId);
  const place = nodes.get(left?.node ?? "") ?? limbo;
  publishMissed(cluster, place, { type: "container", record: pending }, ["destroy"]);
  if (!left) return `container ${pending.name} is removed from the cluster`;
  const { replacedBy: _pending, ...removed } = left;
  tombstones.add(removed);
  writer.later([tombstoneWrite(removed)]);
  const node = nodes.get(left.node);
  const lost = node ? `node ${node.name} cannot be reached (${node.whyUnreachable}): ` : "";
  return `${lost}container ${pending.name} is removed from the cluster; the node's own copy is stopped and kept aside there when it returns, its volumes too`;
}

/** Its own node is back, before another one took it: it goes on there. To be called before the node's list is taken in. */
export function takeBack(cluster: Cluster, node: ClusterNode, tombstone: Tombstone, row: ListedContainer): void {
  const { limbo, inventory, registry, log } = cluster;
  const pending = limbo.containers.get(tombstone.replacedBy ?? "");
  if (!pending) return;
  endTombstone(cluster, tombstone);
  node.gone.delete(row.engineId);
  leaveLimbo(cluster, pending);
  forgetRow(cluster, limbo, pending.engineId);
  const record: ContainerRecord = {
    ...pending,
    // A copy that was asked for meanwhile may still be made: it is the older one.
    epoch: pending.epoch + 1,
    node,
    engineId: row.engineId,
    engineName: row.name,
    state: row.state,
    entry: undefined,
    startsAgain: STATES_AT_REST.has(row.state),
    removed: false,
  };
  inventory.add(record);
  node.told.returned(record);
  registry.remember(record);
  settle(cluster, record);
  rebuildGroup(cluster, groupOfRecord(cluster, record));
  cluster.rescheduler.restored(record);
  log.info("a pending container goes on where it was: its node is back", { node: node.name, container: record.name });
}
