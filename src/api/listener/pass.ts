/**
 * One direction of a spliced stream: bytes and end, with back-pressure. Owns when a chunk's memory is given back; must not
 * know the other direction, nor what becomes of either side when one breaks.
 */
import { Socket } from "node:net";
import type { Duplex } from "node:stream";

/**
 * Every byte that comes on `from` goes out on `to`, and then its end. Like `pipe`, but a chunk's memory is given back as
 * soon as the kernel took its bytes: the collector only knows the small object in front of it, and leaves up to 90 MiB
 * of dead chunks lying about (Node 24 and 26). Errors and broken connections are the caller's to watch.
 */
export function pass(from: Duplex, to: Duplex): void {
  const release = from instanceof Socket && to instanceof Socket ? makeRelease() : keepChunk;
  from.on("data", (chunk: Buffer) => {
    const written = (error?: Error | null): void => {
      if (!error) release(chunk);
    };
    if (!to.write(chunk, written)) from.pause();
  });
  to.on("drain", () => from.resume());
  if (from.readableEnded) to.end();
  else from.once("end", () => to.end());
  from.resume();
}

/** ES2024; Node has it from 21 on. */
interface Transferable {
  transfer?(length: number): unknown;
}

/**
 * For the chunks of one socket, in their order. A socket reads into memory of its own: one chunk each, several that fill
 * it one after another with TLS on Node 26. Memory of which all bytes were sent is nobody else's; the rest is left to
 * the collector.
 */
function makeRelease(): (chunk: Buffer) => void {
  let memory: Buffer["buffer"] | undefined;
  let sent = 0;
  return (chunk) => {
    if (chunk.buffer !== memory) sent = 0;
    memory = chunk.buffer;
    sent += chunk.length;
    if (sent < memory.byteLength) return;
    (memory as Transferable).transfer?.(0);
    memory = undefined;
  };
}

/** What comes through a stream in memory still belongs to who wrote it. */
function keepChunk(): void {}
