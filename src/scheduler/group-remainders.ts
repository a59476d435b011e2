/**
 * What is reserved on one node for groups that still grow. Of a group's reserve only the remainder that its members do
 * not hold themselves counts; members draw from it. Owns that arithmetic; must not know who the members are.
 */
import type { NodeSums } from "./ledger.ts";

const NOTHING: NodeSums = { nanoCpus: 0, memory: 0 };

interface Group {
  readonly reserved: NodeSums;
  /** By its members on this node. */
  readonly claimed: NodeSums;
}

export class GroupRemainders {
  readonly #groups = new Map<string, Group>();
  #nanoCpus = 0;
  #memory = 0;

  /** Neither members nor reserves. */
  get isEmpty(): boolean {
    return this.#groups.size === 0;
  }

  /** All remainders together. */
  get sums(): NodeSums {
    return this.#groups.size === 0 ? NOTHING : { nanoCpus: this.#nanoCpus, memory: this.#memory };
  }

  /** Members hold that much more, or less. */
  claim(key: string, more: NodeSums): void {
    const { reserved, claimed } = this.#of(key);
    this.#set(key, {
      reserved,
      claimed: { nanoCpus: claimed.nanoCpus + more.nanoCpus, memory: claimed.memory + more.memory },
    });
  }

  reserve(key: string, reserved: NodeSums): void {
    this.#set(key, { reserved, claimed: this.#of(key).claimed });
  }

  /** All remainders together, were that reserved for the group. */
  withReserve(key: string, reserved: NodeSums): NodeSums {
    const { claimed, reserved: before } = this.#of(key);
    const now = remainder({ reserved: before, claimed });
    const then = remainder({ reserved, claimed });
    return {
      nanoCpus: this.#nanoCpus - now.nanoCpus + then.nanoCpus,
      memory: this.#memory - now.memory + then.memory,
    };
  }

  /** What of a need would come out of the group's remainder. */
  drawn(key: string | undefined, need: NodeSums): NodeSums {
    const group = key === undefined ? undefined : this.#groups.get(key);
    if (group === undefined) return NOTHING;
    const left = remainder(group);
    return { nanoCpus: Math.min(left.nanoCpus, need.nanoCpus), memory: Math.min(left.memory, need.memory) };
  }

  #of(key: string): Group {
    return this.#groups.get(key) ?? { reserved: NOTHING, claimed: NOTHING };
  }

  #set(key: string, group: Group): void {
    const before = remainder(this.#of(key));
    const after = remainder(group);
    this.#nanoCpus += after.nanoCpus - before.nanoCpus;
    this.#memory += after.memory - before.memory;
    if (isNothing(group.reserved) && isNothing(group.claimed)) this.#groups.delete(key);
    else this.#groups.set(key, group);
  }
}

function remainder({ reserved, claimed }: Group): NodeSums {
  return {
    nanoCpus: Math.max(0, reserved.nanoCpus - claimed.nanoCpus),
    memory: Math.max(0, reserved.memory - claimed.memory),
  };
}

function isNothing({ nanoCpus, memory }: NodeSums): boolean {
  return nanoCpus === 0 && memory === 0;
}
