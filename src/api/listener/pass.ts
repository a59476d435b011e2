/**
 * One direction of a spliced stream: bytes and end, with back-pressure. Must not know the other direction, nor what
 * becomes of either side when one breaks.
 */
import type { Duplex } from "node:stream";
import { streamed } from "../../kit/collector.ts";

/**
 * Every byte that comes on `from` goes out on `to`, and then its end. Errors and broken connections are the caller's to
 * watch.
 */
export function pass(from: Duplex, to: Duplex): void {
  from.on("data", (chunk: Buffer) => {
    streamed(chunk.length);
    if (!to.write(chunk)) from.pause();
  });
  to.on("drain", () => from.resume());
  if (from.readableEnded) to.end();
  else from.once("end", () => to.end());
  from.resume();
}
