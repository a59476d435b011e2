/**
 * A request's body as a stream of its own. Destroying it stops the reading but leaves the connection whole, so that an
 * error can still be answered; node's own stream would take the client's socket with it.
 * Owns that separation; must not know what the bytes mean.
 */
import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { streamed } from "../../kit/collector.ts";
import type { Lifetime } from "./lifetime.ts";

/** The client closed its connection, or it broke, before the exchange was over. Nobody is left to be answered. */
export class ClientGone extends Error {
  constructor() {
    super("the client closed the connection");
    this.name = "ClientGone";
  }
}

/**
 * Back-pressure is kept both ways and no byte is copied.
 * @param lifetime told when bytes are waited for; a client whose reader is slow keeps nobody waiting
 * @param onFirstRead called once, before the first byte is waited for (sends `100 Continue`)
 */
export function bodyOf(
  message: IncomingMessage,
  lifetime: Pick<Lifetime, "awaitBytes" | "bytesCame">,
  onFirstRead?: () => void,
): Readable {
  let first = onFirstRead;
  const onData = (chunk: Buffer): void => {
    lifetime.bytesCame();
    streamed(chunk.length);
    if (!body.push(chunk)) message.pause();
  };
  const onEnd = (): void => {
    detach();
    body.push(null);
  };
  const onGone = (): void => {
    detach();
    body.destroy(new ClientGone());
  };
  const detach = (): void => {
    lifetime.bytesCame();
    message.off("data", onData).off("end", onEnd).off("close", onGone).off("error", onGone);
    message.on("error", ignore);
  };
  const body = new Readable({
    read() {
      first?.();
      first = undefined;
      lifetime.awaitBytes();
      message.resume();
    },
    destroy(error, done) {
      detach();
      message.pause();
      done(error);
    },
  });
  bodies.set(message, body);
  // Whoever reads it hears of an error by itself; that nobody does must not end the process.
  body.on("error", ignore);
  message.pause();
  if (message.destroyed && !message.readableEnded) {
    body.destroy(new ClientGone());
    return body;
  }
  message.on("data", onData).on("end", onEnd).on("close", onGone).on("error", onGone);
  return body;
}

const bodies = new WeakMap<IncomingMessage, Readable>();

/** Lets go of the body's stream, if one was made, and lets the rest of the message run into nothing. */
export function discardBody(message: IncomingMessage): void {
  bodies.get(message)?.destroy();
  message.resume();
}

function ignore(): void {}
