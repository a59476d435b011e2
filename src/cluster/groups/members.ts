/**
 * Who belongs to a group and where: containers by the inventory's labels, networks and volumes by an index that is kept
 * here. A member is ours; what was made past shoal carries the same labels and says at most where a group may live.
 */
import { type GroupOptions, groupKey } from "../../scheduler/group.ts";
import type { Cluster } from "../cluster.ts";
import type { ContainerRecord } from "../record.ts";
import { LIMBO } from "../reschedule/limbo.ts";

export type ObjectKind = "network" | "volume";
const KINDS: readonly ObjectKind[] = ["network", "volume"];

/** Names shown of each kind in an explanation. */
const NAMES_SHOWN = 3;

/** A network or volume on a node. */
export interface GroupObject {
  /** What its engine knows it by. */
  readonly engineKey: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Left by a create through shoal. */
  readonly hint: unknown;
}

/** Node ID → a group's objects of one kind there, by their engine's key. */
type Places = Map<string, Map<string, GroupObject>>;

/** Networks and volumes by the group that their labels name. */
export class GroupObjects {
  readonly #options: GroupOptions;
  readonly #places: Readonly<Record<ObjectKind, Map<string, Places>>> = { network: new Map(), volume: new Map() };

  constructor(options: GroupOptions) {
    this.#options = options;
  }

  /** @returns the group's key; undefined when it belongs to none */
  add(kind: ObjectKind, node: string, object: GroupObject): string | undefined {
    const key = groupKey(object.labels, this.#options);
    if (key === undefined) return undefined;
    const places = this.#places[kind].get(key) ?? new Map();
    this.#places[kind].set(key, places);
    places.set(node, (places.get(node) ?? new Map()).set(object.engineKey, object));
    return key;
  }

  /** @returns the group's key; undefined when it belonged to none */
  delete(kind: ObjectKind, node: string, { engineKey, labels }: GroupObject): string | undefined {
    const key = groupKey(labels, this.#options);
    const places = key === undefined ? undefined : this.#places[kind].get(key);
    const objects = places?.get(node);
    if (key === undefined || !objects?.delete(engineKey)) return undefined;
    if (objects.size === 0) places?.delete(node);
    if (places?.size === 0) this.#places[kind].delete(key);
    return key;
  }

  /** All of a group's, with the nodes that have them. */
  *of(
    key: string,
  ): IterableIterator<{ readonly kind: ObjectKind; readonly node: string; readonly object: GroupObject }> {
    for (const kind of KINDS) {
      for (const [node, objects] of this.#places[kind].get(key) ?? []) {
        for (const object of objects.values()) yield { kind, node, object };
      }
    }
  }

  /** Keys of the groups that have objects of the kind on the node. */
  *keysOn(node: string): IterableIterator<string> {
    for (const kind of KINDS) for (const [key, places] of this.#places[kind]) if (places.has(node)) yield key;
  }
}

/** A group's containers, ours and others, those that are being made included. */
export function* containersOf({ inventory, options }: Cluster, key: string): IterableIterator<ContainerRecord> {
  const [label, value] = labelOf(key);
  for (const record of inventory.labels.recordsWith(label, value)) {
    if (groupKey(record.labels, options.groups) === key) yield record;
  }
}

/** The label that a key is made of. No label that names groups has a `=` in its name. */
function labelOf(key: string): readonly [label: string, value: string] {
  const at = key.indexOf("=");
  return [key.slice(0, at), key.slice(at + 1)];
}

/** Members anywhere, or on one node. */
export function hasMembers(cluster: Cluster, key: string, node?: string): boolean {
  for (const { nonce, node: on } of containersOf(cluster, key)) {
    if (nonce !== undefined && (node === undefined || on.id === node)) return true;
  }
  for (const { node: on, object } of cluster.groups.objects.of(key)) {
    if (object.hint !== undefined && (node === undefined || on === node)) return true;
  }
  for (const { group, node: on } of cluster.objectCreates.all()) {
    if (group === key && (node === undefined || on === node)) return true;
  }
  return false;
}

/** Of a group: names by kind, on one node. */
export interface NodeMembers {
  readonly containers: readonly string[];
  readonly networks: readonly string[];
  readonly volumes: readonly string[];
}

export function membersOn(cluster: Cluster, key: string, node: string): NodeMembers {
  const objects: Record<ObjectKind, string[]> = { network: [], volume: [] };
  for (const { kind, node: on, object } of cluster.groups.objects.of(key)) {
    if (on === node && object.hint !== undefined) objects[kind].push(object.name);
  }
  const containers: string[] = [];
  for (const record of containersOf(cluster, key)) {
    if (record.node.id === node && record.nonce !== undefined) containers.push(record.name);
  }
  return { containers: containers.sort(), networks: objects.network.sort(), volumes: objects.volume.sort() };
}

/** `2 containers (web-a, web-b), 1 network (web_default)`; "" for nobody. */
export function membersText({ containers, networks, volumes }: NodeMembers): string {
  const part = (noun: string, names: readonly string[]): string[] => {
    if (names.length === 0) return [];
    const more = names.length > NAMES_SHOWN ? ", …" : "";
    return [
      `${names.length} ${noun}${names.length === 1 ? "" : "s"} (${names.slice(0, NAMES_SHOWN).join(", ")}${more})`,
    ];
  };
  return [...part("container", containers), ...part("network", networks), ...part("volume", volumes)].join(", ");
}

/**
 * Where a group lives that nobody has decided about, from its members alone: the node with the most of its networks,
 * then volumes, then containers. What was made past shoal counts only where there are no members, and on one node.
 */
export function derivedHome(cluster: Cluster, key: string): string | undefined {
  const own = new Map<string, [networks: number, volumes: number, containers: number]>();
  const others = new Set<string>();
  const count = (node: string, index: 0 | 1 | 2, ours: boolean): void => {
    // What is nowhere follows.
    if (node === LIMBO) return;
    if (!ours) {
      others.add(node);
      return;
    }
    const counts = own.get(node) ?? [0, 0, 0];
    counts[index]++;
    own.set(node, counts);
  };
  for (const { kind, node, object } of cluster.groups.objects.of(key)) {
    count(node, kind === "network" ? 0 : 1, object.hint !== undefined);
  }
  for (const { node, nonce } of containersOf(cluster, key)) count(node.id, 2, nonce !== undefined);
  const name = (id: string): string => cluster.nodes.get(id)?.name ?? id;
  const [best] = [...own].sort(
    ([a, [an, av, ac]], [b, [bn, bv, bc]]) => bn - an || bv - av || bc - ac || (name(a) < name(b) ? -1 : 1),
  );
  if (best !== undefined) return best[0];
  return others.size === 1 ? [...others][0] : undefined;
}
