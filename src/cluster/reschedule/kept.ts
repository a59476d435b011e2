/**
 * Copies that the cluster went on without, kept aside on their nodes: what an operator sees of them, takes back into the
 * cluster, or removes. Nothing else ever removes one.
 */
import { conflict, nameInUse, notFound } from "../../docker/errors.ts";
import { isValidContainerName } from "../../docker/references.ts";
import { CREATE_MS } from "../../kit/limits.ts";
import type { Cluster } from "../cluster.ts";
import { nodeFailure } from "../exchange.ts";
import { drop } from "../forget.ts";
import { settle } from "../holdings.ts";
import { requireReachable } from "../lookup.ts";
import type { ClusterNode } from "../node.ts";
import { blankRecord, type ContainerRecord } from "../record.ts";
import { endTombstone, type Tombstone } from "../tombstones.ts";

/** Newest last, as they were left. */
export function keptView(cluster: Cluster): Record<string, unknown>[] {
  return [...cluster.tombstones.all()].map(({ node: nodeId, container, name, replacedBy }) => {
    const node = cluster.nodes.get(nodeId);
    return {
      ID: container,
      Name: name,
      Node: node?.name ?? nodeId,
      Reason: replacedBy === undefined ? "removed" : "replaced",
      ReplacedBy: replacedBy || null,
      Reachable: node?.reachable ?? false,
    };
  });
}

/** @param ref the engine's ID of the copy, or the beginning of it. Throws 404 and 409. */
function findKept(cluster: Cluster, ref: string): { readonly tombstone: Tombstone; readonly node: ClusterNode } {
  const found = [...cluster.tombstones.all()].filter(({ container }) => ref !== "" && container.startsWith(ref));
  const [tombstone] = found;
  if (!tombstone) throw notFound(`No such kept container: ${ref}`);
  if (found.length > 1) throw conflict(`several kept containers begin with ${ref}: say more of the ID`);
  const node = cluster.nodes.get(tombstone.node);
  if (!node) throw conflict(`the node of the kept container ${ref} is not in the cluster`);
  requireReachable(node);
  return { tombstone, node };
}

/** For good; its volumes stay. Rejects with DockerError. */
export async function removeKept(cluster: Cluster, ref: string): Promise<void> {
  const { tombstone, node } = findKept(cluster, ref);
  await ask(cluster, node, "DELETE", `/containers/${tombstone.container}?force=1`);
  endTombstone(cluster, tombstone);
}

/**
 * Makes it a container of the cluster again, stopped, under a new ID: its own goes on elsewhere, or was given up.
 * @param wanted another name, where its own is taken; "" for its own. Rejects with DockerError.
 */
export async function restoreKept(cluster: Cluster, ref: string, wanted: string): Promise<ContainerRecord> {
  const { inventory, registry, random, refresher } = cluster;
  const { tombstone, node } = findKept(cluster, ref);
  const name = wanted === "" ? tombstone.name : wanted;
  if (!isValidContainerName(name)) throw conflict(`${name} is no name of a container`);
  for (const holder of inventory.named(name)) throw nameInUse(name, holder.id);
  // From here on the name is taken.
  const record: ContainerRecord = {
    ...blankRecord(node, { id: random.hex(32), name, epoch: 1 }, "exited"),
    nonce: random.hex(8),
    engineId: tombstone.container,
    created: Math.floor(cluster.clock.now() / 1000),
    sequence: inventory.nextSequence(),
    touchedAt: cluster.clock.monotonic(),
  };
  node.ignored.delete(tombstone.container);
  node.gone.delete(tombstone.container);
  inventory.add(record);
  try {
    await ask(cluster, node, "POST", `/containers/${tombstone.container}/rename?name=${encodeURIComponent(name)}`);
    await registry.own(record);
  } catch (error) {
    drop(cluster, record);
    node.ignored.add(tombstone.container);
    throw error;
  }
  endTombstone(cluster, tombstone);
  settle(cluster, record);
  refresher.mark(record, true);
  return record;
}

function ask(cluster: Cluster, node: ClusterNode, method: string, path: string): Promise<string> {
  return node.engine
    .text(method, path, undefined, { deadlineMs: CREATE_MS })
    .catch((error: unknown) => Promise.reject(nodeFailure(cluster, node, error)));
}
