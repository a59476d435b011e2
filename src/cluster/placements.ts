/** Creates under way: what a nonce seen on an engine belongs to. */
import type { Timer } from "../kit/clock.ts";
import type { ContainerRecord } from "./record.ts";
import { UpcomingVolumes } from "./volumes/upcoming.ts";

export interface Placement {
  readonly nonce: string;
  /** Names of the volumes that its engine will make on the way, or has. */
  readonly volumes: readonly string[];
  /** The reserved place; replaced by the final record once the engine gave an ID. */
  record: ContainerRecord;
  /** Monotonic milliseconds when the engine broke off in the middle: lists of its node begun later decide. */
  uncertainSince: number | undefined;
  /** Ends the wait of an uncertain one. */
  waiting?: Timer;
  /** Called when it turns out whether it was made. */
  decided?: (made: boolean) => void;
}

export class Placements {
  readonly #byNonce = new Map<string, Placement>();
  readonly #volumes = new UpcomingVolumes();

  add(placement: Placement): void {
    this.#byNonce.set(placement.nonce, placement);
    for (const name of placement.volumes) this.#volumes.add(name, placement.record.node.id);
  }

  get(nonce: string): Placement | undefined {
    return this.#byNonce.get(nonce);
  }

  delete(nonce: string): void {
    const placement = this.#byNonce.get(nonce);
    if (!placement) return;
    this.#byNonce.delete(nonce);
    for (const name of placement.volumes) this.#volumes.delete(name, placement.record.node.id);
  }

  /** IDs of the nodes on which a create under way will make a volume of this name, or use it. */
  upcomingVolumes(name: string): Iterable<string> {
    return this.#volumes.nodesOf(name);
  }

  all(): Iterable<Placement> {
    return this.#byNonce.values();
  }

  *uncertainOn(nodeId: string): IterableIterator<Placement> {
    for (const placement of this.#byNonce.values()) {
      if (placement.uncertainSince !== undefined && placement.record.node.id === nodeId) yield placement;
    }
  }
}
