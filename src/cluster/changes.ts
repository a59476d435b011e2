/**
 * What a manager that leads has changed since when, numbered, for managers that follow it: the store's entries that lists
 * show, and what of which node to read again. Kept as long as somebody asks; must not know who. Nothing is kept for long:
 * who missed too much begins anew.
 */
import { unavailable } from "../docker/errors.ts";
import type { Random } from "../kit/random.ts";
import { CHANGES_KEPT } from "../kit/replica-limits.ts";
import type { Write } from "../store/store.ts";
import { AVAILABILITY } from "./availability.ts";
import type { Cluster } from "./cluster.ts";
import type { ListKind } from "./refresh.ts";
import { IDENTITIES } from "./registry.ts";
import { REPLACEMENTS } from "./reschedule/replacements.ts";
import { TAGS } from "./tags.ts";
import { TOMBSTONES } from "./tombstones.ts";
import { UNDONE } from "./undone.ts";

export const KNOWN_NETWORKS = "known/networks/";
export const KNOWN_VOLUMES = "known/volumes/";
export const LEFT_NETWORKS = "left/networks/";

/** An entry of the store, null when it is gone. */
export interface StoreChange {
  readonly key: string;
  readonly value: string | null;
}

/** Of one node: the container with the engine's ID, or a whole list. */
export interface NodeChange {
  /** Node ID. */
  readonly node: string;
  readonly what: ListKind | "containers";
  readonly id?: string;
}

export type Change = StoreChange | NodeChange;

export interface Position {
  /** Of one manager's leadership: numbers of different ones have nothing to do with each other. */
  readonly of: string;
  readonly number: number;
}

/** What a manager that leads tells one that follows it. */
export interface News {
  readonly position: Position;
  /** Since the position that was asked about; null when it is not known any more. */
  readonly changes: readonly Change[] | null;
  /** IDs of the nodes that it does not reach. */
  readonly away: readonly string[];
  readonly nodes: number;
  /** Containers wait for a node: why, only who leads knows. */
  readonly pending: boolean;
}

/** The others tell what only who changes things has to know, or what a node's own lists tell. */
const SHOWN = [
  IDENTITIES,
  TOMBSTONES,
  AVAILABILITY,
  TAGS,
  KNOWN_NETWORKS,
  KNOWN_VOLUMES,
  LEFT_NETWORKS,
  UNDONE,
  REPLACEMENTS,
];

export class Changes {
  readonly #random: Random;
  /** Undefined while nobody has asked: nothing is kept. */
  #of: string | undefined;
  #kept: Change[] = [];
  /** The number of the first one kept. */
  #first = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Now. What is changed from the first question on is kept. */
  position(): Position {
    this.#of ??= this.#random.hex(16);
    return { of: this.#of, number: this.#first + this.#kept.length };
  }

  note(change: Change): void {
    if (this.#of === undefined) return;
    this.#kept.push(change);
    if (this.#kept.length < 2 * CHANGES_KEPT) return;
    this.#first += this.#kept.length - CHANGES_KEPT;
    this.#kept = this.#kept.slice(-CHANGES_KEPT);
  }

  /** Of what the manager's memory holds already; nothing is wrong with telling one twice. */
  noteWrites(writes: readonly Write[]): void {
    if (this.#of === undefined) return;
    for (const change of shown(writes)) this.note(change);
  }

  /** In order; undefined when they are not kept any more, or were another one's. */
  since({ of, number }: Position): readonly Change[] | undefined {
    const index = number - this.#first;
    return of === this.#of && index >= 0 && index <= this.#kept.length ? this.#kept.slice(index) : undefined;
  }
}

function shown(writes: readonly Write[]): readonly StoreChange[] {
  return writes
    .filter(({ key }) => SHOWN.some((prefix) => key.startsWith(prefix)))
    .map(({ key, value }) => ({ key, value: value ?? null }));
}

/**
 * @param since undefined: for one that is about to read the store, what it may not find there yet
 * Throws 503 when this manager does not lead.
 */
export function newsOf(cluster: Cluster, since: Position | undefined): News {
  const { changes, nodes, limbo, writer } = cluster;
  if (!cluster.leads) throw unavailable("this manager does not lead");
  const position = changes.position();
  const told = since ? (changes.since(since) ?? null) : shown(writer.unwritten);
  const away = [...nodes.values()].filter(({ reachable }) => !reachable).map(({ id }) => id);
  return { position, changes: told, away, nodes: nodes.size, pending: limbo.containers.size > 0 };
}
