/**
 * Who holds what on which node: running sums of CPU and memory, port claims. Adding then removing is the identity.
 * Synchronous on purpose: between reading it and changing it there is no await (design: that is the lock).
 */
import type { PortClaim } from "./request.ts";

export interface Reservation {
  /** Cluster ID of the container. */
  readonly id: string;
  readonly node: string;
  readonly nanoCpus: number;
  readonly memory: number;
  readonly ports: readonly PortClaim[];
  /** Compose slot (`project/service/number`), so that a successor finds its predecessor. */
  readonly slot?: string;
  /** The cluster ID of the container that this one replaces: what both hold counts once while both are there. */
  readonly replaces?: string;
}

export interface NodeSums {
  readonly nanoCpus: number;
  readonly memory: number;
}
