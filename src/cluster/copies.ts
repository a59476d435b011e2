/** Copies of containers that are no part of the cluster: another one has replaced them, or nobody was told of them. */
import { CREATE_MS } from "../kit/limits.ts";
import type { Cluster } from "./cluster.ts";
import type { ClusterNode } from "./node.ts";
import type { ContainerRecord } from "./record.ts";
import { forgetRow } from "./remembered.ts";
import { tombstoneWrite } from "./tombstones.ts";

export interface Copy {
  readonly node: ClusterNode;
  readonly engineId: string;
}

/** Copies that cannot be judged before an engine has shown the container that they may be copies of. */
const waiting = new WeakMap<ContainerRecord, Copy[]>();

/** The copy is no part of the cluster until the other one was seen, or is known to be gone. */
export function awaitOther(other: ContainerRecord, copy: Copy): void {
  const copies = waiting.get(other) ?? [];
  if (copies.some(({ node, engineId }) => node === copy.node && engineId === copy.engineId)) return;
  waiting.set(other, [...copies, copy]);
}

/** Listed by an engine since this manager started: what the store tells alone may be older than what is. */
const seen = new WeakSet<ContainerRecord>();

export function isSeen(record: ContainerRecord): boolean {
  return seen.has(record);
}

/** An engine lists it. */
export function see(cluster: Cluster, record: ContainerRecord): void {
  if (seen.has(record)) return;
  seen.add(record);
  judgeCopies(cluster, record);
}

/** An engine has shown it, or it is gone: its copies are looked at again. */
export function judgeCopies(cluster: Cluster, record: ContainerRecord): void {
  const copies = waiting.get(record);
  if (!copies) return;
  waiting.delete(record);
  for (const { node, engineId } of copies) cluster.refresher.markId(node, engineId);
}

/** Out of every list from now on; off its node too when it never ran, kept aside there otherwise. */
export function setAside(
  cluster: Cluster,
  node: ClusterNode,
  { engineId, name }: Pick<ContainerRecord, "engineId" | "name">,
  neverRan: boolean,
): void {
  node.ignored.add(engineId);
  forgetRow(cluster, node, engineId);
  if (neverRan) void removeCopy(cluster, node, engineId);
  // In limbo there is no copy.
  else if (node !== cluster.limbo) leaveBehind(cluster, node, engineId, name);
}

/** It is stopped, and its engine starts it never again. */
function leaveBehind(cluster: Cluster, node: ClusterNode, container: string, name: string): void {
  const engine = node.facts?.engineId ?? "";
  const tombstone = { node: node.id, container, engine, name, replacedBy: "" };
  cluster.tombstones.add(tombstone);
  cluster.writer.later([tombstoneWrite(tombstone)]);
  cluster.refresher.markAll(node);
}

/** Removes a container that never ran. Never rejects: false when it is left there. */
export async function removeCopy(cluster: Cluster, node: ClusterNode, engineId: string): Promise<boolean> {
  // The one that leads finds it, too.
  if (!cluster.leads) return false;
  try {
    await node.engine.text("DELETE", `/containers/${engineId}?v=1`, undefined, { deadlineMs: CREATE_MS });
    return true;
  } catch (error) {
    cluster.log.warn("a container that never ran is left on its node", {
      node: node.name,
      container: engineId,
      error: String(error),
    });
    return false;
  }
}
