/**
 * A network that nothing is in has no need of its node: the first container that joins it takes it along to its own, under
 * the ID and name that clients know. What a client bound to a node, a group's, and what is not ours stay.
 */

import { DockerError } from "../../docker/errors.ts";
import { CREATE_MS, ENGINE_CALL_MS } from "../../kit/limits.ts";
import { groupKey } from "../../scheduler/group.ts";
import type { Cluster } from "../cluster.ts";
import { nodeFailure } from "../exchange.ts";
import type { Found } from "../find-object.ts";
import type { ClusterNode } from "../node.ts";
import { makeThereToo } from "./create.ts";
import { isSpread, type NodeNetwork, networkGone } from "./network.ts";

/** @returns whether it is on the node now. Throws DockerError when the node cannot make it. */
export async function moveNetwork(cluster: Cluster, found: Found<NodeNetwork>, to: ClusterNode): Promise<boolean> {
  const { networks, options } = cluster;
  const [[nodeId, { engineKey }] = ["", { engineKey: "" }], ...others] = found.on;
  const from = cluster.nodes.get(nodeId);
  if (!from?.reachable || others.length > 0 || isSpread(found)) return false;
  // Its row tells how it was made, and may not have been read yet.
  await cluster.refresher.settledOn(from);
  const network = networks.get(from.id, engineKey);
  if (!network?.hint) return false;
  if (found.named || network.hint.pinned || groupKey(network.labels, options.groups) !== undefined) return false;
  if (!(await isUnused(from, network))) return false;
  // Nothing waits between the look at the hold and the hold: only one connect moves it.
  if (networks.heldKey(network.name) !== undefined) return false;
  // Events tell of the new one before its engine answers.
  networks.hold(network.name, network.key);
  try {
    await makeThereToo(cluster, { ...network, hint: { ...network.hint, id: network.key, moved: true } }, to);
    // Whoever came meanwhile was placed where it was.
    if ((await isUnused(from, network)) && (await gaveWay(cluster, from, network))) return true;
    const made = networks.byKey(network.key)?.on.get(to.id);
    if (made) await remove(cluster, to, made);
    return false;
  } catch (error) {
    throw nodeFailure(cluster, to, error);
  } finally {
    networks.release(network.name);
  }
}

/** False when its engine keeps it. Where nobody knows, two are better than none. */
async function gaveWay(cluster: Cluster, node: ClusterNode, network: NodeNetwork): Promise<boolean> {
  try {
    await remove(cluster, node, network);
  } catch (error) {
    if (error instanceof DockerError) return false;
    cluster.log.warn("a network has moved, and may still be where it was", { node: node.name, network: network.name });
  }
  return true;
}

/** No container is in it, not even one that does not run; false where its engine does not say. */
async function isUnused(node: ClusterNode, { engineKey }: NodeNetwork): Promise<boolean> {
  const filters = encodeURIComponent(JSON.stringify({ network: [engineKey] }));
  const path = `/containers/json?all=1&filters=${filters}`;
  try {
    const text = await node.engine.text("GET", path, undefined, { deadlineMs: ENGINE_CALL_MS });
    return (JSON.parse(text) as unknown[]).length === 0;
  } catch {
    return false;
  }
}

async function remove(cluster: Cluster, node: ClusterNode, { engineKey }: NodeNetwork): Promise<void> {
  await node.engine.text("DELETE", `/networks/${engineKey}`, undefined, { deadlineMs: CREATE_MS });
  networkGone(cluster, node, engineKey);
  cluster.refresher.markList(node, "networks", true);
}
