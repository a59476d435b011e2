/**
 * Engines and addresses that part. The same engine at a new address: its containers move with it, under the IDs that they
 * had; told apart from a clone, whose machine was copied with the engine's ID but runs containers of its own. And another
 * engine at an address: what the one before it had is neither the new one's nor gone.
 */
import type { EngineFacts } from "../engine/facts.ts";
import { someOf } from "../kit/some-of.ts";
import type { Cluster } from "./cluster.ts";
import { drop } from "./forget.ts";
import type { ListedContainer } from "./list-entry.ts";
import type { ClusterNode } from "./node.ts";
import { forgetRow } from "./remembered.ts";

/** To be called with the whole list of a node before it is taken in. */
export function takeMoved(cluster: Cluster, node: ClusterNode, rows: readonly ListedContainer[]): void {
  for (const other of cluster.nodes.values()) {
    if (other === node || other.reachable || other.containers.size === 0) continue;
    if (!isMoved(node, other, rows)) continue;
    let moved = 0;
    for (const { engineId, name } of rows) {
      const record = other.containers.get(engineId);
      if (!record || node.containers.has(engineId)) continue;
      if (!record.needsKnown) {
        other.unmeasured--;
        node.unmeasured++;
      }
      cluster.inventory.bind(record, node, engineId, name);
      record.touchedAt = Number.NEGATIVE_INFINITY;
      cluster.registry.remember(record);
      forgetRow(cluster, other, engineId);
      moved++;
    }
    if (moved === 0) continue;
    cluster.log.info("an engine has moved to a new address, and its containers with it", {
      from: other.address,
      to: node.address,
      containers: moved,
    });
  }
}

/**
 * Engines make their network `bridge` anew when they start, so the same one tells that it is the same engine, while
 * another one tells nothing: then most of its containers have to be there. What a clone's image brought along is few.
 */
function isMoved(node: ClusterNode, other: ClusterNode, rows: readonly ListedContainer[]): boolean {
  if (!node.facts || other.facts?.engineId !== node.facts.engineId) return false;
  if (other.facts.bridgeId !== "" && other.facts.bridgeId === node.facts.bridgeId) return true;
  const shared = rows.filter(({ engineId }) => other.containers.has(engineId)).length;
  return shared * 2 > other.containers.size;
}

/** Another engine than before answers at the node's address. */
export function engineReplaced(cluster: Cluster, node: ClusterNode, was: EngineFacts, now: EngineFacts): void {
  const { registry, log } = cluster;
  const left = [...node.containers.values()];
  const names = left.map(({ name }) => name).sort();
  log.warn("another engine answers at this address", {
    address: node.address,
    was: was.engineId,
    now: now.engineId,
    containers: names,
  });
  if (node.replaced?.engine === now.engineId) node.replaced = undefined;
  for (const record of left) {
    registry.park(registry.identityOf(record));
    drop(cluster, record);
    forgetRow(cluster, node, record.engineId);
  }
  if (left.length === 0) return;
  node.replaced = {
    engine: was.engineId,
    warning: `another engine (${now.engineId}) answers at ${node.address} than before (${was.engineId}): containers of the one before are no longer listed, and will be again when it is in the cluster, at whatever address: ${someOf(names)}`,
  };
}
