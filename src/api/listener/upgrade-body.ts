/**
 * The body of an upgrade request (every `exec start` has one), read whole. Owns the difference between versions of Node;
 * must not know what follows.
 *
 * Node before 26 leaves that body, framing included, in `head` and on the socket; Node 26 parses it into the request.
 * `req.complete` tells them apart only while a body is pending, so Node itself is asked once, over a connection in memory.
 */
import { createServer, type IncomingMessage } from "node:http";
import { Duplex, type Readable } from "node:stream";
import { REQUEST_BODY_BYTES } from "../../kit/limits.ts";
import { ClientGone } from "./body.ts";
import type { HeldMemory } from "./body-memory.ts";
import { BodyDecoder, bodyTooLarge, type Framing } from "./framing.ts";

export interface UpgradeBody {
  /** The whole body, without framing. */
  readonly body: Buffer;
  /** What lies behind the body and was read already. */
  readonly head: Buffer;
}

/** Rejects with DockerError 400 or 413, with ClientGone, or with the signal's reason. Leaves `socket` paused. */
export async function readUpgradeBody(
  message: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  signal: AbortSignal,
  memory?: HeldMemory,
): Promise<UpgradeBody> {
  const framing: Framing =
    message.headers["transfer-encoding"] === undefined
      ? { length: Number(message.headers["content-length"] ?? 0) }
      : "chunked";
  if (await bodyIsParsed()) return { body: await collect(message, signal, memory), head };
  const decoder = new BodyDecoder(framing, REQUEST_BODY_BYTES);
  let rest = decoder.push(head);
  if (!decoder.done) {
    await consume(socket, signal, (chunk) => {
      memory?.take(chunk.length);
      rest = decoder.push(chunk);
      return decoder.done;
    });
    if (!decoder.done) throw new ClientGone();
  }
  return { body: decoder.body, head: rest };
}

async function collect(message: IncomingMessage, signal: AbortSignal, memory?: HeldMemory): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  await consume(message, signal, (chunk) => {
    size += chunk.length;
    if (size > REQUEST_BODY_BYTES) throw bodyTooLarge(REQUEST_BODY_BYTES);
    memory?.take(chunk.length);
    parts.push(chunk);
    return false;
  });
  return Buffer.concat(parts, size);
}

/** Feeds chunks to `take` until it returns true or the source ends; the source is paused then, none of its bytes lost. */
function consume(source: Readable, signal: AbortSignal, take: (chunk: Buffer) => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: unknown): void => {
      source.pause();
      source.off("data", onData).off("end", onEnd).off("error", settle).off("close", onClose);
      source.on("error", () => {});
      signal.removeEventListener("abort", onAbort);
      if (error === undefined) resolve();
      else reject(error);
    };
    const onData = (chunk: Buffer): void => {
      try {
        if (take(chunk)) settle();
      } catch (error) {
        settle(error);
      }
    };
    const onEnd = (): void => settle();
    const onClose = (): void => settle(new ClientGone());
    const onAbort = (): void => settle(signal.reason);
    if (signal.aborted || source.destroyed) {
      settle(signal.reason ?? new ClientGone());
      return;
    }
    source.on("data", onData).on("end", onEnd).on("error", settle).on("close", onClose);
    signal.addEventListener("abort", onAbort, { once: true });
  });
}

let asked: Promise<boolean> | undefined;

/** Whether this Node parses the body of an upgrade request. */
export function bodyIsParsed(): Promise<boolean> {
  asked ??= new Promise((resolve) => {
    const server = createServer();
    const connection = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
    server.on("upgrade", (_request, _socket, head) => {
      resolve(head.length === 0);
      connection.destroy();
    });
    server.emit("connection", connection);
    connection.push("POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 1\r\n\r\nx");
  });
  return asked;
}
