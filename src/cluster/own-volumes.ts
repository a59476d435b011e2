/**
 * Whose a volume on a node is. Ours is what a create of ours mounts and what was not there before it. Owns those notes;
 * must not know how volumes are removed.
 */
import { splitNodePrefix } from "../docker/references.ts";
import type { Cluster } from "./cluster.ts";
import type { ListedContainer } from "./list-entry.ts";
import type { ClusterNode } from "./node.ts";
import type { ContainerRecord } from "./record.ts";

/** That it is noted is all. */
export type VolumeNote = Readonly<Record<string, never>>;

const OURS: VolumeNote = {};

interface Expected {
  /** Names that the node had before the create. */
  readonly before: ReadonlySet<string>;
  /** Monotonic milliseconds of the create's answer: older lists may show half a container. */
  readonly at: number;
}

/** Containers whose volumes are read with their next row. */
export type ExpectedVolumes = WeakMap<ContainerRecord, Expected>;

/** The engine has made it. @param before names that the node had before the create; @param named those that it asked for */
export function expectVolumes(
  cluster: Cluster,
  record: ContainerRecord,
  before: ReadonlySet<string>,
  named: readonly string[],
): void {
  for (const source of named) {
    const { rest: name } = splitNodePrefix(source);
    if (!before.has(name)) cluster.ownVolumes.set(record.node.id, name, OURS);
  }
  cluster.expectedVolumes.set(record, { before, at: cluster.clock.monotonic() });
}

/** Takes the volumes without a name that the engine made on the way. @param startedAt when the row's list was begun */
export function noteVolumes(cluster: Cluster, record: ContainerRecord, row: ListedContainer, startedAt: number): void {
  const expected = cluster.expectedVolumes.get(record);
  if (!expected || startedAt < expected.at) return;
  cluster.expectedVolumes.delete(record);
  for (const name of row.volumes) {
    if (!expected.before.has(name)) cluster.ownVolumes.set(record.node.id, name, OURS);
  }
}

/** Before a container goes whose volumes stay: what it mounts is read first. */
export async function settleVolumes(cluster: Cluster, record: ContainerRecord): Promise<void> {
  if (cluster.expectedVolumes.has(record)) await cluster.refresher.settledOn(record.node);
}

/** An engine's list of volumes. @param startedAt monotonic milliseconds when it was begun */
export function reconcileVolumes(cluster: Cluster, node: ClusterNode, startedAt: number): void {
  cluster.ownVolumes.reconcile(node.id, startedAt, (name, note) => (node.volumes.has(name) ? note : undefined));
}
