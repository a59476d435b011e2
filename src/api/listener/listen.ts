/**
 * The client-facing HTTP listeners: opens them all or none, and ends them with grace. Owns the servers' settings; must
 * not know routes.
 */
import { createServer, type IncomingMessage, type Server, type ServerOptions } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { overloaded } from "../../docker/errors.ts";
import type { Clock } from "../../kit/clock.ts";
import {
  CLIENT_CONNECTIONS,
  CLIENT_CONNECTIONS_EACH,
  CLIENT_HANDSHAKE_MS,
  CLIENT_KEEP_ALIVE_MS,
  CLIENT_PROBE_MS,
  OVERLOAD_QUIET_MS,
  REQUEST_HEADERS_BYTES,
  REQUEST_HEADERS_MS,
} from "../../kit/limits.ts";
import type { Logger } from "../../kit/log.ts";
import type { Random } from "../../kit/random.ts";
import type { Access } from "./access.ts";
import type { Answer } from "./answer.ts";
import { bind } from "./bind.ts";
import { BodyMemory } from "./body-memory.ts";
import { Connections } from "./connections.ts";
import type { Upgrade } from "./hijack.ts";
import { formatHost, type Host } from "./host.ts";
import { Lifetime } from "./lifetime.ts";
import { type ApiRequest, makeRequest, type Remote } from "./request.ts";
import { refuseConnection, type Service, serve } from "./serve.ts";

/** PEM texts. */
export interface ListenerTls {
  readonly ca?: string | Buffer | undefined;
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
  /** Only clients with a certificate of `ca` are let in. */
  readonly verify: boolean;
}

export interface ListenerLimits {
  /** Time for a request's headers, also for the first request of a connection to come. */
  readonly headersMs: number;
  readonly headersBytes: number;
  readonly keepAliveMs: number;
  /** Connections that one address may have. */
  readonly connectionsEach: number;
}

const DEFAULT_LIMITS: ListenerLimits = {
  headersMs: REQUEST_HEADERS_MS,
  headersBytes: REQUEST_HEADERS_BYTES,
  keepAliveMs: CLIENT_KEEP_ALIVE_MS,
  connectionsEach: CLIENT_CONNECTIONS_EACH,
};

export interface ListenOptions {
  /** For tcp hosts; unix sockets are guarded by their file's mode. */
  readonly tls?: ListenerTls | undefined;
  readonly handler: (request: ApiRequest, answer: Answer) => Promise<void>;
  /** Which upgrade requests are handed to `upgrade`; the others are ordinary requests. */
  readonly takesUpgrade: (request: ApiRequest) => boolean;
  readonly upgrade: (upgrade: Upgrade) => Promise<void>;
  readonly access: Access;
  /** Name, value, … sent with every answer. */
  readonly headers: readonly string[];
  readonly log: Logger;
  readonly clock: Clock;
  /** For the IDs of requests that bring none. */
  readonly random: Random;
  readonly limits?: Partial<ListenerLimits>;
}

export interface Listeners {
  /** In the order of the hosts, with the ports really bound: `tcp://127.0.0.1:2375`, `unix:///run/shoal.sock`. */
  readonly addresses: readonly string[];
  /** Client connections that are open now. */
  connections(): number;
  /**
   * Takes no new connection, closes idle ones, gives open requests and hijacked streams `graceMs` milliseconds, then
   * breaks them. Resolves when every connection is gone; calling it again is harmless.
   */
  close(graceMs: number): Promise<void>;
}

interface Listener {
  readonly server: Server;
  readonly connections: Connections;
  readonly host: Host;
}

/** Rejects with an Error for the operator when one of the hosts cannot be listened on; then none is. */
export async function openListeners(hosts: readonly Host[], options: ListenOptions): Promise<Listeners> {
  const service: Service = {
    handler: options.handler,
    takesUpgrade: options.takesUpgrade,
    upgrade: options.upgrade,
    access: options.access,
    common: [...options.headers, ...options.access.headers],
    memory: new BodyMemory(),
    clock: options.clock,
    random: options.random,
    log: options.log,
  };
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const opened: Listener[] = [];
  try {
    for (const host of hosts) opened.push(await open(host, options, service, limits));
  } catch (error) {
    await closeAll(opened, options.clock, 0);
    throw error;
  }
  let closing: Promise<void> | undefined;
  return {
    addresses: opened.map(({ host }) => formatHost(host)),
    connections: () => opened.reduce((sum, { connections }) => sum + connections.size, 0),
    close(graceMs) {
      closing ??= closeAll(opened, options.clock, graceMs);
      return closing;
    },
  };
}

