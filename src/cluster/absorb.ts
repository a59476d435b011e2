/**
 * Takes in what an engine lists: makes, updates and drops records. The engine's word wins over the cache, unless the
 * cache learned something after the list was begun. Synchronous.
 */
import { createHash } from "node:crypto";
import { claimNonce } from "./claim.ts";
import type { Cluster } from "./cluster.ts";
import { decodeHint, HINT_LABEL } from "./hint.ts";
import { settle } from "./holdings.ts";
import { type ListedContainer, renderRow } from "./list-entry.ts";
import { claimsOfListed } from "./needs.ts";
import { clusterNetworkId } from "./network-ids.ts";
import type { ClusterNode } from "./node.ts";
import { type ContainerRecord, NO_NEEDS } from "./record.ts";
import { sinceOf } from "./row-status.ts";

/** The whole list of a node. @param startedAt monotonic milliseconds when its reading began */
export function absorbAll(
  cluster: Cluster,
  node: ClusterNode,
  rows: readonly ListedContainer[],
  startedAt: number,
): void {
  const listed = new Set(rows.map((row) => row.engineId));
  for (const [engineId, at] of node.gone) if (at < startedAt && !listed.has(engineId)) node.gone.delete(engineId);
  for (const record of [...node.containers.values()]) {
    if (!listed.has(record.engineId) && record.touchedAt < startedAt) forget(cluster, record);
  }
  // All are known before any row is rendered: a row may name another container (`container:<id>`).
  const fresh = ours(node, rows, startedAt).map((row) => ({ row, record: recordOf(cluster, node, row) }));
  for (const { row, record } of fresh) if (record.touchedAt < startedAt || !record.entry) update(cluster, record, row);
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
  for (const row of ours(node, rows, startedAt)) update(cluster, recordOf(cluster, node, row), row, startedAt);
}

/** Oldest first, so that records of one second keep the engine's order. */
function ours(node: ClusterNode, rows: readonly ListedContainer[], startedAt: number): ListedContainer[] {
  return rows
    .filter(({ engineId }) => !node.ignored.has(engineId) && (node.gone.get(engineId) ?? -Infinity) < startedAt)
    .reverse();
}

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

function recordOf(cluster: Cluster, node: ClusterNode, row: ListedContainer): ContainerRecord {
  const known = node.containers.get(row.engineId) ?? rehome(cluster, node, row);
  if (known) return known;
  const hint = decodeHint(row.labels[HINT_LABEL]);
  const claimed = hint && claimNonce(cluster, node, hint.nonce, row.engineId, row.name);
  if (claimed) return claimed;
  const hintedId = hint?.id !== undefined && !cluster.inventory.byId(hint.id) ? hint.id : undefined;
  const record: ContainerRecord = {
    id: hintedId ?? newId(cluster, node, row.engineId),
    name: row.name,
    epoch: hint?.epoch ?? 1,
    node,
    engineId: row.engineId,
    engineName: row.name,
    state: row.state,
    created: row.created,
    sequence: cluster.inventory.nextSequence(),
    image: row.image,
    imageId: row.imageId,
    labels: {},
    exitCode: undefined,
    since: undefined,
    needs: hint?.needs ?? NO_NEEDS,
    published: [],
    needsKnown: hint !== undefined,
    cpuShares: hint?.cpuShares,
    entry: undefined,
    touchedAt: Number.NEGATIVE_INFINITY,
    streams: 0,
    recipe: undefined,
    removed: false,
  };
  if (!record.needsKnown) node.unmeasured++;
  cluster.inventory.add(record);
  return record;
}

/** The same engine at a new address: its containers move with it, under the IDs that they had. */
function rehome(cluster: Cluster, node: ClusterNode, row: ListedContainer): ContainerRecord | undefined {
  for (const other of cluster.nodes.values()) {
    if (other === node || other.reachable || other.facts?.engineId !== node.facts?.engineId) continue;
    const record = other.containers.get(row.engineId);
    if (!record) continue;
    cluster.inventory.bind(record, node, row.engineId, row.name);
    record.touchedAt = Number.NEGATIVE_INFINITY;
    return record;
  }
  return undefined;
}

/** The engine's ID where it is free; a derived one on cloned machines, whose containers share theirs, and in the test mode. */
function newId(cluster: Cluster, node: ClusterNode, engineId: string): string {
  if (!cluster.options.mintIds && !cluster.inventory.byId(engineId)) return engineId;
  return createHash("sha256").update(`${node.id} ${engineId}`).digest("hex");
}

function update(cluster: Cluster, record: ContainerRecord, row: ListedContainer, startedAt?: number): void {
  const { inventory } = cluster;
  const { node } = record;
  const older = startedAt !== undefined && record.touchedAt >= startedAt;
  if (!older) {
    inventory.setState(record, row.state);
    record.engineName = row.name;
    inventory.rename(record, row.name);
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
  record.entry = renderRow(row, {
    id: record.id,
    shownName: shownName(cluster, record),
    nodeName: node.name,
    nodeIp: node.ip,
    clusterId: (engineId) => node.containers.get(engineId)?.id ?? engineId,
    networkId: (engineId) => clusterNetworkId(node, engineId),
  });
  const exit = /^Exited \((-?\d+)\)/.exec(row.status);
  record.exitCode = exit ? Number(exit[1]) : undefined;
  record.since = sinceOf(record, cluster.clock.now());
  settle(cluster, record);
}

export function shownName(cluster: Cluster, record: ContainerRecord): string {
  return cluster.options.nodeNames ? `${record.node.name}/${record.name}` : cluster.inventory.shownName(record);
}
