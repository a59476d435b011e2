/**
 * Takes in what an engine lists: makes, updates and drops records. The engine's word wins over the cache, unless the
 * cache learned something after the list was begun. Synchronous.
 */
import { recordOf } from "./adopt.ts";
import type { Cluster } from "./cluster.ts";
import { see } from "./copies.ts";
import { forget } from "./forget.ts";
import { HINT_LABEL } from "./hint.ts";
import { settle } from "./holdings.ts";
import { isSameEntry, type ListedContainer, renderRow } from "./list-entry.ts";
import { takeMoved } from "./moved.ts";
import { claimsOfListed } from "./needs.ts";
import { clusterNetworkId } from "./networks/network-ids.ts";
import type { ClusterNode } from "./node.ts";
import type { ContainerRecord } from "./record.ts";
import { rememberRow } from "./remembered.ts";
import { decideRenames, isBeingRenamed } from "./rename.ts";
import { endMissing, passOver } from "./reschedule/replacements.ts";
import { sinceOf } from "./row-status.ts";
import { keepAside } from "./tombstones.ts";
import { decideUncertain } from "./uncertain.ts";
import { removeUndone } from "./undone.ts";
import { noteVolumes } from "./volumes/own-volumes.ts";

/** The whole list of a node. @param startedAt monotonic milliseconds when its reading began */
export function absorbAll(
  cluster: Cluster,
  node: ClusterNode,
  rows: readonly ListedContainer[],
  startedAt: number,
): void {
  passOver(cluster, node, rows);
  endMissing(cluster, node, rows, startedAt);
  keepAside(cluster, node, rows);
  takeMoved(cluster, node, rows);
  cluster.undone.listed(node.id, startedAt, removeUndone(cluster, node, rows));
  const listed = new Set(rows.map((row) => row.engineId));
  for (const [engineId, at] of node.gone) if (at < startedAt && !listed.has(engineId)) node.gone.delete(engineId);
  for (const record of [...node.containers.values()]) {
    if (!listed.has(record.engineId) && record.touchedAt < startedAt) forget(cluster, record);
  }
  // All are known before any row is rendered: a row may name another container (`container:<id>`).
  const fresh = ours(node, rows, startedAt).map((row) => ({ row, record: recordOf(cluster, node, row) }));
  for (const { row, record } of fresh) if (record && !record.removed) update(cluster, record, row, startedAt);
  decideUncertain(cluster, node, startedAt);
}

/** Rows of some containers; `asked` of them that are missing are gone. */
export function absorbSome(
  cluster: Cluster,
  node: ClusterNode,
  rows: readonly ListedContainer[],
  asked: Iterable<string>,
  startedAt: number,
): void {
  const listed = new Set(rows.map((row) => row.engineId));
  for (const engineId of asked) {
    const record = node.containers.get(engineId);
    if (record && !listed.has(engineId) && record.touchedAt < startedAt) forget(cluster, record);
  }
  passOver(cluster, node, rows);
  removeUndone(cluster, node, rows);
  for (const row of ours(node, rows, startedAt)) {
    const record = recordOf(cluster, node, row);
    if (record) update(cluster, record, row, startedAt);
  }
}

/** Oldest first, so that records of one second keep the engine's order. */
function ours(node: ClusterNode, rows: readonly ListedContainer[], startedAt: number): ListedContainer[] {
  return rows
    .filter(({ engineId }) => !node.ignored.has(engineId) && (node.gone.get(engineId) ?? -Infinity) < startedAt)
    .reverse();
}

function update(cluster: Cluster, record: ContainerRecord, row: ListedContainer, startedAt: number): void {
  const { inventory } = cluster;
  const { node, name, created } = record;
  if (record.touchedAt < startedAt) {
    inventory.setState(record, row.state);
    if (!isBeingRenamed(record)) inventory.rename(record, row.name);
    record.engineName = row.name;
    decideRenames(cluster, record, startedAt);
  } else if (record.entry && (record.state !== row.state || record.engineName !== row.name)) {
    // One of the two is older, and nobody knows which.
    cluster.refresher.again(record);
    return;
  }
  const { [HINT_LABEL]: _hint, ...labels } = row.labels;
  inventory.setLabels(record, labels);
  if (record.created !== row.created) {
    record.created = row.created;
    inventory.reorder();
  }
  record.image = row.image;
  record.imageId = row.imageId;
  record.published = row.state === "running" || row.state === "paused" ? claimsOfListed(row.ports) : [];
  const before = record.entry;
  record.entry = renderRow(row, {
    id: record.id,
    shownName: shownName(cluster, record),
    nodeName: node.name,
    nodeIp: node.ip,
    clusterId: (engineId) => node.containers.get(engineId)?.id ?? engineId,
    networkId: (engineId) => clusterNetworkId(cluster, node, engineId),
  });
  see(cluster, record);
  if (record.name !== name || record.created !== created) cluster.registry.remember(record);
  const exit = /^Exited \((-?\d+)\)/.exec(row.status);
  record.exitCode = exit ? Number(exit[1]) : undefined;
  record.since = sinceOf(record, cluster.clock.now());
  noteVolumes(cluster, record, row, startedAt);
  if (!before || !isSameEntry(before, record.entry)) {
    rememberRow(cluster, record);
    // Perhaps no event told of it, and managers that follow this one do not know.
    cluster.changes.note({ node: node.id, what: "containers", id: record.engineId });
  }
  settle(cluster, record);
}

export function shownName(cluster: Cluster, record: ContainerRecord): string {
  return cluster.options.nodeNames ? `${record.node.name}/${record.name}` : cluster.inventory.shownName(record);
}