async function open(host: Host, options: ListenOptions, service: Service, limits: ListenerLimits): Promise<Listener> {
  const tls = host.kind === "tcp" ? options.tls : undefined;
  const connections = new Connections(limits.connectionsEach);
  const server = tls === undefined ? createServer(settings(service, limits)) : secureServer(tls, service, limits);
  // Node drops header lines beyond this count in silence; requests with too many are refused instead.
  server.maxHeadersCount = 0;
  server.maxConnections = CLIENT_CONNECTIONS;
  const full = burstLine(options, "connections are refused");
  server.on("drop", full);
  const add = (socket: Socket, remote: Remote): void => {
    if (connections.hasRoomFor(remote.address)) {
      connections.add(socket, remote);
      return;
    }
    full();
    refuseConnection(service, socket, overloaded(`${remote.address} has ${limits.connectionsEach} connections`));
  };
  if (tls === undefined) {
    const transport = host.kind;
    server.on("connection", (socket: Socket) => add(socket, remoteOf(socket, transport)));
  } else {
    server.on("connection", (socket: Socket) => connections.addCarrier(socket));
    server.on("secureConnection", (socket: TLSSocket) => add(socket, secureRemoteOf(socket, tls.verify)));
    server.on("tlsClientError", (error: Error, socket: TLSSocket) => {
      options.log.debug("TLS handshake failed", { remote: socket.remoteAddress, error: error.message });
      socket.destroy();
    });
  }
  serve(server, service, connections);
  const bound = await bind(server, host);
  server.on("error", (error) =>
    options.log.error("listener failed", { address: formatHost(bound), error: error.message }),
  );
  return { server, connections, host: bound };
}

/** Says it once, and again only after it was quiet for a while. */
function burstLine({ log, clock }: ListenOptions, message: string): () => void {
  let quietSince = Number.NEGATIVE_INFINITY;
  return () => {
    const now = clock.monotonic();
    if (now - quietSince > OVERLOAD_QUIET_MS) log.warn(`too many at once: ${message}`);
    quietSince = now;
  };
}

/** Streams may last for ever, so no time limit on a whole request; everything else is bounded. */
function settings(service: Service, limits: ListenerLimits): ServerOptions {
  const values: ServerOptions & { shouldUpgradeCallback: (message: IncomingMessage) => boolean } = {
    requestTimeout: 0,
    headersTimeout: limits.headersMs,
    connectionsCheckingInterval: Math.max(50, Math.floor(limits.headersMs / 6)),
    keepAliveTimeout: limits.keepAliveMs,
    maxHeaderSize: limits.headersBytes,
    insecureHTTPParser: false,
    keepAlive: true,
    keepAliveInitialDelay: CLIENT_PROBE_MS,
    noDelay: true,
    // Known to Node from 24.9 on; before, serve.ts answers such requests on the bare connection.
    shouldUpgradeCallback: (message) => wantsUpgrade(service, message),
  };
  return values;
}

const NOBODY: Remote = { address: "", transport: "unix" };

function wantsUpgrade(service: Service, message: IncomingMessage): boolean {
  try {
    return service.takesUpgrade(makeRequest(message, "", NOBODY, service.memory.hold(), new Lifetime(service.clock)));
  } catch {
    return false;
  }
}

/** `allowHalfOpen`: a client's CloseWrite over TLS must not end what it still reads; node:https has it off by default. */
function secureServer(tls: ListenerTls, service: Service, limits: ListenerLimits): Server {
  return createTlsServer({
    ...settings(service, limits),
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    cert: tls.cert,
    key: tls.key,
    requestCert: tls.verify,
    rejectUnauthorized: tls.verify,
    minVersion: "TLSv1.2",
    ALPNProtocols: ["http/1.1"],
    handshakeTimeout: CLIENT_HANDSHAKE_MS,
    allowHalfOpen: true,
  });
}

function remoteOf(socket: Socket, transport: "tcp" | "unix"): Remote {
  return { address: socket.remoteAddress ?? "", transport };
}

function secureRemoteOf(socket: TLSSocket, verify: boolean): Remote {
  const subject = verify ? socket.getPeerCertificate().subject : undefined;
  const name: unknown = subject?.CN;
  return {
    address: socket.remoteAddress ?? "",
    transport: "tls",
    certificateName: typeof name === "string" ? name : undefined,
    certificate: subject && { ...subject },
  };
}

async function closeAll(listeners: readonly Listener[], clock: Clock, graceMs: number): Promise<void> {
  const closed = listeners.map(({ server }) => new Promise<void>((resolve) => server.close(() => resolve())));
  for (const { connections } of listeners) connections.drain();
  const timer = clock.after(graceMs, () => {
    for (const { connections } of listeners) connections.destroyAll();
  });
  await Promise.all(closed);
  timer.cancel();
}
