/**
 * Where a group's next object goes, and what follows when members come and go. Everything that decides is synchronous:
 * between looking for a home and taking it nothing waits, so that two first objects of a group get one home.
 */
import { conflict, type DockerError } from "../../docker/errors.ts";
import { type GroupAsk, type GroupPolicy, groupKey, readGroup } from "../../scheduler/group.ts";
import type { NodeSums } from "../../scheduler/ledger.ts";
import { type GroupHome, type GroupStanding, livesAt } from "../../scheduler/node-view.ts";
import { bytesText, cpusText, freeText } from "../../scheduler/sizes.ts";
import type { Cluster } from "../cluster.ts";
import type { ClusterNode } from "../node.ts";
import type { ObjectObserver } from "../object-index.ts";
import type { ContainerRecord } from "../record.ts";
import { LIMBO } from "../reschedule/limbo.ts";
import { NO_ROOM } from "../room.ts";
import { containersOf, derivedHome, hasMembers, membersOn, membersText, type ObjectKind } from "./members.ts";

/** IDs of nodes that cannot take an object. */
export type Tried = Pick<ReadonlySet<string>, "has">;

const NOBODY: Tried = new Set();

export function groupStanding(cluster: Cluster, ask: GroupAsk, tried: Tried = NOBODY): GroupStanding {
  const { key } = ask;
  const group = cluster.groups.get(key);
  const policy = ask.policy ?? group?.policy ?? cluster.options.groups.policy;
  const node = group?.home ?? derivedHome(cluster, key);
  if (node === undefined || isForsaken(cluster, key, node, tried)) return { policy, home: undefined };
  return { policy, home: homeAt(cluster, key, node) };
}

function homeAt(cluster: Cluster, key: string, node: string): GroupHome {
  return { node, members: () => membersText(membersOn(cluster, key, node)) };
}

/** A home that can take nothing and where nobody lives yet is none: another one is chosen. */
function isForsaken(cluster: Cluster, key: string, home: string, tried: Tried): boolean {
  const node = cluster.nodes.get(home);
  if (node?.reachable && !node.cordoned && !tried.has(home)) return false;
  // What lives on a node that was not read yet is unknown, which is not nobody.
  if (node !== undefined && !node.known) return false;
  // Its members have left a home that is lost, or emptied; what is left there does not hold them.
  if (hasMembers(cluster, key, LIMBO)) return true;
  return !cluster.groups.isMaking(key) && !hasMembers(cluster, key, home);
}

/**
 * No record tells of the group, and nodes that are about to be read may have members: worth waiting for them
 * (`settling`). Only the first manager on a store needs to.
 */
export function mayBeUnread({ registry, groups }: Cluster, ask: GroupAsk | undefined): boolean {
  return ask !== undefined && registry.term <= 1 && groups.get(ask.key) === undefined;
}

/**
 * Makes a network or volume of a group: until it is there or not, the group stays where it is. Rejects with 503 when the
 * store does not take the home, which was decided before (`joinGroup`).
 */
export async function whileMaking<T>(cluster: Cluster, ask: GroupAsk | undefined, make: () => Promise<T>): Promise<T> {
  if (ask === undefined) return make();
  const { groups } = cluster;
  groups.beginMaking(ask.key);
  try {
    await groups.durable(ask.key);
    return await make();
  } finally {
    groups.endMaking(ask.key);
    leftGroup(cluster, ask.key);
  }
}

/** Throws 409 when the object asks to reserve more for its group than the home has. */
export function requireReserve(cluster: Cluster, ask: GroupAsk | undefined): void {
  if (ask?.reserve === undefined) return;
  const { home } = groupStanding(cluster, ask);
  const reserve = larger(cluster.groups.get(ask.key)?.reserve, ask.reserve);
  if (home === undefined || reserve === undefined) return;
  const { ledger, options } = cluster;
  if (!ledger.fitsGroup(ask.key, { node: home.node, ...reserve }, options.overcommit)) {
    throw reserveRefusal(cluster, ask.key, home, reserve);
  }
}

