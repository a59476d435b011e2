/**
 * What the scheduler may know of one node: an immutable view. The cluster makes a new one only when a fact changes,
 * so object identity can key caches. Sums of reservations are not here: they are the ledger's.
 */
import type { GroupAsk, GroupPolicy } from "./group.ts";
import type { Matcher } from "./matcher.ts";

export interface NodeView {
  /** Opaque, stable over restarts and renames. */
  readonly id: string;
  /** The engine's host name, unique in the cluster. */
  readonly name: string;
  /** Reachable and answering. */
  readonly healthy: boolean;
  /** By the operator: takes nothing new. */
  readonly cordoned: boolean;
  /** In real distress (memory nearly gone, disk full, failing creates): ranks last, is not excluded. */
  readonly distressed: boolean;
  /** Engine labels as the engine gives them. */
  readonly labels: ReadonlyMap<string, string>;
  /** Standard constraints by lower-case key: node, storagedriver, driver, executiondriver, kernelversion, operatingsystem, ostype, architecture. */
  readonly standard: ReadonlyMap<string, string>;
  /** Newest and oldest Engine API version that it speaks, such as `1.41`. */
  readonly apiVersion: string;
  readonly minApiVersion: string;
  /** As reported: CPUs × 10⁹, and bytes, before overcommit. */
  readonly nanoCpus: number;
  readonly memory: number;
}

/** Where volumes of one name live. */
export interface VolumePlaces {
  /** IDs of the nodes that have one whose contents must not be missed. */
  readonly kept: ReadonlySet<string>;
  /** IDs of the nodes that have one which is but a cache. */
  readonly caches: ReadonlySet<string>;
  /** The reference named the node: `kept` is that one, whatever it has. */
  readonly named: boolean;
}

/** What lives where, asked by the filters. Every answer is a set of node IDs; implemented over indexes by the cluster. */
export interface Surroundings {
  /** Where the container of this reference lives (name, node/name, ID or unique prefix): empty when there is none. */
  nodesOfContainer(ref: string): ReadonlySet<string>;
  /** Nodes with a container one of whose names or IDs (full, short) matches. */
  nodesWithContainer(matcher: Matcher): ReadonlySet<string>;
  /** Nodes with a container whose label `key` has a matching value. */
  nodesWithContainerLabel(key: string, matcher: Matcher): ReadonlySet<string>;
  /** Nodes with an image one of whose tags, repositories, digests or IDs matches. */
  nodesWithImage(matcher: Matcher): ReadonlySet<string>;
  /** Nodes that have the image of this name, digest or ID: a preference, found without a search. */
  holdersOfImage(ref: string): { has(node: string): boolean };
  /** Where a named volume of this reference (name or node/name; node-local ones only) lives, or is about to. */
  placesOfVolume(ref: string): VolumePlaces;
  /** Where a network (node-local ones only; by name or ID) already lives. */
  nodesOfNetwork(name: string): ReadonlySet<string>;
  /** Containers on a node: all, and those that run; what was decided a moment ago included. */
  containersOn(node: string): { readonly all: number; readonly running: number };
  /** How the group of an object stands before that object is placed. */
  groupOf(ask: GroupAsk): GroupStanding;
  /** Groups that have their home on a node and no container yet: one at least will come. */
  groupsExpectedOn(node: string): number;
  /** Networks of a node's own, the built-in ones aside. */
  networksOn(node: string): number;
}

export interface GroupStanding {
  readonly policy: GroupPolicy;
  /** Where it lives; undefined for a new group, which the first object's node becomes the home of. */
  readonly home: GroupHome | undefined;
}

export interface GroupHome {
  /** Node ID. */
  readonly node: string;
  /** Who lives there, in an explanation: `2 containers (web-db-1, web-api-1), 1 network (web_default)`; "" when nobody does yet. */
  members(): string;
}

/** In an explanation: `lives on node-1 with 1 network (web_default)`. */
export function livesAt(home: GroupHome, nodes: readonly NodeView[]): string {
  const node = nodes.find(({ id }) => id === home.node);
  const members = home.members();
  const who = members === "" ? "" : ` with ${members}`;
  if (node === undefined) return `lives on a node that is not here${who}`;
  return `lives on ${node.name}${node.healthy ? "" : ", which cannot take anything now,"}${who}`;
}
