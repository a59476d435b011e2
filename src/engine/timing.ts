/** The times that an Engine works by, from kit/limits.ts; tests shorten them. */
import type { BackoffLimits } from "../kit/backoff.ts";
import {
  ENGINE_CALL_MS,
  ENGINE_MISS_EVERY_MS,
  ENGINE_PING_EVERY_MS,
  ENGINE_PING_MISSES,
  ENGINE_PING_MS,
  ENGINE_RECONNECT,
  ENGINE_RESYNC_EVERY_MS,
  ENGINE_SHORT_SESSION_MS,
  ENGINE_VERDICT_MS,
  ENGINE_VERDICT_TRY_MS,
  LAG_MS,
} from "../kit/limits.ts";

/** Milliseconds, but for `misses`; each is explained at its constant in kit/limits.ts. */
export interface EngineTiming {
  readonly callMs: number;
  readonly pingMs: number;
  readonly pingEveryMs: number;
  readonly missEveryMs: number;
  readonly misses: number;
  readonly verdictMs: number;
  readonly verdictTryMs: number;
  readonly resyncEveryMs: number;
  readonly shortSessionMs: number;
  readonly lagMs: number;
  readonly reconnect: BackoffLimits;
}

export const ENGINE_TIMING: EngineTiming = {
  callMs: ENGINE_CALL_MS,
  pingMs: ENGINE_PING_MS,
  pingEveryMs: ENGINE_PING_EVERY_MS,
  missEveryMs: ENGINE_MISS_EVERY_MS,
  misses: ENGINE_PING_MISSES,
  verdictMs: ENGINE_VERDICT_MS,
  verdictTryMs: ENGINE_VERDICT_TRY_MS,
  resyncEveryMs: ENGINE_RESYNC_EVERY_MS,
  shortSessionMs: ENGINE_SHORT_SESSION_MS,
  lagMs: LAG_MS,
  reconnect: ENGINE_RECONNECT,
};
