/** Creates under way: what a nonce seen on an engine belongs to. */
import type { ContainerRecord } from "./record.ts";

export interface Placement {
  readonly nonce: string;
  /** The reserved place; replaced by the final record once the engine gave an ID. */
  record: ContainerRecord;
  /** Monotonic milliseconds when the engine broke off in the middle: lists of its node begun later decide. */
  uncertainSince: number | undefined;
  /** Called when it turns out whether it was made. */
  decided?: (made: boolean) => void;
}

export class Placements {
  readonly #byNonce = new Map<string, Placement>();

  add(placement: Placement): void {
    this.#byNonce.set(placement.nonce, placement);
  }

  get(nonce: string): Placement | undefined {
    return this.#byNonce.get(nonce);
  }

  delete(nonce: string): void {
    this.#byNonce.delete(nonce);
  }

  *uncertainOn(nodeId: string): IterableIterator<Placement> {
    for (const placement of this.#byNonce.values()) {
      if (placement.uncertainSince !== undefined && placement.record.node.id === nodeId) yield placement;
    }
  }
}
