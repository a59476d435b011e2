/**
 * Discovery's list, taken with care: one that is suddenly empty or a third shorter tells of trouble with discovery rather
 * than of nodes that left, so the nodes stay until the list names them again or an operator removes them. Nodes that an
 * operator removed are left out. Owns what was told last; who joins and leaves is membership's.
 */
import type { Entry } from "../discovery/discovery.ts";
import { DOUBTED_SHARE } from "../kit/limits.ts";
import type { Cluster } from "./cluster.ts";
import { idOf, setEntries } from "./membership.ts";

export class Roll {
  readonly #cluster: Cluster;
  #told: readonly Entry[] = [];
  /** In the cluster, and not in the list any more. */
  #doubted: readonly Entry[] = [];

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** Nodes that the list lost all at once, and that are not given up. */
  get doubted(): number {
    return this.#doubted.length;
  }

  /** Discovery's whole list, at first and after each change. */
  tell(entries: readonly Entry[]): void {
    const missing = this.#missingIn(entries);
    const before = this.#doubted.length;
    const held = missing.filter((entry) => this.#doubted.includes(entry));
    const fresh = missing.filter((entry) => !held.includes(entry));
    this.#doubted = isDoubtful(fresh.length, this.#told.length, entries.length) ? missing : held;
    this.#told = entries;
    if (this.#doubted.length > before) {
      this.#cluster.log.warn(
        "discovery lost many nodes at once: they stay until it names them again, or `shoal node rm` removes them",
        { nodes: this.#doubted.length, listed: entries.length },
      );
    }
    this.apply();
  }

  /** An operator has removed a node, or taken it in again. */
  apply(): void {
    const { availabilities } = this.#cluster;
    const isWanted = (entry: Entry): boolean => availabilities.of(idOf(entry)) !== "removed";
    this.#doubted = this.#doubted.filter(isWanted);
    setEntries(this.#cluster, [...this.#told, ...this.#doubted].filter(isWanted));
  }

  /** The ID of a node that discovery lists, by ID, name or address, whether it is in the cluster or was removed. */
  find(ref: string): string | undefined {
    const { remembered } = this.#cluster;
    const namesOf = (entry: Entry): (string | undefined)[] => [
      entry.address,
      entry.name,
      idOf(entry),
      remembered.nameOf(idOf(entry)),
    ];
    const found = this.#told.find((entry) => namesOf(entry).includes(ref));
    return found && idOf(found);
  }

  #missingIn(entries: readonly Entry[]): readonly Entry[] {
    const ids = new Set(entries.map(idOf));
    return [...this.#told, ...this.#doubted].filter((entry) => !ids.has(idOf(entry)));
  }
}

/** @param lost how many of those told before are missing now */
function isDoubtful(lost: number, before: number, now: number): boolean {
  if (lost === 0) return false;
  return now === 0 || (lost >= 2 && lost >= before * DOUBTED_SHARE);
}
