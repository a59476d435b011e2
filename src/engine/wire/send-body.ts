/** Writes a request body onto a raw connection with its framing and back-pressure. Must not know what it asks for. */
import type { Duplex, Readable } from "node:stream";

export interface BodySender {
  /** Resolves when the last byte was handed to the socket; never rejects. */
  readonly finished: Promise<void>;
  /** Rejects when the source breaks off; never resolves. */
  readonly failed: Promise<never>;
  /** Lets go of source and socket; the source stays paused where it is. */
  stop(): void;
}

/** @param lengthKnown the head already promises a length: the bytes go out as they are, else chunked (RFC 9112 §7.1) */
export function sendBody(socket: Duplex, body: Readable, lengthKnown: boolean): BodySender {
  let onFinished: () => void = () => {};
  let onFailed: (error: unknown) => void = () => {};
  const finished = new Promise<void>((resolve) => {
    onFinished = resolve;
  });
  const failed = new Promise<never>((_, reject) => {
    onFailed = reject;
  });
  failed.catch(() => {});
  const onData = (chunk: Buffer) => {
    if (chunk.length === 0) return;
    if (!lengthKnown) socket.write(`${chunk.length.toString(16)}\r\n`, "latin1");
    let room = socket.write(chunk);
    if (!lengthKnown) room = socket.write("\r\n", "latin1");
    if (!room) body.pause();
  };
  const onDrain = () => body.resume();
  const onEnd = () => {
    if (!lengthKnown) socket.write("0\r\n\r\n", "latin1");
    stop();
    onFinished();
  };
  const onError = (error: unknown) => {
    stop();
    onFailed(error);
  };
  const onClose = () => onError(new Error("the request body ended early"));
  const stop = () => {
    body.off("data", onData).off("end", onEnd).off("error", onError).off("close", onClose);
    socket.off("drain", onDrain);
    if (!body.readableEnded && !body.destroyed) body.pause();
  };
  if (body.readableEnded) onEnd();
  else if (body.destroyed) onError(body.errored ?? new Error("the request body ended early"));
  else {
    socket.on("drain", onDrain);
    body.on("data", onData).on("end", onEnd).on("error", onError).on("close", onClose);
  }
  return { finished, failed, stop };
}
