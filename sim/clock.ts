/** A clock that only moves when told: time for the simulator and for tests. Must not know who waits. */
import { type Clock, sleepWith, type Timer } from "../src/kit/clock.ts";

interface Waiting {
  readonly at: number;
  readonly order: number;
  readonly fn: () => void;
}

export class SimClock implements Clock {
  readonly #start: number;
  readonly #waiting = new Set<Waiting>();
  #elapsed = 0;
  #order = 0;

  /** `start` is the wall clock at the beginning, milliseconds since the Unix epoch. */
  constructor(start = Date.UTC(2026, 0, 1)) {
    this.#start = start;
  }

  now(): number {
    return this.#start + this.#elapsed;
  }

  monotonic(): number {
    return this.#elapsed;
  }

  after(ms: number, fn: () => void): Timer {
    const waiting: Waiting = { at: this.#elapsed + Math.max(0, ms), order: this.#order++, fn };
    this.#waiting.add(waiting);
    return { cancel: () => this.#waiting.delete(waiting) };
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return sleepWith(this, ms, signal);
  }

  /** Timers that are set. */
  get timers(): number {
    return this.#waiting.size;
  }

  /**
   * Moves time on by `ms`, firing what is due in order. Between two timers everything that is ready runs, promises and
   * streams included.
   */
  async advance(ms: number): Promise<void> {
    const end = this.#elapsed + ms;
    await idle();
    for (let next = this.#next(end); next; next = this.#next(end)) {
      this.#waiting.delete(next);
      this.#elapsed = next.at;
      next.fn();
      await idle();
    }
    this.#elapsed = end;
  }

  #next(end: number): Waiting | undefined {
    let first: Waiting | undefined;
    for (const one of this.#waiting) {
      if (one.at > end) continue;
      if (!first || one.at < first.at || (one.at === first.at && one.order < first.order)) first = one;
    }
    return first;
  }
}

/** A few turns of the event loop: in-memory streams need more than one. */
async function idle(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await new Promise((done) => setImmediate(done));
}
