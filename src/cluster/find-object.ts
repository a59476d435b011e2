/**
 * Which network or volume a client means: `node/name`, a name, and where they have IDs an ID or the beginning of one. A
 * name that several nodes have is never guessed.
 */
import { conflict } from "../docker/errors.ts";
import { isHexPrefix, splitNodePrefix } from "../docker/references.ts";
import type { Cluster } from "./cluster.ts";
import type { ClusterNode } from "./node.ts";
import type { ClusterObject, NodeObject, ObjectIndex } from "./object-index.ts";

export interface Kind<T extends NodeObject> {
  /** In sentences: `network`. */
  readonly noun: string;
  readonly index: (cluster: Cluster) => ObjectIndex<T>;
  /** Whether the key is an ID that clients know. */
  readonly hasIds: boolean;
}

/** One that was found: the nodes that have it, or with `node/name` that node alone. */
export interface Found<T extends NodeObject> extends ClusterObject<T> {
  /** The node that the client named. */
  readonly named: ClusterNode | undefined;
}

/**
 * In dockerd's order: whole ID, name, the beginning of an ID. Undefined when there is none. Throws 409 for a name that
 * several nodes have, 400 for an ambiguous beginning.
 */
export function findObject<T extends NodeObject>(cluster: Cluster, kind: Kind<T>, ref: string): Found<T> | undefined {
  const [only, ...more] = candidates(cluster, kind, ref);
  if (more.length === 0) return only;
  if (only?.name === ref) {
    const places = placesOf(cluster, kind, ref).join(" or ");
    throw conflict(`The ${kind.noun} name "${ref}" is on several nodes: say which one, ${places}`);
  }
  throw conflict(`${kind.noun} ${ref} is ambiguous (${more.length + 1} matches found based on ID prefix)`);
}

/** All that a reference may mean: several for a name that several nodes have, and for an ambiguous beginning of an ID. */
export function candidates<T extends NodeObject>(cluster: Cluster, kind: Kind<T>, ref: string): readonly Found<T>[] {
  const index = kind.index(cluster);
  const whole = kind.hasIds ? index.byKey(ref) : undefined;
  if (whole) return [{ ...whole, named: undefined }];
  const named = index.named(ref);
  if (named.size > 0) return [...named].map((object) => ({ ...object, named: undefined }));
  const { node: nodeName, rest } = splitNodePrefix(ref);
  if (nodeName !== undefined) {
    const node = cluster.nodeByName(nodeName);
    return node ? onNode(kind, index, node, rest) : [];
  }
  if (!kind.hasIds || !isHexPrefix(ref)) return [];
  return index.withPrefix(ref, 2).map((object) => ({ ...object, named: undefined }));
}

function onNode<T extends NodeObject>(
  kind: Kind<T>,
  index: ObjectIndex<T>,
  node: ClusterNode,
  rest: string,
): readonly Found<T>[] {
  const whole = kind.hasIds ? index.byKey(rest) : undefined;
  for (const { key, name, on } of whole ? [whole] : index.named(rest)) {
    const object = on.get(node.id);
    if (object) return [{ key, name, on: new Map([[node.id, object]]), named: node }];
  }
  return [];
}

/** `node/name` of all that have the name, in order. */
export function placesOf<T extends NodeObject>(cluster: Cluster, kind: Kind<T>, name: string): readonly string[] {
  const places: string[] = [];
  for (const { on } of kind.index(cluster).named(name)) {
    for (const nodeId of on.keys()) places.push(`${cluster.nodes.get(nodeId)?.name ?? nodeId}/${name}`);
  }
  return places.sort();
}

/** What clients see as its name: `node/name` when several nodes have the name. */
export function shownObjectName<T extends NodeObject>(
  cluster: Cluster,
  kind: Kind<T>,
  { name, on }: ClusterObject<T>,
): string {
  if (kind.index(cluster).named(name).size < 2) return name;
  const [nodeId = ""] = on.keys();
  return `${cluster.nodes.get(nodeId)?.name ?? nodeId}/${name}`;
}

/** The nodes that have it and answer. */
export function reachableOf<T extends NodeObject>(cluster: Cluster, { on }: ClusterObject<T>): readonly ClusterNode[] {
  return [...on.keys()].flatMap((id) => cluster.nodes.get(id) ?? []).filter((node) => node.reachable);
}
