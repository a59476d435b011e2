/**
 * Time: the only place that reads a clock or sets a timer.
 * Everything that waits takes a `Clock`, so that the simulator can own time. Must not know what it times.
 */

/** A timer that was set; cancelling twice, or after it fired, is harmless. */
export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Wall clock, milliseconds since the Unix epoch. May jump; use it only for what people or engines read. */
  now(): number;
  /** Monotonic milliseconds from an arbitrary origin. Every deadline and age is measured with this. */
  monotonic(): number;
  /** Calls `fn` once after `ms` milliseconds. The timer does not keep the process alive when `background` is true. */
  after(ms: number, fn: () => void, options?: { background?: boolean }): Timer;
  /** Resolves after `ms` milliseconds; rejects with the signal's reason when it is aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Node's own timers hold no more, and fire at once when more is asked: 24.8 days. */
const LONGEST_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, fn, options) {
    let timer: NodeJS.Timeout;
    const set = (left: number): void => {
      timer = left > LONGEST_MS ? setTimeout(() => set(left - LONGEST_MS), LONGEST_MS) : setTimeout(fn, left);
      if (options?.background) timer.unref();
    };
    set(ms);
    return { cancel: () => clearTimeout(timer) };
  },
  sleep: (ms, signal) => sleepWith(systemClock, ms, signal),
};

/** `Clock.sleep` in terms of `Clock.after`, for every implementation of a clock. */
export function sleepWith(clock: Pick<Clock, "after">, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const timer = clock.after(ms, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    const onAbort = () => {
      timer.cancel();
      reject(signal?.reason);
    };
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
