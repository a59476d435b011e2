/** A time budget as an AbortSignal: everything that waits has one. */
import type { Clock } from "./clock.ts";

/** The reason of a signal whose time ran out. */
export class DeadlineError extends Error {
  readonly afterMs: number;
  constructor(what: string, afterMs: number) {
    super(`${what}: no answer within ${afterMs / 1000} s`);
    this.name = "DeadlineError";
    this.afterMs = afterMs;
  }
}

/**
 * Runs `work` with a signal that aborts after `ms` milliseconds (reason: DeadlineError naming `what`) or with `parent`.
 * The timer is gone when the work settles.
 */
export async function withDeadline<T>(
  clock: Clock,
  ms: number,
  what: string,
  work: (signal: AbortSignal) => Promise<T>,
  parent?: AbortSignal,
): Promise<T> {
  const controller = new AbortController();
  const timer = clock.after(ms, () => controller.abort(new DeadlineError(what, ms)));
  const onParent = () => controller.abort(parent?.reason);
  if (parent?.aborted) onParent();
  parent?.addEventListener("abort", onParent, { once: true });
  try {
    return await work(controller.signal);
  } finally {
    timer.cancel();
    parent?.removeEventListener("abort", onParent);
  }
}

/** `work`, or the signal's reason as soon as it is aborted; what comes of the work then is dropped. */
export function orAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
