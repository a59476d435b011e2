/**
 * Whose a volume on a node is. Ours is what a request of ours made: the label that an explicit create leaves says so, and
 * notes do, which also cover what a container's create mounts and was not there before it. Owns those notes; must not know
 * how volumes are removed.
 */
import type { Cluster } from "../cluster.ts";
import type { ListedContainer } from "../list-entry.ts";
import type { ClusterNode } from "../node.ts";
import type { ContainerRecord } from "../record.ts";
import { toldVolume } from "./volume.ts";

/** That it is noted is all. */
export type VolumeNote = Readonly<Record<string, never>>;

const OURS: VolumeNote = {};

interface Expected {
  /** How many volumes the index had heard of before the create. */
  readonly before: number;
  /** Monotonic milliseconds of the create's answer: older lists may show half a container. */
  readonly at: number;
}

/** Containers whose volumes are read with their next row. */
export type ExpectedVolumes = WeakMap<ContainerRecord, Expected>;

export function isOwnVolume(cluster: Cluster, nodeId: string, name: string): boolean {
  return cluster.volumes.get(nodeId, name)?.hint !== undefined || cluster.ownVolumes.get(nodeId, name) !== undefined;
}

/** A create of ours made it. */
export function ownVolume(cluster: Cluster, nodeId: string, name: string): void {
  cluster.ownVolumes.set(nodeId, name, OURS);
}

/**
 * The engine has made the container, and with it the volumes that it names.
 *
 * @param before how many volumes the index had heard of before the create
 * @param named those that it asked for, by the names that the engine knows
 */
export function expectVolumes(
  cluster: Cluster,
  record: ContainerRecord,
  before: number,
  named: readonly string[],
): void {
  const { node } = record;
  for (const name of named) {
    if (cluster.volumes.isNewSince(before, node.id, name)) ownVolume(cluster, node.id, name);
  }
  tellVolumes(cluster, node, named);
  cluster.expectedVolumes.set(record, { before, at: cluster.clock.monotonic() });
}

/** A container that is there has the volumes that it names, whatever its engine's list of volumes has told so far. */
export function tellVolumes(cluster: Cluster, node: ClusterNode, named: readonly string[]): void {
  for (const name of named) {
    if (cluster.volumes.get(node.id, name)) continue;
    cluster.volumes.add(node.id, toldVolume(node, name, ""), cluster.clock.monotonic());
    cluster.refresher.markList(node, "volumes", true);
  }
}

/** Takes the volumes without a name that the engine made on the way. @param startedAt when the row's list was begun */
export function noteVolumes(cluster: Cluster, record: ContainerRecord, row: ListedContainer, startedAt: number): void {
  const expected = cluster.expectedVolumes.get(record);
  if (!expected || startedAt < expected.at) return;
  cluster.expectedVolumes.delete(record);
  for (const name of row.volumes) {
    if (cluster.volumes.isNewSince(expected.before, record.node.id, name)) ownVolume(cluster, record.node.id, name);
  }
}

/** Before a container goes whose volumes stay: what it mounts is read first. */
export async function settleVolumes(cluster: Cluster, record: ContainerRecord): Promise<void> {
  if (cluster.expectedVolumes.has(record)) await cluster.refresher.settledOn(record.node);
}

/** After an engine's list of volumes was taken in. @param startedAt monotonic milliseconds when it was begun */
export function reconcileVolumes(cluster: Cluster, node: ClusterNode, startedAt: number): void {
  cluster.ownVolumes.reconcile(node.id, startedAt, (name, note) =>
    cluster.volumes.get(node.id, name) ? note : undefined,
  );
}
