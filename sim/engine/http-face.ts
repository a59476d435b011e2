/**
 * The engine over HTTP: sockets (or in-memory connections) in, answers out, upgrades included. Owns the listeners and
 * every open connection; must not know what the routes do.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createNetServer, type Server as NetServer } from "node:net";
import { Duplex, pipeline, Readable } from "node:stream";
import { announcesBody } from "../../src/api/listener/request.ts";
import { readUpgradeBody } from "../../src/api/listener/upgrade-body.ts";
import type { Answer } from "./call.ts";
import type { Handler, RawCall } from "./handler.ts";

/** Where to listen. Port 0 takes a free one and keeps it when the engine comes back. */
export type ListenTarget = { readonly path: string } | { readonly port: number; readonly host?: string };

interface Listener {
  target: ListenTarget;
  server: NetServer | undefined;
}

/** Go sends small answers with their length and larger ones chunked. */
const WITH_LENGTH = 2048;

const flat = (headers: IncomingMessage["headers"]): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));

export class HttpFace {
  readonly #handler: Handler;
  readonly #http: Server;
  readonly #connections = new Set<Duplex>();
  readonly #listeners: Listener[] = [];

  constructor(handler: Handler) {
    this.#handler = handler;
    this.#http = createServer({ keepAliveTimeout: 0 }, (request, response) => void this.#serve(request, response));
    this.#http.on("upgrade", (request, socket, head) => void this.#upgrade(request, socket, head));
    this.#http.on("clientError", (_error, socket) => socket.destroy());
  }

  /** A connection from anywhere. */
  accept(connection: Duplex): void {
    this.#connections.add(connection);
    connection.on("error", () => connection.destroy());
    connection.once("close", () => this.#connections.delete(connection));
    this.#http.emit("connection", connection);
  }

  /** Resolves with what a client dials: `unix:///path` or `host:port`. */
  async listen(target: ListenTarget): Promise<string> {
    const listener: Listener = { target, server: undefined };
    this.#listeners.push(listener);
    await this.#open(listener);
    return "path" in listener.target ? `unix://${listener.target.path}` : `127.0.0.1:${listener.target.port}`;
  }

  #open(listener: Listener): Promise<void> {
    const server = createNetServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.accept(socket));
    listener.server = server;
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen("path" in listener.target ? listener.target : { host: "127.0.0.1", ...listener.target }, () => {
        if ("port" in listener.target)
          listener.target = { ...listener.target, port: (server.address() as AddressInfo).port };
        resolve();
      });
    });
  }

  /** Closes all listeners and cuts all connections. */
  async down(): Promise<void> {
    const closing = this.#listeners.map(({ server }) => server && new Promise((done) => server.close(done)));
    for (const listener of this.#listeners) listener.server = undefined;
    for (const connection of this.#connections) connection.destroy();
    await Promise.all(closing);
  }

  /** Listens again where it did before. */
  async up(): Promise<void> {
    await Promise.all(this.#listeners.filter(({ server }) => !server).map((listener) => this.#open(listener)));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const abort = new AbortController();
    response.once("close", () => abort.abort());
    response.on("error", () => response.destroy());
    try {
      const answer = await this.#handler.answer(rawCall(request, request, abort.signal));
      if (!response.destroyed) send(request, response, answer);
    } catch {
      response.destroy();
    }
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const abort = new AbortController();
    socket.on("error", () => socket.destroy());
    socket.once("close", () => abort.abort());
    try {
      const input = announcesBody(request.headers)
        ? await readUpgradeBody(request, socket, head, abort.signal)
        : { body: Buffer.alloc(0), head };
      const answer = await this.#handler.answer(rawCall(request, Readable.from([input.body]), abort.signal));
      if (socket.destroyed) return;
      if (input.head.length > 0) socket.unshift(input.head);
      if (answer.hijack) {
        const upgrade = String(request.headers.upgrade);
        socket.write(headText(101, "UPGRADED", { ...answer.headers, Connection: "Upgrade", Upgrade: upgrade }));
        answer.hijack(socket);
      } else await refuse(socket, answer);
    } catch {
      socket.destroy();
    }
  }
}

function rawCall(request: IncomingMessage, body: Readable, signal: AbortSignal): RawCall {
  const { method = "GET", url = "/" } = request;
  return { method, target: url, headers: flat(request.headers), body, signal };
}

function headText(status: number, reason: string, headers: Record<string, string>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${reason}\r\n${lines.join("")}\r\n`;
}

/** An ordinary answer to a request for an upgrade; the connection ends with it. */
async function refuse(socket: Duplex, answer: Answer): Promise<void> {
  const parts: Buffer[] = [];
  if (answer.body instanceof Readable) for await (const part of answer.body) parts.push(Buffer.from(part));
  else if (answer.body !== undefined) parts.push(Buffer.from(answer.body));
  const body = Buffer.concat(parts);
  const headers = { ...answer.headers, "Content-Length": String(body.length), Connection: "close" };
  socket.write(headText(answer.status, "", headers));
  socket.end(body);
}

function send(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  const headers = { ...answer.headers };
  const { body } = answer;
  if (answer.hijack) {
    response.writeHead(answer.status, headers);
    response.flushHeaders();
    answer.hijack(Duplex.from({ readable: request, writable: response }));
    return;
  }
  if (body instanceof Readable) {
    response.writeHead(answer.status, headers);
    response.flushHeaders();
    pipeline(body, response, (error) => {
      if (error) response.destroy();
    });
    return;
  }
  const bytes = Buffer.from(body ?? "");
  if (answer.breakOff) {
    response.writeHead(answer.status, { ...headers, "Content-Length": bytes.length });
    response.write(bytes.subarray(0, bytes.length >> 1), () => response.destroy());
    return;
  }
  if (request.method === "HEAD" || (bytes.length < WITH_LENGTH && answer.status !== 204 && answer.status !== 304)) {
    headers["Content-Length"] = String(bytes.length);
  }
  response.writeHead(answer.status, headers);
  response.end(request.method === "HEAD" ? undefined : bytes);
}
