/**
 * Requests that ask for an upgrade: their connection is taken from the HTTP server and belongs to the handler.
 * Owns the one form of such a request and ordinary answers on its connection; must not know routes or engines.
 */
import { type IncomingMessage, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { DockerError } from "../../docker/errors.ts";
import type { Clock } from "../../kit/clock.ts";
import { DeadlineError, withDeadline } from "../../kit/deadline.ts";
import { CLIENT_LINGER_MS, REQUEST_BODY_MS } from "../../kit/limits.ts";
import { errorBody, errorHeaders } from "./answer.ts";
import { type ApiRequest, announcesBody } from "./request.ts";
import { readUpgradeBody } from "./upgrade-body.ts";

export interface Upgrade {
  /** Its `body` is empty: see `body` here. Its signal aborts when the client's connection is gone. */
  readonly request: ApiRequest;
  /** The client's connection: half-open, paused, nothing written yet. */
  readonly socket: Duplex;
  /** As received, except that headers that framed the body are left out: who sends it on frames it anew. */
  readonly rawHeaders: readonly string[];
  /** The whole body, without framing; empty when there was none. At most REQUEST_BODY_BYTES. */
  readonly body: Buffer;
  /** The first bytes of the client's stream, sent right behind the request. */
  readonly head: Buffer;
  /** Name, value, … that every ordinary answer carries. */
  readonly common: readonly string[];
  readonly clock: Clock;
}

const FRAMING = new Set(["content-length", "transfer-encoding", "trailer", "expect"]);

/** Reads what belongs to the request itself. Rejects with DockerError 400, 408 or 413, or with ClientGone. */
export async function readUpgrade(
  message: IncomingMessage,
  given: Pick<Upgrade, "request" | "socket" | "head" | "common" | "clock">,
): Promise<Upgrade> {
  const { request, socket, clock } = given;
  const rawHeaders: string[] = [];
  for (let i = 0; i < message.rawHeaders.length; i += 2) {
    const name = message.rawHeaders[i] ?? "";
    if (!FRAMING.has(name.toLowerCase())) rawHeaders.push(name, message.rawHeaders[i + 1] ?? "");
  }
  if (!announcesBody(message.headers)) return { ...given, rawHeaders, body: Buffer.alloc(0) };
  if (/^100-continue$/i.test(message.headers.expect ?? "")) socket.write("HTTP/1.1 100 Continue\r\n\r\n");
  try {
    const work = (signal: AbortSignal) => readUpgradeBody(message, socket, given.head, signal, request.memory);
    return { ...given, rawHeaders, ...(await withDeadline(clock, REQUEST_BODY_MS, "body", work, request.signal)) };
  } catch (error) {
    if (error instanceof DeadlineError) throw new DockerError(408, "timed out reading the request body");
    throw error;
  }
}

/**
 * An ordinary answer instead of the upgrade, after which the connection is closed: the client has a moment to read it
 * while what it still sends is thrown away. `headers` are name, value, … without framing and connection headers.
 */
export function answerUpgradeError(
  upgrade: Pick<Upgrade, "socket" | "clock" | "common"> & { readonly request: Pick<ApiRequest, "method"> },
  status: number,
  headers: readonly string[],
  body: Buffer,
): void {
  const { socket, clock } = upgrade;
  if (socket.destroyed || socket.writableEnded) {
    socket.destroy();
    return;
  }
  const all = [...upgrade.common, ...headers, "Content-Length", String(body.length), "Connection", "close"];
  socket.write(responseHead(status, STATUS_CODES[status] ?? "", all));
  closeGently(socket, clock, upgrade.request.method === "HEAD" ? Buffer.alloc(0) : body);
}

/** `answerUpgradeError` in Docker's form. */
export function sendUpgradeError(upgrade: Parameters<typeof answerUpgradeError>[0], error: DockerError): void {
  answerUpgradeError(upgrade, error.status, errorHeaders(error), errorBody(error.message));
}

/** Sends the last bytes, then waits for the client's end, but not for long: a reset would take the answer from it. */
export function closeGently(socket: Duplex, clock: Clock, last: Buffer = Buffer.alloc(0)): void {
  const timer = clock.after(CLIENT_LINGER_MS, () => socket.destroy(), { background: true });
  socket.once("close", () => timer.cancel());
  socket.on("error", () => {});
  socket.end(last);
  socket.resume();
}

/** The head of an answer as it goes over the wire; every pair as given. */
export function responseHead(status: number, statusText: string, headers: readonly string[]): Buffer {
  let text = `HTTP/1.1 ${status} ${statusText}\r\n`;
  for (let i = 0; i < headers.length; i += 2) text += `${headers[i]}: ${headers[i + 1]}\r\n`;
  return Buffer.from(`${text}\r\n`, "latin1");
}
