/** Reading and changing a volume on the node that has it. */
import { DockerError } from "../../docker/errors.ts";
import { type Edit, splice } from "../../docker/json-text.ts";
import { CREATE_MS, ENGINE_CALL_MS } from "../../kit/limits.ts";
import type { Cluster } from "../cluster.ts";
import { nodeFailure } from "../exchange.ts";
import { candidates, type Found, shownObjectName } from "../find-object.ts";
import { anyNode, requireReachable } from "../lookup.ts";
import type { ClusterNode } from "../node.ts";
import { nodeObject } from "../translate.ts";
import { findVolumes, firstNode, noSuchVolume, requireOwnVolume } from "./find.ts";
import { type NodeVolume, readVolume, VOLUMES } from "./volume.ts";

/** The engine's answer, with the node that it comes from. Throws DockerError. */
export async function inspectVolume(cluster: Cluster, ref: string, version: string | undefined): Promise<string> {
  const [found] = findVolumes(cluster, ref);
  const node = found && firstNode(cluster, found);
  if (!found || !node) throw noSuchVolume(ref);
  requireReachable(node);
  const answer = await call(cluster, node, "GET", pathOf(found), { version });
  const { text = answer } = readVolume(node, answer);
  const shown = found.named ? found.name : shownObjectName(cluster, VOLUMES, found);
  const edits: Edit[] = [{ path: ["Node"], json: nodeObject(node) }];
  if (shown !== found.name) edits.push({ path: ["Name"], json: JSON.stringify(shown) });
  return splice(text, edits);
}

/** Only volumes of swarm mode can be changed: an engine says so. Throws DockerError. */
export async function updateVolume(
  cluster: Cluster,
  ref: string,
  query: string,
  body: string,
  version: string | undefined,
): Promise<string> {
  const [found] = candidates(cluster, VOLUMES, ref).length === 0 ? [] : findVolumes(cluster, ref);
  const node = (found && firstNode(cluster, found)) ?? anyNode(cluster);
  requireReachable(node);
  const path = found ? pathOf(found) : `/volumes/${encodeURIComponent(ref)}`;
  return call(cluster, node, "PUT", `${path}${query}`, { body, version });
}

/**
 * Removes it; of caches of one name, all.
 *
 * @param force the client's: one that is not there is no error
 * @returns what was removed, and where. Throws DockerError.
 */
export async function removeVolume(
  cluster: Cluster,
  ref: string,
  force: boolean,
  version: string | undefined,
): Promise<{ readonly name: string; readonly node: ClusterNode } | undefined> {
  if (force && candidates(cluster, VOLUMES, ref).length === 0) await cluster.refresher.settled();
  let all: readonly Found<NodeVolume>[];
  try {
    all = findVolumes(cluster, ref);
  } catch (error) {
    if (force && error instanceof DockerError && error.status === 404) return undefined;
    throw error;
  }
  for (const found of all) requireOwnVolume(cluster, found, "remove");
  const nodes = all.map((found) => firstNode(cluster, found));
  for (const node of nodes) if (node) requireReachable(node);
  for (const [i, found] of all.entries()) {
    const node = nodes[i];
    if (node) await removeFrom(cluster, found, node, force, version);
  }
  const [node] = nodes;
  return node && { name: all[0]?.name ?? ref, node };
}

async function removeFrom(
  cluster: Cluster,
  found: Found<NodeVolume>,
  node: ClusterNode,
  force: boolean,
  version: string | undefined,
): Promise<void> {
  await call(cluster, node, "DELETE", `${pathOf(found)}${force ? "?force=1" : ""}`, { version });
  // A volume that is the same everywhere is gone everywhere.
  for (const nodeId of found.on.keys()) volumeGone(cluster, nodeId, found.name);
}

/** It is known to be gone, before its engine's event says so. */
export function volumeGone(cluster: Cluster, nodeId: string, name: string): void {
  cluster.volumes.remove(nodeId, name, cluster.clock.monotonic());
  cluster.ownVolumes.delete(nodeId, name);
}

const pathOf = ({ name }: Found<NodeVolume>): string => `/volumes/${encodeURIComponent(name)}`;

/** Throws DockerError, the engine's own in the cluster's words. */
async function call(
  cluster: Cluster,
  node: ClusterNode,
  method: string,
  path: string,
  { body, version }: { readonly body?: string; readonly version: string | undefined },
): Promise<string> {
  try {
    const deadlineMs = method === "GET" ? ENGINE_CALL_MS : CREATE_MS;
    return await node.engine.text(method, path, body, { deadlineMs, version });
  } catch (error) {
    throw nodeFailure(cluster, node, error);
  }
}
