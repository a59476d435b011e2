/** A machine's own clock over the common time: it began at another moment, and runs a little faster or slower. */
import { type Clock, sleepWith, type Timer } from "../../src/kit/clock.ts";

export class RateClock implements Clock {
  readonly #base: Clock;
  readonly #rate: number;
  readonly #offsetMs: number;

  /** @param rate its seconds in one second */
  constructor(base: Clock, rate: number, offsetMs: number) {
    this.#base = base;
    this.#rate = rate;
    this.#offsetMs = offsetMs;
  }

  now(): number {
    return this.#base.now() + this.#offsetMs;
  }

  monotonic(): number {
    return this.#base.monotonic() * this.#rate + this.#offsetMs;
  }

  after(ms: number, fn: () => void): Timer {
    return this.#base.after(ms / this.#rate, fn);
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return sleepWith(this, ms, signal);
  }
}
