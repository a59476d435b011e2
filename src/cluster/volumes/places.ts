/**
 * Where the volumes of a name live, for whoever is about to use or make one: what engines list, what creates under way
 * will make, and what notes tell of volumes that no list has shown yet. Nothing here waits.
 */
import { splitNodePrefix } from "../../docker/references.ts";
import { CACHE_LABEL } from "../../scheduler/filters/volume.ts";
import type { VolumePlaces } from "../../scheduler/node-view.ts";
import type { Cluster } from "../cluster.ts";
import type { NodeVolume } from "./volume.ts";

/** @param ref `name` or `node/name`; a volume that is the same on every node has no place */
export function placesOfVolume(cluster: Cluster, ref: string): VolumePlaces {
  const { node: nodeName } = splitNodePrefix(ref);
  const node = nodeName === undefined ? undefined : cluster.nodeByName(nodeName);
  const kept = new Set<string>();
  const caches = new Set<string>();
  if (node) return { kept: kept.add(node.id), caches, named: true };
  for (const { on } of cluster.volumes.named(ref)) {
    for (const [nodeId, volume] of on) {
      if (!volume.isGlobal) (isCache(cluster, ref, volume) ? caches : kept).add(nodeId);
    }
  }
  const unlisted = isCacheName(cluster, ref) ? caches : kept;
  const add = (nodeId: string): void => {
    if (!caches.has(nodeId)) unlisted.add(nodeId);
  };
  for (const nodeId of cluster.placements.upcomingVolumes(ref)) add(nodeId);
  for (const nodeId of cluster.objectCreates.nodesOf("volumes", ref)) add(nodeId);
  for (const nodeId of cluster.nodes.keys()) if (cluster.ownVolumes.get(nodeId, ref) !== undefined) add(nodeId);
  return { kept, caches, named: false };
}

/** Its contents can be made again: by its own label, or by its name. */
export function isCache(cluster: Cluster, name: string, { labels }: NodeVolume): boolean {
  return labels[CACHE_LABEL] === "true" || isCacheName(cluster, name);
}

function isCacheName(cluster: Cluster, name: string): boolean {
  return cluster.options.cacheVolumes?.some((matcher) => matcher.test(name)) ?? false;
}

/** `vol` for `node-1/vol`, where node-1 is a node: what the engine itself knows it by. */
export function engineVolumeName(cluster: Cluster, ref: string): string {
  const { node, rest } = splitNodePrefix(ref);
  return node !== undefined && !ref.startsWith("/") && cluster.nodeByName(node) ? rest : ref;
}
