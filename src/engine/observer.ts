/** What an Engine tells its owner, in this order after each (re)connection: facts, inventory, healthy, then events. */
import type { EngineEvent } from "./event.ts";
import type { EngineFacts } from "./facts.ts";

/** pending: never read yet. unhealthy: was healthy, cannot be reached. disconnected: gone from discovery. */
export type EngineState = "pending" | "healthy" | "unhealthy" | "disconnected";

/** The engine's lists as it sent them (JSON text): read at connection and again at each comparison. */
export interface EngineInventory {
  /** Monotonic milliseconds (Clock.monotonic) when the reading began: what changed later is newer than these lists. */
  readonly startedAt: number;
  readonly containers: string;
  readonly images: string;
  readonly volumes: string;
  readonly networks: string;
  /**
   * What the engine remembers to have told before its event stream begins here, oldest first. Empty but for the first time
   * that this engine is read.
   */
  readonly told: readonly EngineEvent[];
}

export interface EngineObserver {
  facts(facts: EngineFacts): void;
  /** Events that happened while the lists were read come after it. */
  inventory(inventory: EngineInventory): void;
  event(event: EngineEvent): void;
  /** `error` says why it is not healthy; undefined when it is. */
  state(state: EngineState, error: string | undefined): void;
}
