/** Finding what a client named, or the right refusal: gone is 404, unknown is 503, unreachable is 503. */
import { type DockerError, nodeUnreachable, noSuchContainer, pendingContainer, unavailable } from "../docker/errors.ts";
import { UNKNOWN_GRACE_MS } from "../kit/limits.ts";
import type { Cluster } from "./cluster.ts";
import type { ClusterNode } from "./node.ts";
import type { ContainerRecord } from "./record.ts";

/** The container of a reference, on a node that answers. Throws DockerError 400, 404, 409 or 503. */
export function requireContainer(cluster: Cluster, ref: string): ContainerRecord {
  const record = findContainer(cluster, ref);
  requireReachable(record.node);
  return record;
}

/** The container of a reference, wherever it is, on whatever node. Throws DockerError 400, 404, 409 or 503. */
export function findContainer(cluster: Cluster, ref: string): ContainerRecord {
  const record = findAnywhere(cluster, ref);
  if (record.state === "pending") throw pendingContainer(record.name, cluster.rescheduler.reasonOf(record));
  requireMade(record);
  return record;
}

/** The same where a container may as well be on no node. Throws DockerError 400, 404 or 503. */
export function findAnywhere(cluster: Cluster, ref: string): ContainerRecord {
  const record = cluster.inventory.find(ref);
  if (!record) throw missing(cluster, noSuchContainer(ref));
  return record;
}

/** One that its node could not start has no engine to ask while another node makes it. */
export function requireMade({ engineId, name, node }: ContainerRecord): void {
  if (engineId === "") throw unavailable(`container ${name} is moving to node ${node.name}: try again in a moment`);
}

export function requireReachable(node: ClusterNode): void {
  if (!node.reachable) throw nodeUnreachable(node.name, node.whyUnreachable);
}

/**
 * Tools read 404 as «gone» and create duplicates: while a node was never read, and for a minute after it joined, a miss
 * is «unknown» instead.
 */
export function missing(cluster: Cluster, gone: DockerError): DockerError {
  const now = cluster.clock.monotonic();
  const unread = [...cluster.nodes.values()].filter(
    (node) => !node.known && node.blocked === undefined && now - node.joinedAt < UNKNOWN_GRACE_MS,
  );
  if (unread.length === 0) return gone;
  const names = unread.map((node) => node.name).join(", ");
  return unavailable(`${gone.message} on the nodes read so far; still unread: ${names}. Try again in a moment`);
}

/** Any node that answers, the least loaded first; throws 503 when there is none. */
export function anyNode(cluster: Cluster): ClusterNode {
  const [node] = cluster.reachable().sort((a, b) => a.count.busy - b.count.busy);
  if (!node) throw unavailable("No healthy node available in the cluster");
  return node;
}