function reserveRefusal(cluster: Cluster, key: string, home: GroupHome, reserve: NodeSums): DockerError {
  const capacity = cluster.ledger.capacity(home.node, cluster.options.overcommit) ?? { nanoCpus: 0, memory: 0 };
  const after = cluster.ledger.afterGroup(key, { node: home.node, ...reserve });
  const free = (text: (amount: number) => string, of: keyof NodeSums): string =>
    freeText(text, capacity[of] - after[of] + reserve[of], reserve[of]);
  const parts: string[] = [];
  if (after.nanoCpus > capacity.nanoCpus) {
    parts.push(`${free(cpusText, "nanoCpus")} CPUs left for it there, ${cpusText(reserve.nanoCpus)} asked`);
  }
  if (after.memory > capacity.memory) {
    parts.push(`${free(bytesText, "memory")} memory left for it there, ${bytesText(reserve.memory)} asked`);
  }
  const views = [...cluster.nodes.values()].map(({ view }) => view);
  return conflict(
    `${NO_ROOM}\ngroup: ${key} ${livesAt(home, views)}; ${parts.join("; ")} (shoal.reserve); make room there, or ask for less`,
  );
}

/** An object of the group goes to the node: the first one's node is the home. Synchronous, with the rest of the booking. */
export function joinGroup(cluster: Cluster, ask: GroupAsk | undefined, node: ClusterNode, tried: Tried = NOBODY): void {
  if (ask === undefined) return;
  const { policy, home } = groupStanding(cluster, ask, tried);
  if (policy === "spread") return;
  const known = cluster.groups.get(ask.key);
  cluster.groups.decide({
    key: ask.key,
    home: home?.node ?? node.id,
    policy: ask.policy ?? known?.policy,
    reserve: larger(known?.reserve, ask.reserve),
  });
}

/** A container or object of the group is gone, or was not made after all. */
export function leftGroup(cluster: Cluster, key: string | undefined): void {
  const group = key === undefined ? undefined : cluster.groups.get(key);
  // A home that was not read yet tells itself.
  if (key === undefined || group === undefined || cluster.nodes.get(group.home)?.known === false) return;
  if (!cluster.groups.isMaking(key) && !hasMembers(cluster, key)) cluster.groups.drop(key);
}

/** Keeps track of the networks or volumes that belong to groups. */
export function objectsOfGroups(cluster: Cluster, kind: ObjectKind): ObjectObserver {
  return (node, before, after) => {
    const { objects } = cluster.groups;
    const was = before && objects.delete(kind, node, before);
    const is = after && objects.add(kind, node, after);
    if (was !== is) leftGroup(cluster, was);
  };
}

export function groupOfRecord({ options }: Cluster, { labels }: ContainerRecord): string | undefined {
  return groupKey(labels, options.groups);
}

/**
 * The whole lists of a node were taken in: groups that have lost their last member meanwhile are gone, and those that no
 * record tells of are read off their members.
 */
export function reconcileGroups(cluster: Cluster, node: ClusterNode): void {
  const { groups } = cluster;
  for (const { key, home } of [...groups.all()]) if (home === node.id) leftGroup(cluster, key);
  const keys = new Set(groups.objects.keysOn(node.id));
  for (const record of node.containers.values()) {
    const key = record.nonce === undefined ? undefined : groupOfRecord(cluster, record);
    if (key !== undefined) keys.add(key);
  }
  for (const key of keys) rebuildGroup(cluster, key);
}

/** Reads a group off its members, unless a record tells of it. */
export function rebuildGroup(cluster: Cluster, key: string | undefined): void {
  const { groups } = cluster;
  if (key === undefined || (groups.get(key) !== undefined && !groups.isRebuilt(key)) || !hasMembers(cluster, key))
    return;
  const home = derivedHome(cluster, key);
  let policy: GroupPolicy | undefined;
  let reserve: NodeSums | undefined;
  for (const labels of memberLabels(cluster, key)) {
    const ask = readableGroup(cluster, labels);
    policy ??= ask?.policy;
    reserve = larger(reserve, ask?.reserve);
  }
  // One that is spread has no home.
  if (home === undefined || (policy ?? cluster.options.groups.policy) === "spread") return;
  groups.rebuild({ key, home, policy, reserve });
}

function* memberLabels(cluster: Cluster, key: string): IterableIterator<Readonly<Record<string, string>>> {
  for (const { labels, nonce } of containersOf(cluster, key)) if (nonce !== undefined) yield labels;
  for (const { object } of cluster.groups.objects.of(key)) if (object.hint !== undefined) yield object.labels;
}

function readableGroup({ options }: Cluster, labels: Readonly<Record<string, string>>): GroupAsk | undefined {
  try {
    return readGroup(labels, options.groups);
  } catch {
    // Made by a manager that took them.
    return undefined;
  }
}

function larger(a: NodeSums | undefined, b: NodeSums | undefined): NodeSums | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return { nanoCpus: Math.max(a.nanoCpus, b.nanoCpus), memory: Math.max(a.memory, b.memory) };
}
