/**
 * Which volume a client means. A name on several nodes is never guessed; only of caches, which are alike, one stands for
 * all. Owns that, and who may change a volume.
 */
import { conflict, type DockerError, notFound } from "../../docker/errors.ts";
import type { Cluster } from "../cluster.ts";
import { candidates, type Found, findObject, placesOf } from "../find-object.ts";
import { foreignThing, managesForeign } from "../foreign.ts";
import { missing } from "../lookup.ts";
import type { ClusterNode } from "../node.ts";
import { isOwnVolume } from "./own-volumes.ts";
import { isCache } from "./places.ts";
import { type NodeVolume, VOLUMES } from "./volume.ts";

export const noSuchVolume = (ref: string): DockerError => notFound(`get ${ref}: no such volume`);

/** All that a reference means: one volume, or the caches of one name, in the order of their nodes' names. Throws 404, 409 or 503. */
export function findVolumes(cluster: Cluster, ref: string): readonly Found<NodeVolume>[] {
  const found = candidates(cluster, VOLUMES, ref);
  if (found.length === 0) throw missing(cluster, noSuchVolume(ref));
  if (
    found.length > 1 &&
    found.every(({ name, on }) => [...on.values()].every((volume) => isCache(cluster, name, volume)))
  )
    return [...found].sort((a, b) => (nodeName(cluster, a) < nodeName(cluster, b) ? -1 : 1));
  // Throws for several.
  const only = findObject(cluster, VOLUMES, ref);
  return only ? [only] : [];
}

const nodeName = (cluster: Cluster, found: Found<NodeVolume>): string => firstNode(cluster, found)?.name ?? "";

/** A node that has it: one that answers, if there is one. */
export function firstNode(cluster: Cluster, { on }: Found<NodeVolume>): ClusterNode | undefined {
  const nodes = [...on.keys()].flatMap((id) => cluster.nodes.get(id) ?? []);
  return nodes.find((node) => node.reachable) ?? nodes[0];
}

/** Several nodes have the name, and nobody said which. */
export function ambiguousVolume(cluster: Cluster, name: string): DockerError {
  const places = placesOf(cluster, VOLUMES, name).join(" or ");
  return conflict(`The volume name "${name}" is on several nodes: say which one, ${places}`);
}

/** Throws 409 for a foreign one, unless it was addressed with its node. */
export function requireOwnVolume(cluster: Cluster, { name, on, named }: Found<NodeVolume>, action: string): void {
  if (managesForeign(cluster) || named !== undefined) return;
  for (const nodeId of on.keys()) {
    if (isOwnVolume(cluster, nodeId, name)) continue;
    throw foreignThing("volume", name, cluster.nodes.get(nodeId)?.name ?? nodeId, action);
  }
}
