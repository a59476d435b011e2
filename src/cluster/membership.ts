/**
 * Who is in the cluster: turns discovery's entries into nodes, and tells apart an engine met twice, one that moved and a
 * clone. Owns the set of nodes; the engines' news go to `observe.ts`.
 */
import { createHash } from "node:crypto";
import type { Entry } from "../discovery/discovery.ts";
import type { Cluster } from "./cluster.ts";
import { drop } from "./forget.ts";
import { ClusterNode } from "./node.ts";
import { observerOf } from "./observe.ts";
import { parkNode, restoreNode } from "./restore.ts";
import { parkUncertain } from "./uncertain.ts";

/** Makes the cluster's nodes those of the list: new ones are connected, missing ones disconnected. */
export function setEntries(cluster: Cluster, entries: readonly Entry[]): void {
  const wanted = new Map(entries.map((entry) => [nodeId(entry), entry]));
  for (const node of [...cluster.nodes.values()]) if (!wanted.has(node.id)) leave(cluster, node);
  for (const [id, entry] of wanted) if (!cluster.nodes.has(id)) join(cluster, id, entry);
}

/** Stops every connection. */
export async function leaveAll(cluster: Cluster): Promise<void> {
  await Promise.all([...cluster.nodes.values()].map((node) => node.engine.stop()));
}

/** A static list issues no IDs: one is derived from the entry. */
function nodeId(entry: Entry): string {
  return createHash("sha256").update(`shoal node ${entry}`).digest("hex").slice(0, 25);
}

function join(cluster: Cluster, id: string, entry: Entry): void {
  // The engine tells its observer only after start(), when the node is in place.
  const observer = observerOf(cluster, () => node);
  const engine = cluster.options.openEngine(entry, observer);
  const node: ClusterNode = new ClusterNode({
    id,
    address: entry,
    ip: addressIp(entry),
    engine,
    now: cluster.clock.now(),
    joinedAt: cluster.clock.monotonic(),
  });
  cluster.nodes.set(id, node);
  if (cluster.nodes.size > 1) cluster.hadSeveralNodes = true;
  restoreNode(cluster, node);
  cluster.log.info("node joined", { address: entry });
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
function addressIp(entry: Entry): string {
  if (entry.startsWith("unix:")) return "";
  const host = entry.slice(0, entry.lastIndexOf(":"));
  return host.replace(/^\[|\]$/g, "");
}
