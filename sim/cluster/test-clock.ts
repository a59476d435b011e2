/** The machine's clock with its timers counted, so that a test sees what was left running; and one that can be moved on. */
import { type Clock, sleepWith, type Timer } from "../../src/kit/clock.ts";

export class TestClock implements Clock {
  readonly #inner: Clock;
  #foreground = 0;
  #skipped = 0;
  /** Pending timers: how long they were set for, and what ends each early. */
  readonly #pending = new Map<() => void, number>();

  constructor(inner: Clock) {
    this.#inner = inner;
  }

  /** Timers set that would keep a process alive. */
  get foreground(): number {
    return this.#foreground;
  }

  /** How many timers are set for this many milliseconds. */
  pending(ms: number): number {
    return [...this.#pending.values()].filter((length) => length === ms).length;
  }

  /** From now on it is later by this many milliseconds; timers do not notice. */
  skip(ms: number): void {
    this.#skipped += ms;
  }

  /** Every pending timer that was set for this many milliseconds fires now. */
  hurry(ms: number): void {
    for (const [fire, length] of [...this.#pending]) if (length === ms) fire();
  }

  now(): number {
    return this.#inner.now() + this.#skipped;
  }

  monotonic(): number {
    return this.#inner.monotonic() + this.#skipped;
  }

  after(ms: number, fn: () => void, options?: { background?: boolean }): Timer {
    const counts = options?.background !== true;
    if (counts) this.#foreground++;
    let open = true;
    const end = (): void => {
      if (open && counts) this.#foreground--;
      open = false;
      this.#pending.delete(fire);
    };
    const fire = (): void => {
      timer.cancel();
      end();
      fn();
    };
    this.#pending.set(fire, ms);
    const timer = this.#inner.after(ms, fire, options);
    return {
      cancel: () => {
        end();
        timer.cancel();
      },
    };
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return sleepWith(this, ms, signal);
  }
}
