/**
 * Who is in the cluster: turns discovery's entries into nodes, and tells a node that moved from a clone of
 * it. Owns the set of nodes; the engines' news go to `observe.ts`.
 */
import { createHash } from "node:crypto";
import type { Entry } from "../discovery/discovery.ts";
import type { Cluster } from "./cluster.ts";
import { drop } from "./forget.ts";
import { ClusterNode } from "./node.ts";
import { observerOf, takeFacts } from "./observe.ts";
import { parkNode, restoreNode } from "./restore.ts";
import { parkUncertain } from "./uncertain.ts";

/**
 * Makes the cluster's nodes those of the list: new ones are connected, missing ones disconnected. One that is at another
 * address now is connected there, the same node with all that is known of it.
 */
export function setEntries(cluster: Cluster, entries: readonly Entry[]): void {
  const wanted = byId(cluster, entries);
  for (const node of [...cluster.nodes.values()]) {
    if (wanted.get(node.id)?.address !== node.address) leave(cluster, node);
  }
  for (const [id, entry] of wanted) {
    const node = cluster.nodes.get(id);
    if (node) describe(cluster, node, entry);
    else join(cluster, id, entry);
  }
}

/**
 * Each entry under its node's ID. Of several that claim one ID (a machine that was cloned with it) the address that the
 * node has already keeps it, else the first; each of the others is a node of its own.
 */
function byId(cluster: Cluster, entries: readonly Entry[]): Map<string, Entry> {
  const wanted = new Map<string, Entry>();
  for (const entry of entries) {
    const id = idOf(entry);
    const rival = wanted.get(id);
    if (!rival) {
      wanted.set(id, entry);
      continue;
    }
    const isNode = cluster.nodes.get(id)?.address === entry.address;
    const [original, clone] = isNode ? [entry, rival] : [rival, entry];
    const cloneId = derivedId(`${id} ${clone.address}`);
    wanted.set(id, original).set(cloneId, clone);
    if (!cluster.nodes.has(cloneId)) {
      cluster.log.warn("two addresses claim one node ID: remove the state directory of the clone", {
        id,
        node: original.address,
        clone: clone.address,
      });
    }
  }
  return wanted;
}

/** The ID of the node that an entry stands for, unless another one claims it as well. */
export function idOf(entry: Entry): string {
  return entry.id ?? derivedId(entry.address);
}

/** Name and labels may change while the node stays the node. */
function describe(cluster: Cluster, node: ClusterNode, entry: Entry): void {
  const before = JSON.stringify(node.entry);
  node.entry = entry;
  if (node.ownFacts && before !== JSON.stringify(entry)) takeFacts(cluster, node, node.ownFacts);
}

/** Stops every connection. */
export async function leaveAll(cluster: Cluster): Promise<void> {
  await Promise.all([...cluster.nodes.values()].map((node) => node.engine.stop()));
}

/** A static list issues no IDs: one is derived from the address. */
function derivedId(text: string): string {
  return createHash("sha256").update(`shoal node ${text}`).digest("hex").slice(0, 25);
}

function join(cluster: Cluster, id: string, entry: Entry): void {
  // The engine tells its observer only after start(), when the node is in place.
  const observer = observerOf(cluster, () => node);
  const { address } = entry;
  const engine = cluster.options.openEngine(address, observer);
  const node: ClusterNode = new ClusterNode({
    id,
    entry,
    ip: addressIp(address),
    engine,
    now: cluster.clock.now(),
    joinedAt: cluster.clock.monotonic(),
  });
  cluster.nodes.set(id, node);
  if (cluster.nodes.size > 1) cluster.hadSeveralNodes = true;
  restoreNode(cluster, node);
  cluster.log.info("node joined", { address });
  const { resolveHost } = cluster.options;
  if (/^[\d.]*$/.test(node.ip) || node.ip.includes(":") || !resolveHost) engine.start();
  else void resolveIp(cluster, node, resolveHost).finally(() => engine.start());
}

/** Published ports show addresses, not names. Without an answer the name stays, and the engine's own dialling says why. */
async function resolveIp(
  cluster: Cluster,
  node: ClusterNode,
  resolve: (host: string) => Promise<string>,
): Promise<void> {
  try {
    node.ip = await resolve(node.ip);
  } catch (error) {
    cluster.log.warn("a node's name has no address", { address: node.address, error: String(error) });
  }
}

function leave(cluster: Cluster, node: ClusterNode): void {
  cluster.nodes.delete(node.id);
  node.state = "disconnected";
  cluster.refresher.drop(node);
  for (const placement of [...cluster.placements.uncertainOn(node.id)]) parkUncertain(cluster, placement);
  parkNode(cluster, node);
  for (const record of [...node.containers.values()]) drop(cluster, record);
  cluster.images.delete(node.id);
  cluster.networks.dropNode(node.id);
  cluster.volumes.dropNode(node.id);
  cluster.ledger.removeNode(node.id);
  cluster.log.info("node left", { node: node.name, address: node.address });
  void node.engine.stop();
}

/** What published ports show: the address that clients of the manager reach the node by. */
function addressIp(address: string): string {
  if (address.startsWith("unix:")) return "";
  const host = address.slice(0, address.lastIndexOf(":"));
  return host.replace(/^\[|\]$/g, "");
}
