/**
 * Memory of what streams through this process. Owns when the garbage collector is asked for the dead chunks; must not know
 * what streams.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { STREAM_COLLECT_BYTES } from "./limits.ts";

type Collect = (options: { type: "minor" }) => void;

/**
 * The collector sees only the small object in front of each chunk's memory and lets some 90 MiB of dead chunks lie about
 * before it acts (Node 24 and 26). Looking through the young objects after every few MiB takes a few milliseconds and
 * costs less than it saves, since the same memory, warm in the processor's cache, is used again.
 */
function youngCollector(): Collect {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as Collect;
  setFlagsFromString("--no-expose-gc");
  return collect;
}

let collect: Collect | undefined;
let since = 0;

/** Says that this many bytes came in that are on their way through; now and then it gives back the memory of earlier ones. */
export function streamed(bytes: number): void {
  since += bytes;
  if (since < STREAM_COLLECT_BYTES) return;
  since = 0;
  collect ??= youngCollector();
  collect({ type: "minor" });
}
