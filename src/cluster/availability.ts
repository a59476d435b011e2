/**
 * What an operator wants of nodes: that they take nothing new, that what can leave them does, that the rest is stopped there
 * as well (`forced`), or that they are no part of the cluster although discovery lists them. Kept in the store as `availability/<node ID>`, over restarts and for nodes
 * that are away; must not know how anything leaves.
 */
import type { Cluster } from "./cluster.ts";
import type { ClusterNode } from "./node.ts";

export const AVAILABILITY = "availability/";

const WANTED = ["active", "cordoned", "draining", "forced", "removed"] as const;
export type Availability = (typeof WANTED)[number];

export class Availabilities {
  /** By node ID; of those that are active there is none. */
  readonly #wanted = new Map<string, Availability>();

  /** One entry of the store. @returns false when it is another one's, or cannot be read */
  restore(key: string, value: string): boolean {
    const wanted = WANTED.find((one) => one === value);
    if (!key.startsWith(AVAILABILITY) || !wanted) return false;
    this.#wanted.set(key.slice(AVAILABILITY.length), wanted);
    return true;
  }

  /** One of these entries, which may be gone. */
  take(key: string, value: string | undefined): void {
    if (value === undefined) this.#wanted.delete(key.slice(AVAILABILITY.length));
    else this.restore(key, value);
  }

  of(nodeId: string): Availability {
    return this.#wanted.get(nodeId) ?? "active";
  }

  set(nodeId: string, wanted: Availability): void {
    if (wanted === "active") this.#wanted.delete(nodeId);
    else this.#wanted.set(nodeId, wanted);
  }

  all(): Iterable<[string, Availability]> {
    return this.#wanted;
  }
}

/** Resolves when it is durable. Rejects with DockerError 503. */
export async function setAvailability(cluster: Cluster, nodeId: string, wanted: Availability): Promise<void> {
  const { availabilities, writer, rescheduler, roll, nodes, log } = cluster;
  await writer.write([{ key: AVAILABILITY + nodeId, value: wanted === "active" ? undefined : wanted }]);
  const before = availabilities.of(nodeId);
  availabilities.set(nodeId, wanted);
  log.info(`node is ${wanted}`, { node: nodes.get(nodeId)?.name ?? nodeId });
  if (before === "removed" || wanted === "removed") roll.apply();
  const node = nodes.get(nodeId);
  if (!node) return;
  applyAvailability(cluster, node);
  rescheduler.wake();
  // What it keeps aside of containers that are pending still goes on there.
  if (wanted === "active" && node.reachable) cluster.refresher.markAll(node);
}

/** To be called for each node that joins, too. */
export function applyAvailability({ availabilities }: Cluster, node: ClusterNode): void {
  node.availability = availabilities.of(node.id);
  node.touch();
}

/** A store that was restored is told again. */
export function writeAvailabilities({ availabilities, writer }: Cluster): void {
  writer.later([...availabilities.all()].map(([nodeId, value]) => ({ key: AVAILABILITY + nodeId, value })));
}
