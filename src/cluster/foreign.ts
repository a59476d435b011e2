/**
 * What was not made through shoal: read and counted like everything else, and left alone. Owns who may change what; what
 * is ours is known from elsewhere.
 */
import { conflict, type DockerError } from "../docker/errors.ts";
import { splitNodePrefix } from "../docker/references.ts";
import type { Cluster } from "./cluster.ts";
import type { Found, Kind } from "./find-object.ts";
import type { NodeObject } from "./object-index.ts";
import type { ContainerRecord } from "./record.ts";

/** Left alone, or treated like what was made through shoal. */
export type ForeignMode = "protect" | "manage";

/** No create of ours made it: neither a record nor a hint that can be believed says so. */
export function isForeign(record: ContainerRecord): boolean {
  return record.nonce === undefined;
}

/**
 * Without `--foreign`, a cluster that has only ever been one node is that engine under another address, so all of it is
 * managed. From the second node on everything foreign is protected, and stays so when discovery lists one node again.
 */
export function managesForeign(cluster: Cluster): boolean {
  return (cluster.options.foreign ?? (cluster.hadSeveralNodes ? "protect" : "manage")) === "manage";
}

/**
 * Refuses a change of a foreign container unless it was addressed with its node.
 *
 * @param typed the reference as the client wrote it
 * @param action what was asked, as a verb: `stop`
 * @throws DockerError 409 naming the remedy
 */
export function requireOwn(cluster: Cluster, record: ContainerRecord, typed: string, action: string): void {
  if (!isForeign(record) || managesForeign(cluster) || splitNodePrefix(typed).node === record.node.name) return;
  throw foreignThing("container", record.name, record.node.name, action);
}

/** The same for a network or volume. */
export function requireOwnObject<T extends NodeObject>(
  cluster: Cluster,
  { noun }: Kind<T>,
  { name, on, named }: Found<T>,
  action: string,
): void {
  if (managesForeign(cluster) || named !== undefined) return;
  for (const [nodeId, { hint }] of on) {
    if (hint === undefined) throw foreignThing(noun, name, cluster.nodes.get(nodeId)?.name ?? nodeId, action);
  }
}

export function foreignThing(noun: string, name: string, node: string, action: string): DockerError {
  return conflict(
    `${noun} ${name} on node ${node} was not created through shoal: to ${action} it, address it as ${node}/${name}, or start the manager with --foreign manage`,
  );
}
