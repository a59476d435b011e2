/**
 * Asks an engine to turn a connection into a raw stream (attach, exec start, session, grpc, ws) and reads the head of
 * its answer. Spoken by hand on a raw connection: HTTP clients lose repeated headers, refusals' bodies or half-closes.
 * Owns everything up to the answer's head; who joins the two streams is the caller's business.
 */
import type { Duplex, Readable } from "node:stream";
import { UPGRADE_HEAD_BYTES } from "../../kit/limits.ts";
import { hostHeader } from "./address.ts";
import { type AnswerHead, AnswerHeadError, AnswerHeadReader, headerValue } from "./answer-head.ts";
import { abortError, toWireError } from "./faults.ts";
import { type BodySender, sendBody } from "./send-body.ts";
import { type EngineWire, WireError } from "./wire.ts";

export interface UpgradeRequest {
  readonly method: string;
  /** As sent, version prefix included. */
  readonly path: string;
  /** The client's raw header lines (name, value …): kept in order and repetition. Host is replaced. */
  readonly headers: readonly string[];
  /** A body without framing: a Buffer is sent with its length, a stream chunked unless the headers have its length. Goes before `head`. */
  readonly body?: Buffer | Readable | undefined;
  /** Bytes already read from the client after its request's head: sent as they are, framing of a body included. */
  readonly head?: Buffer | undefined;
  /**
   * The client's connection itself, when a part of the body may still come on it: what it sends while the answer is
   * awaited goes to the engine as it is, after `head`. Left paused; its end is not passed on (an engine would take it
   * for a client that left): if `readableEnded` is true afterwards, the joining has to end the engine's side.
   */
  readonly more?: Readable | undefined;
}

export interface UpgradeAnswer extends AnswerHead {
  /** Bytes that came after the answer's head: the stream's first. */
  readonly rest: Buffer;
  /**
   * The raw connection in the caller's hands (end or destroy it), paused: pipe() or resume() it. Half-open both ways.
   * It has a silent error listener; look at `destroyed` before joining it to another stream.
   */
  readonly socket: Duplex;
}

/**
 * Resolves with any final answer: 101, a 200 that goes over into a raw stream, or an error whose body readRemainingBody
 * reads. The body is sent before a 101 or 200 is handed back. `signal` counts until then.
 * Rejects with WireError; `sent` is false only when no connection came about.
 */
export async function requestUpgrade(
  wire: EngineWire,
  request: UpgradeRequest,
  signal?: AbortSignal,
): Promise<UpgradeAnswer> {
  const head = requestHead(request, hostHeader(wire.address));
  const socket = await wire.connect(signal);
  const senders: BodySender[] = [];
  const onAbort = () => socket.destroy(abortError(signal?.reason, wire.address, true));
  if (signal?.aborted) onAbort();
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    const answer = readHead(socket);
    socket.write(head, "latin1");
    const sent = send(socket, request, senders);
    sent.catch(() => {});
    const got = await Promise.race([answer, failure(sent)]);
    if (got.status < 300) await Promise.race([sent, closed(socket)]);
    return { ...got, socket };
  } catch (error) {
    socket.destroy();
    if (error instanceof AnswerHeadError) throw new WireError("broken", true, `${wire.address}: ${error.message}`);
    throw toWireError(error, wire.address, true);
  } finally {
    for (const sender of senders) sender.stop();
    signal?.removeEventListener("abort", onAbort);
  }
}

/** Sends body, head and what more comes; resolves when body and head are out, rejects when one of the sources fails. */
async function send(socket: Duplex, request: UpgradeRequest, senders: BodySender[]): Promise<void> {
  const { body, head, more, headers } = request;
  if (Buffer.isBuffer(body)) socket.write(body);
  else if (body) {
    const sender = sendBody(socket, body, headerValue(headers, "content-length") !== undefined);
    senders.push(sender);
    await Promise.race([sender.finished, sender.failed]);
  }
  if (socket.destroyed) return;
  if (head && head.length > 0) socket.write(head);
  if (more && !more.readableEnded) {
    const sender = sendBody(socket, more, true);
    senders.push(sender);
    sender.failed.catch((error) => socket.destroy(error));
  }
}

/** Settles only when `work` fails. */
function failure(work: Promise<unknown>): Promise<never> {
  return new Promise((_, reject) => work.catch(reject));
}

/** Rejects when the connection is gone. */
function closed(socket: Duplex): Promise<never> {
  return new Promise((_, reject) => {
    const gone = () => reject(socket.errored ?? new Error("connection closed by the engine"));
    if (socket.destroyed) gone();
    else socket.once("close", gone);
  });
}

function requestHead(request: UpgradeRequest, host: string): string {
  const { method, path, headers, body } = request;
  const lines = [`${method} ${path} HTTP/1.1`, `Host: ${host}`];
  const keepLength = body !== undefined && !Buffer.isBuffer(body);
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? "";
    const lower = name.toLowerCase();
    const framing = lower === "transfer-encoding" || (lower === "content-length" && !keepLength);
    if (lower === "host" || lower === "expect" || (body !== undefined && framing)) continue;
    lines.push(`${name}: ${headers[i + 1] ?? ""}`);
  }
  if (Buffer.isBuffer(body)) lines.push(`Content-Length: ${body.length}`);
  else if (body && headerValue(headers, "content-length") === undefined) lines.push("Transfer-Encoding: chunked");
  // A line break inside a value would be a second request of somebody else's making.
  if (lines.some((line) => /[\r\n]/.test(line))) {
    throw new WireError("broken", false, "line break in the request's head");
  }
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/** Resolves with the head and the bytes after it, the socket paused and without listeners of ours. */
function readHead(socket: Duplex): Promise<AnswerHead & { rest: Buffer }> {
  return new Promise((resolve, reject) => {
    const reader = new AnswerHeadReader(UPGRADE_HEAD_BYTES);
    const settle = (error: unknown, got?: { head: AnswerHead; rest: Buffer }) => {
      socket.pause();
      socket.off("data", onData).off("end", onEnd).off("error", onError).off("close", onEnd);
      if (got) resolve({ ...got.head, rest: got.rest });
      else reject(error);
    };
    const onData = (chunk: Buffer) => {
      try {
        const got = reader.push(chunk);
        if (got) settle(undefined, got);
      } catch (error) {
        settle(error);
      }
    };
    const onEnd = () => settle(socket.errored ?? new Error("connection closed by the engine before it answered"));
    const onError = (error: unknown) => settle(error);
    socket.on("data", onData).on("end", onEnd).on("error", onError).on("close", onEnd);
  });
}
