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
  const release = from instanceof Socket && to instanceof Socket ? releaseChunk : keepChunk;
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

/** A socket reads each chunk into memory of its own; what shares its memory with others is left to the collector. */
function releaseChunk(chunk: Buffer): void {
  if (chunk.byteOffset !== 0 || chunk.length !== chunk.buffer.byteLength) return;
  (chunk.buffer as Transferable).transfer?.(0);
}

/** What comes through a stream in memory still belongs to who wrote it. */
function keepChunk(): void {}
