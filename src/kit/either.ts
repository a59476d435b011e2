/** A signal of two. Owns taking it apart again; must not know what is broken off. */

/**
 * A signal that aborts with either, until `unhook`. AbortSignal.any leaves something behind on the one that lives longer for
 * as long as that lives.
 */
export function either(
  one: AbortSignal,
  other: AbortSignal | undefined,
): { readonly signal: AbortSignal; readonly unhook: () => void } {
  const controller = new AbortController();
  const unhooks = [one, ...(other ? [other] : [])].map((signal) => {
    const end = (): void => controller.abort(signal.reason);
    if (signal.aborted) end();
    signal.addEventListener("abort", end, { once: true });
    return () => signal.removeEventListener("abort", end);
  });
  return { signal: controller.signal, unhook: () => unhooks.forEach((unhook) => void unhook()) };
}
