/**
 * Networks of containers that leave a lost or drained node: they go with them. Until the first of these containers is made
 * elsewhere, a network is nowhere (in limbo), and is made where that one goes. What the node still has of it is no part
 * of the cluster, and goes as soon as nothing but kept copies is in it.
 */
import { splice } from "../../docker/json-text.ts";
import { CREATE_MS } from "../../kit/limits.ts";
import type { Cluster } from "../cluster.ts";
import { encodeObjectHint, HINT_LABEL } from "../hint.ts";
import { type NodeNetwork, networkGone, readNetwork } from "../networks/network.ts";
import type { ClusterNode } from "../node.ts";
import { LIMBO } from "./limbo.ts";

/** The value of `left/networks/<node ID>/<engine's network ID>`. */
export interface LeftNetwork {
  /** Its key in the cluster. */
  readonly key: string;
  readonly name: string;
}

/** From now on it is where its containers will be. Rejects with DockerError 503 when that cannot be kept. */
export async function releaseNetwork(cluster: Cluster, node: ClusterNode, network: NodeNetwork): Promise<void> {
  const { networks, leftNetworks, rememberedNetworks, writer, clock } = cluster;
  const { key, name, engineKey, hint, row } = network;
  if (!hint || row === undefined) return;
  const moved = encodeObjectHint({ ...hint, id: key, moved: true });
  const limboRow = splice(row, [
    { path: ["Id"], json: JSON.stringify(key) },
    { path: ["Labels", HINT_LABEL], json: JSON.stringify(moved) },
  ]);
  const left = leftNetworks.keep(node.id, engineKey, { key, name });
  await writer.write([left, rememberedNetworks.keep(LIMBO, key, { row: limboRow })]);
  node.ignored.add(engineKey);
  networks.add(LIMBO, readNetwork(cluster, cluster.limbo, limboRow), clock.monotonic());
  networks.remove(node.id, engineKey, clock.monotonic());
}

/**
 * To be called with what a node lists, before it is taken in: what the cluster left there is no part of it, unless it is
 * still nowhere else.
 */
export function withoutLeft(
  cluster: Cluster,
  node: ClusterNode,
  listed: readonly NodeNetwork[],
): readonly NodeNetwork[] {
  const { leftNetworks, networks } = cluster;
  if (leftNetworks.on(node.id).length === 0) return listed;
  const names = new Set(listed.map(({ engineKey }) => engineKey));
  for (const engineKey of leftNetworks.on(node.id)) {
    const left = leftNetworks.get(node.id, engineKey);
    if (left === undefined) continue;
    // A node that is to be emptied does not take back what has left it.
    const isBack = !node.draining && networks.get(LIMBO, left.key) !== undefined && names.has(engineKey);
    if (isBack) networks.remove(LIMBO, left.key, cluster.clock.monotonic());
    if (!isBack && names.has(engineKey) && networks.byKey(left.key)) continue;
    // Here again, gone, or removed by a client meanwhile.
    if (isBack || !names.has(engineKey)) {
      leftNetworks.delete(node.id, engineKey);
      node.ignored.delete(engineKey);
    }
  }
  return listed.filter(({ engineKey }) => leftNetworks.get(node.id, engineKey) === undefined);
}

/** Removes what only kept copies are in. Never rejects: what did not work is tried again after the node's next list. */
export async function clearLeft(cluster: Cluster, node: ClusterNode): Promise<void> {
  const { leftNetworks, tombstones, log } = cluster;
  if (!cluster.leads) return;
  const kept = new Set([...tombstones.of(node.id)].map(({ container }) => container));
  for (const engineKey of leftNetworks.on(node.id)) {
    try {
      const filters = encodeURIComponent(JSON.stringify({ network: [engineKey] }));
      const members = await node.engine.json<{ Id: string; State: string }[]>(
        "GET",
        `/containers/json?all=1&filters=${filters}`,
        undefined,
        { deadlineMs: CREATE_MS },
      );
      if (!members.every(({ Id, State }) => kept.has(Id) && State !== "running")) continue;
      for (const { Id } of members) {
        const body = { Container: Id, Force: true };
        await node.engine.text("POST", `/networks/${engineKey}/disconnect`, body, { deadlineMs: CREATE_MS });
      }
      await node.engine.text("DELETE", `/networks/${engineKey}`, undefined, { deadlineMs: CREATE_MS });
      leftNetworks.delete(node.id, engineKey);
      node.ignored.delete(engineKey);
      networkGone(cluster, node, engineKey);
    } catch (error) {
      log.debug("a network that was left on a node is still there", { node: node.name, error: String(error) });
    }
  }
}
