/** Dead chunks, as they come into being when bytes are passed on: how much memory they hold at most. */
import { expect, it } from "vitest";
import { streamed } from "./collector.ts";
import { STREAM_COLLECT_BYTES } from "./limits.ts";

const CHUNK = 64 << 10;

it("keeps the memory of dead chunks small, however much streams through", () => {
  const before = process.memoryUsage().arrayBuffers;
  let most = 0;
  for (let sent = 0; sent < 512 << 20; sent += CHUNK) {
    new ArrayBuffer(CHUNK);
    streamed(CHUNK);
    most = Math.max(most, process.memoryUsage().arrayBuffers - before);
  }
  expect(most).toBeLessThan(3 * STREAM_COLLECT_BYTES);
});
