/**
 * Which nodes a pull or a load goes to: the one whose create missed the image a moment ago, else one node (the
 * scheduler's best) or all of them.
 */
import { unavailable } from "../docker/errors.ts";
import { place, refusalError } from "../scheduler/place.ts";
import { readRequest } from "../scheduler/request.ts";
import type { Cluster } from "./cluster.ts";
import { canonicalImage } from "./image-index.ts";
import type { ClusterNode } from "./node.ts";
import { surroundingsOf } from "./surroundings.ts";

/** @param image name with tag or digest, as the client wrote it. Throws 503 when no node is healthy. */
export function nodesForPull(cluster: Cluster, client: string, image: string): ClusterNode[] {
  const canonical = canonicalImage(image) ?? image;
  const missed = cluster.nodes.get(cluster.pullMemory.recall(client, canonical) ?? "");
  if (missed?.reachable) return [missed];
  if (cluster.options.pullTo === "all") return everyNode(cluster);
  const holders = cluster.images
    .nodesWith(image)
    .flatMap((id) => cluster.nodes.get(id) ?? [])
    .filter((node) => node.reachable);
  const node = holders[0] ?? bestNode(cluster, image);
  // The creates that follow find it there.
  cluster.pullMemory.pulled(client, canonical, node.id);
  return [node];
}

/** Which nodes get what a client sends. Throws DockerError 409 or 503 when there is none. */
export function nodesForLoad(cluster: Cluster): ClusterNode[] {
  return cluster.options.pullTo === "all" ? everyNode(cluster) : [bestNode(cluster)];
}

function everyNode(cluster: Cluster): ClusterNode[] {
  const nodes = cluster.reachable();
  if (nodes.length === 0) throw unavailable("No healthy node available in the cluster");
  return nodes;
}

/** Where the scheduler would put a container that asks for nothing else. Throws DockerError when nowhere. */
export function bestNode(cluster: Cluster, image = ""): ClusterNode {
  const { options } = cluster;
  const request = readRequest({ Image: image }, "", {}, { cpuShares: options.cpuShares });
  const decision = place(
    request,
    [...cluster.nodes.values()].map((node) => node.view),
    {
      ledger: cluster.ledger,
      surroundings: surroundingsOf(cluster),
      strategy: options.strategy,
      filters: options.filters,
      overcommit: options.overcommit,
      random: cluster.random,
      exclude: new Map(),
    },
  );
  const best = cluster.nodes.get(decision.ranked[0]?.id ?? "");
  if (!best) throw refusalError(decision);
  return best;
}
