/**
 * What the manager that leads has changed, taken into the cache of one that follows it. Who containers are, and what no
 * engine tells, is the leader's word; what an engine has is read there again, so that nobody is told more than is so.
 */
import { AVAILABILITY, applyAvailability } from "./availability.ts";
import { KNOWN_NETWORKS, KNOWN_VOLUMES, LEFT_NETWORKS, type News, type NodeChange } from "./changes.ts";
import type { Cluster } from "./cluster.ts";
import { see } from "./copies.ts";
import { drop } from "./forget.ts";
import { settle } from "./holdings.ts";
import { readNetwork } from "./networks/network.ts";
import type { ClusterNode } from "./node.ts";
import type { ContainerRecord } from "./record.ts";
import { decodeIdentity, IDENTITIES, type Identity } from "./registry.ts";
import { LIMBO } from "./reschedule/limbo.ts";
import { REPLACEMENTS } from "./reschedule/replacements.ts";
import { restoreRecord } from "./restore.ts";
import { decodeTombstone, TOMBSTONES } from "./tombstones.ts";
import { UNDONE } from "./undone.ts";
import { readVolume } from "./volumes/volume.ts";

/**
 * Resolves when the cache shows them: to false when it cannot, because an engine did not tell, or the leader sees other nodes
 * than this manager does.
 */
export async function takeNews(cluster: Cluster, { changes, away, nodes, pending }: News): Promise<boolean> {
  for (const change of changes ?? []) {
    if ("key" in change) takeEntry(cluster, change.key, change.value ?? undefined);
    else readAgain(cluster, change.node, change.what, change.id);
  }
  await cluster.refresher.settled();
  const ours = [...cluster.nodes.values()].filter(({ reachable }) => !reachable);
  const alike =
    nodes === cluster.nodes.size && away.length === ours.length && ours.every(({ id }) => away.includes(id));
  return changes !== null && alike && !pending && !cluster.refresher.owes;
}

function nodeOf({ nodes, limbo }: Cluster, id: string): ClusterNode | undefined {
  return id === LIMBO ? limbo : nodes.get(id);
}

function readAgain({ nodes, refresher }: Cluster, nodeId: string, what: NodeChange["what"], id?: string): void {
  const node = nodes.get(nodeId);
  if (!node) return;
  if (what !== "containers") refresher.markList(node, what, true);
  else if (id === undefined) refresher.markAll(node, true);
  else refresher.markId(node, id, true);
}

function takeEntry(cluster: Cluster, key: string, value: string | undefined): void {
  const [node = "", name = ""] = key.split("/").slice(-2);
  if (key.startsWith(IDENTITIES)) {
    takeIdentity(cluster, name, value === undefined ? undefined : decodeIdentity(value));
  } else if (key.startsWith(TOMBSTONES)) takeTombstone(cluster, node, name, value);
  else if (key.startsWith(KNOWN_NETWORKS)) takeObject(cluster, "networks", key.slice(KNOWN_NETWORKS.length), value);
  else if (key.startsWith(KNOWN_VOLUMES)) takeObject(cluster, "volumes", key.slice(KNOWN_VOLUMES.length), value);
  else if (key.startsWith(LEFT_NETWORKS)) takeLeft(cluster, node, name, key, value);
  else if (key.startsWith(AVAILABILITY)) takeAvailability(cluster, name, key, value);
  else if (key.startsWith(UNDONE)) cluster.undone.take(key, value);
  else if (key.startsWith(REPLACEMENTS)) cluster.replacements.take(key, value);
  else cluster.tags.take(key, value);
}

function takeIdentity(cluster: Cluster, id: string, identity: Identity | undefined): void {
  const { inventory, registry, refresher } = cluster;
  registry.dropParked(id);
  const known = inventory.byId(id);
  const node = identity && nodeOf(cluster, identity.node);
  if (known && identity && known.node === node && known.engineId === identity.engineId) {
    agree(cluster, known, identity);
    return;
  }
  // What was not made through shoal has no identity.
  if (known && (identity || known.nonce !== undefined)) {
    drop(cluster, known);
    // Should its engine have it all the same, it is shown.
    if (known.engineId !== "" && known.node !== cluster.limbo) refresher.markId(known.node, known.engineId, true);
  }
  if (!identity) return;
  if (!node) {
    registry.park(identity);
    return;
  }
  const other = node.containers.get(identity.engineId);
  if (other) drop(cluster, other);
  const record = restoreRecord(cluster, node, identity);
  if (!record) return;
  if (node === cluster.limbo) see(cluster, record);
  else refresher.markId(node, identity.engineId, true);
}

/** The same container, which its engine may have shown before. */
function agree(cluster: Cluster, record: ContainerRecord, identity: Identity): void {
  const { inventory } = cluster;
  const { name, epoch, nonce, needs, cpuShares, moves, startsAgain = false, sequence } = identity;
  if (record.nonce !== nonce) inventory.own(record, nonce);
  if (record.sequence !== sequence) {
    inventory.skipSequence(sequence);
    inventory.reorder();
  }
  inventory.rename(record, name);
  Object.assign(record, { epoch, needs, cpuShares, moves, startsAgain, sequence });
  settle(cluster, record);
}

function takeAvailability(cluster: Cluster, nodeId: string, key: string, value: string | undefined): void {
  const { availabilities, nodes, roll } = cluster;
  const before = availabilities.of(nodeId);
  availabilities.take(key, value);
  if (before === "removed" || availabilities.of(nodeId) === "removed") roll.apply();
  const node = nodes.get(nodeId);
  if (node) applyAvailability(cluster, node);
}

function takeTombstone(cluster: Cluster, nodeId: string, container: string, value: string | undefined): void {
  const { tombstones, nodes, refresher } = cluster;
  const node = nodes.get(nodeId);
  const tombstone = value === undefined ? undefined : decodeTombstone(value);
  if (tombstone) {
    tombstones.add(tombstone);
    node?.ignored.add(container);
    const copy = node?.containers.get(container);
    if (copy) drop(cluster, copy);
    return;
  }
  for (const old of tombstones.of(nodeId)) if (old.container === container) tombstones.delete(old);
  if (!node?.ignored.delete(container)) return;
  refresher.markId(node, container, true);
}

/** A node that answers tells itself; of one that does not, the leader knows more. */
function takeObject(cluster: Cluster, kind: "networks" | "volumes", path: string, value: string | undefined): void {
  const [nodeId = "", name = ""] = path.split(/\/(.*)/s);
  const node = nodeOf(cluster, nodeId);
  if (!node) return;
  if (node.reachable) {
    cluster.refresher.markList(node, kind, true);
    return;
  }
  const now = cluster.clock.monotonic();
  if (value === undefined) {
    cluster[kind].remove(nodeId, name, now);
    return;
  }
  const { row } = JSON.parse(value) as { readonly row: string };
  if (kind === "networks") cluster.networks.add(nodeId, readNetwork(cluster, node, row), now);
  else cluster.volumes.add(nodeId, readVolume(node, row), now);
}

function takeLeft(cluster: Cluster, nodeId: string, network: string, key: string, value: string | undefined): void {
  const node = cluster.nodes.get(nodeId);
  if (value === undefined) {
    cluster.leftNetworks.delete(nodeId, network);
    node?.ignored.delete(network);
  } else {
    cluster.leftNetworks.restore(key, value);
    node?.ignored.add(network);
  }
  if (node) cluster.refresher.markList(node, "networks", true);
}
