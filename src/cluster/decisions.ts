/** The last placement decisions, kept for `shoal why`; the oldest is forgotten first. */
import { DECISIONS_KEPT } from "../kit/limits.ts";
import type { Decision } from "../scheduler/place.ts";

export interface KeptDecision {
  readonly name: string;
  /** Cluster ID; undefined when it was refused. */
  id: string | undefined;
  /** Wall clock in milliseconds. */
  readonly time: number;
  /** The name of the node that took it. */
  node: string | undefined;
  readonly decision: Decision;
}

export class Decisions {
  readonly #byName = new Map<string, KeptDecision>();

  keep(kept: KeptDecision): void {
    // Deleting first moves a name that is used again to the end of the map's order.
    this.#byName.delete(kept.name);
    this.#byName.set(kept.name, kept);
    if (this.#byName.size <= DECISIONS_KEPT) return;
    for (const oldest of this.#byName.keys()) {
      this.#byName.delete(oldest);
      break;
    }
  }

  named(name: string): KeptDecision | undefined {
    return this.#byName.get(name);
  }
}
