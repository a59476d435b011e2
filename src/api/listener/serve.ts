/**
 * What happens on one HTTP server: each message becomes a request or an upgrade, is admitted or refused, and is handed
 * on exactly once. Owns node's events; must not know routes.
 */
import { type IncomingMessage, type Server, ServerResponse, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { type Duplex, Readable } from "node:stream";
import { DockerError, toDockerError } from "../../docker/errors.ts";
import type { Clock } from "../../kit/clock.ts";
import { CLIENT_LINGER_MS, PIPELINED_REQUESTS } from "../../kit/limits.ts";
import type { Logger } from "../../kit/log.ts";
import type { Random } from "../../kit/random.ts";
import type { Access } from "./access.ts";
import { Answer, errorBody, errorHeaders, sendEmpty, sendError } from "./answer.ts";
import { ClientGone, discardBody } from "./body.ts";
import type { BodyMemory } from "./body-memory.ts";
import type { Connection, Connections } from "./connections.ts";
import { closeGently, readUpgrade, responseHead, sendUpgradeError, type Upgrade } from "./hijack.ts";
import { Lifetime } from "./lifetime.ts";
import { type ApiRequest, makeRequest } from "./request.ts";
import { REQUEST_ID_HEADER, requestId } from "./request-id.ts";

export interface Service {
  /** Settles when the answer is complete. What it throws is answered if that is still possible, and logged. */
  handler(request: ApiRequest, answer: Answer): Promise<void>;
  /** Whether this request's connection goes to `upgrade`; otherwise its wish is ignored, as HTTP allows. */
  takesUpgrade(request: ApiRequest): boolean;
  /** Owns the connection from now on; what it throws before anything is written is answered. */
  upgrade(upgrade: Upgrade): Promise<void>;
  readonly access: Access;
  /** Name, value, … sent with every ordinary answer, the access rules' own included. */
  readonly common: readonly string[];
  readonly memory: BodyMemory;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** Connects the server's events to the service. */
export function serve(server: Server, service: Service, connections: Connections): void {
  server.on("request", (message: IncomingMessage, response: ServerResponse) =>
    onRequest(service, connections, message, response, false),
  );
  server.on("checkContinue", (message: IncomingMessage, response: ServerResponse) =>
    onRequest(service, connections, message, response, true),
  );
  // Node would answer an expectation that nobody knows by itself, and once more if the message turns out malformed.
  server.on("checkExpectation", (message: IncomingMessage, response: ServerResponse) =>
    onRequest(service, connections, message, response, true),
  );
  server.on("upgrade", (message: IncomingMessage, socket: Duplex, head: Buffer) => {
    void onUpgrade(service, connections, message, socket, head);
  });
  server.on("clientError", (error: Error & { code?: string }, socket: Duplex) =>
    onClientError(service, connections, error, socket as Socket),
  );
}

function onRequest(
  service: Service,
  connections: Connections,
  message: IncomingMessage,
  response: ServerResponse,
  continues: boolean,
): void {
  const connection = connections.of(message.socket);
  if (connection === undefined) {
    // Refused when it came, and told so.
    if (!message.socket.writableEnded) message.socket.destroy();
    return;
  }
  message.on("error", ignore);
  response.on("error", ignore);
  const begin = (): void => answerRequest(service, connections, connection, message, response, continues);
  // A pipelined request waits for the answer in front of it, as in dockerd: node would begin them all at once.
  if (connection.answers === 0) begin();
  else if (connection.waiting.push(begin) > PIPELINED_REQUESTS) message.socket.destroy();
}

function answerRequest(
  service: Service,
  connections: Connections,
  connection: Connection,
  message: IncomingMessage,
  response: ServerResponse,
  continues: boolean,
): void {
  connections.begin(connection);
  const lifetime = new Lifetime(service.clock);
  response.once("close", () => {
    if (response.writableFinished) {
      lifetime.end();
      drainBody(message, service.clock);
    } else lifetime.leave();
    connections.settle(connection);
  });
  // Only who reads the body asks for it; a refusal before that ends the connection, as nobody knows what comes next on it.
  let owed = continues;
  const onFirstRead = (): void => {
    if (!owed || response.headersSent) return;
    owed = false;
    response.shouldKeepAlive = true;
    response.writeContinue();
  };
  if (continues) response.shouldKeepAlive = false;
  const id = requestId(message.headers["x-request-id"], service.random);
  const answer = new Answer(response, service.common, id);
  const memory = service.memory.hold();
  const make = () =>
    makeRequest(message, id, connection.remote, memory, lifetime, undefined, continues ? onFirstRead : undefined);
  void exchange(service, make, answer, id).finally(memory.release);
}

async function exchange(service: Service, make: () => ApiRequest, answer: Answer, id: string): Promise<void> {
  let request: ApiRequest | undefined;
  try {
    request = make();
    const refusal = service.access.refusal(request);
    if (refusal !== undefined) throw refusal;
    if (service.access.cors && request.method === "OPTIONS") sendEmpty(answer, 200);
    else await service.handler(request, answer);
    if (!answer.started && !answer.over) throw new Error("shoal bug: a handler gave no answer");
  } catch (error) {
    if (!(error instanceof DockerError) && request?.signal.aborted !== true) {
      service.log.error("request failed", {
        request: id,
        method: request?.method,
        path: request?.path,
        error: String(error),
      });
    }
    sendError(answer, toDockerError(error));
  }
}

/** Reads and drops what the handler left of the body, for a while: closing at once would take the answer from the client. */
function drainBody(message: IncomingMessage, clock: Clock): void {
  if (message.complete || message.socket.destroyed) return;
  const { socket } = message;
  const timer = clock.after(CLIENT_LINGER_MS, () => socket.destroy(), { background: true });
  const stop = (): void => {
    timer.cancel();
    socket.off("close", stop);
  };
  socket.once("close", stop);
  message.once("end", stop);
  discardBody(message);
}

async function onUpgrade(
  service: Service,
  connections: Connections,
  message: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  socket.on("error", ignore);
  message.on("error", ignore);
  const connection = connections.of(message.socket);
  // Behind an unfinished answer (pipelined) the stream's bytes would land in the middle of it. And what a client sent before
  // it left is read after its connection's end.
  if (connection === undefined || connection.answers > 0 || socket.destroyed) {
    socket.destroy();
    return;
  }
  connection.hijacked = true;
  const { clock } = service;
  const lifetime = new Lifetime(clock);
  socket.once("close", () => lifetime.leave());
  const id = requestId(message.headers["x-request-id"], service.random);
  const common = [...service.common, REQUEST_ID_HEADER, id];
  const memory = service.memory.hold();
  let written = message.socket.bytesWritten;
  try {
    const request = makeRequest(message, id, connection.remote, memory, lifetime, Readable.from([]));
    const refusal = service.access.refusal(request);
    if (refusal !== undefined) throw refusal;
    const upgrade = await readUpgrade(message, { request, socket, head, common, clock });
    written = message.socket.bytesWritten;
    if (service.takesUpgrade(request)) await service.upgrade(upgrade);
    else await serveOrdinary(service, message, upgrade);
  } catch (error) {
    if (!(error instanceof DockerError) && !(error instanceof ClientGone) && !lifetime.signal.aborted) {
      service.log.error("upgrade failed", { request: id, path: message.url, error: String(error) });
    }
    if (message.socket.bytesWritten > written) socket.destroy();
    else
      sendUpgradeError({ socket, clock, common, request: { method: message.method ?? "GET" } }, toDockerError(error));
  } finally {
    memory.release();
  }
}

/** The wish to upgrade is ignored: an ordinary answer, after which the connection ends. */
async function serveOrdinary(service: Service, message: IncomingMessage, upgrade: Upgrade): Promise<void> {
  const socket = upgrade.socket as Socket;
  const response = new ServerResponse(message);
  response.on("error", ignore);
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  // Nobody else reads from here on, and only who reads hears that the client has left.
  const leave = (): void => void socket.destroy();
  socket.once("end", leave).resume();
  response.once("finish", () => {
    socket.off("end", leave);
    response.detachSocket(socket);
    closeGently(socket, service.clock);
  });
  const body = Readable.from(upgrade.body.length > 0 ? [upgrade.body] : []);
  const { id } = upgrade.request;
  await exchange(service, () => ({ ...upgrade.request, body }), new Answer(response, service.common, id), id);
}

/** What is not HTTP, too large or too slow: said in Docker's form, unless an answer is under way. */
function onClientError(
  service: Service,
  connections: Connections,
  error: Error & { code?: string },
  socket: Socket,
): void {
  if (socket.writableEnded && !socket.destroyed) return;
  const busy = (connections.of(socket)?.answers ?? 0) > 0;
  // Bytes behind a request that said it was the last: nothing to answer, and no reason to take the answers before away.
  if (busy && error.code === "HPE_CLOSED_CONNECTION") return;
  if (busy || !socket.writable || error.code === "ECONNRESET" || error.code === "EPIPE") {
    socket.destroy();
    return;
  }
  const [status, message] = whatIsWrong(error.code);
  service.log.debug("malformed request", { remote: socket.remoteAddress, error: error.message });
  refuseConnection(service, socket, new DockerError(status, message));
}

/** An answer to whatever is asked on this connection, and its end. */
export function refuseConnection(service: Pick<Service, "clock" | "common">, socket: Socket, error: DockerError): void {
  const body = errorBody(error.message);
  const headers = [...errorHeaders(error), "Content-Length", String(body.length), "Connection", "close"];
  socket.write(responseHead(error.status, STATUS_CODES[error.status] ?? "", [...service.common, ...headers]));
  closeGently(socket, service.clock, body);
}

function whatIsWrong(code: string | undefined): [number, string] {
  if (code === "HPE_HEADER_OVERFLOW") return [431, "request headers too large"];
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return [408, "timed out reading the request"];
  return [400, "malformed HTTP request"];
}

function ignore(): void {}
