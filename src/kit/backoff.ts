/** How long to wait before the next try: exponential, with full jitter, bounded. */
import type { Random } from "./random.ts";

export interface BackoffLimits {
  /** Milliseconds before the second try. */
  readonly first: number;
  /** Never longer than this many milliseconds. */
  readonly longest: number;
}

/** Milliseconds to wait after `failures` failures in a row (1 or more): between half and the whole of first·2^(failures-1). */
export function backoff(limits: BackoffLimits, failures: number, random: Random): number {
  const whole = Math.min(limits.longest, limits.first * 2 ** Math.min(failures - 1, 30));
  return Math.floor(whole / 2) + random.int(Math.max(1, Math.ceil(whole / 2)));
}
