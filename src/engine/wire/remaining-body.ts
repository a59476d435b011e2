/** Reads the body of an answer that turned out not to be an upgrade (an error, mostly). Must not know what was asked. */
import type { Duplex } from "node:stream";
import { ERROR_BODY_BYTES } from "../../kit/limits.ts";
import { headerValue } from "./answer-head.ts";
import type { UpgradeAnswer } from "./upgrade.ts";

/**
 * The body by Content-Length, chunks, or up to the connection's end; cut at `limit` bytes, and at whatever came before
 * the engine broke off or `signal` was aborted. Ends the connection in any case. Never rejects.
 */
export async function readRemainingBody(
  answer: UpgradeAnswer,
  options: { limit?: number; signal?: AbortSignal | undefined } = {},
): Promise<Buffer> {
  const limit = options.limit ?? ERROR_BODY_BYTES;
  const { socket } = answer;
  try {
    if (answer.status === 204 || answer.status === 304) return Buffer.alloc(0);
    const chunked = /(?:^|,)\s*chunked\s*$/i.test(headerValue(answer.rawHeaders, "transfer-encoding") ?? "");
    const length = Number(headerValue(answer.rawHeaders, "content-length") ?? Number.POSITIVE_INFINITY);
    const whole = await collect(socket, answer.rest, options.signal, (bytes) => {
      if (chunked) return unchunk(bytes).done || bytes.length > 2 * limit + 1024;
      return bytes.length >= Math.min(limit, Number.isNaN(length) ? 0 : length);
    });
    const body = chunked ? unchunk(whole).body : whole;
    return body.subarray(0, Math.min(limit, chunked ? limit : length));
  } finally {
    socket.destroy();
  }
}

/** Reads on until `enough`, the end, an error or the signal. */
function collect(
  socket: Duplex,
  first: Buffer,
  signal: AbortSignal | undefined,
  enough: (bytes: Buffer) => boolean,
): Promise<Buffer> {
  return new Promise((resolve) => {
    let bytes = first;
    const settle = () => {
      socket.off("data", onData).off("end", settle).off("close", settle);
      signal?.removeEventListener("abort", settle);
      resolve(bytes);
    };
    const onData = (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      if (enough(bytes)) settle();
    };
    if (enough(bytes) || socket.destroyed || socket.readableEnded || signal?.aborted) {
      resolve(bytes);
      return;
    }
    signal?.addEventListener("abort", settle, { once: true });
    socket.on("data", onData).on("end", settle).on("close", settle);
    socket.resume();
  });
}

/** RFC 9112 §7.1; extensions and trailers are skipped. What is not valid ends the body there. */
function unchunk(bytes: Buffer): { body: Buffer; done: boolean } {
  const parts: Buffer[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = bytes.indexOf("\r\n", at);
    if (lineEnd < 0) return { body: Buffer.concat(parts), done: false };
    const size = /^([0-9a-fA-F]{1,8})[ \t]*(?:;.*)?$/.exec(bytes.toString("latin1", at, lineEnd))?.[1];
    if (size === undefined) return { body: Buffer.concat(parts), done: true };
    const length = Number.parseInt(size, 16);
    if (length === 0) return { body: Buffer.concat(parts), done: true };
    const start = lineEnd + 2;
    parts.push(bytes.subarray(start, start + length));
    at = start + length + 2;
    if (at > bytes.length) return { body: Buffer.concat(parts), done: false };
  }
}
