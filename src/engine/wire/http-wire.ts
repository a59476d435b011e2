/** An engine's address over real sockets: ordinary calls through keep-alive pools, raw connections for upgrades. */
import { setMaxListeners } from "node:events";
import type { Socket } from "node:net";
import { type Duplex, Readable } from "node:stream";
import { Pool } from "undici";
import { type Clock, systemClock } from "../../kit/clock.ts";
import {
  ENGINE_CONNECTIONS,
  ENGINE_HEALTH_CONNECTIONS,
  ENGINE_IDLE_MS,
  ENGINE_LONG_CONNECTIONS,
  UPGRADE_HEAD_BYTES,
} from "../../kit/limits.ts";
import { formatAddress, hostHeader, parseAddress } from "./address.ts";
import { Dialer, type TlsMaterial } from "./dial.ts";
import { Exchange } from "./exchange.ts";
import { abortError, toWireError } from "./faults.ts";
import { sparedBody } from "./request-body.ts";
import { type EngineWire, type WireAnswer, WireError, type WireLane, type WireRequest } from "./wire.ts";

const CONNECTIONS: Record<WireLane, number> = {
  health: ENGINE_HEALTH_CONNECTIONS,
  quick: ENGINE_CONNECTIONS,
  long: ENGINE_LONG_CONNECTIONS,
};

/** Belong to one connection, so they end here (RFC 9110 §7.6.1), and what undici frames itself. */
const OURS = new Set(
  "host connection keep-alive proxy-connection te trailer transfer-encoding upgrade expect content-length".split(" "),
);

export interface WireOptions {
  readonly clock?: Clock;
  readonly dialMs?: number;
  readonly connections?: Partial<Record<WireLane, number>>;
}

/** Throws when the address or the TLS material cannot be read; opens nothing yet. */
export function openWire(address: string, tls: TlsMaterial | undefined, options: WireOptions = {}): EngineWire {
  const parsed = parseAddress(address);
  const dialer = new Dialer(parsed, tls, options.clock ?? systemClock, options.dialMs);
  return new HttpWire(formatAddress(parsed), dialer, { ...CONNECTIONS, ...options.connections });
}

class HttpWire implements EngineWire {
  readonly address: string;
  readonly #dialer: Dialer;
  readonly #connections: Record<WireLane, number>;
  readonly #pools = new Map<WireLane, Pool>();
  readonly #raw = new Set<Duplex>();
  readonly #closing = new AbortController();

  constructor(address: string, dialer: Dialer, connections: Record<WireLane, number>) {
    this.address = address;
    this.#dialer = dialer;
    this.#connections = connections;
    // One listener for each dial under way: many at once are no leak.
    setMaxListeners(0, this.#closing.signal);
  }

  request(request: WireRequest): Promise<WireAnswer> {
    return new Promise((resolve, reject) => {
      const { signal, body: source } = request;
      if (this.#closing.signal.aborted) reject(this.#closedError());
      else if (signal?.aborted) reject(abortError(signal.reason, this.address, false));
      else {
        const body = source instanceof Readable ? sparedBody(source) : source;
        const done = () => {
          if (body instanceof Readable) body.destroy();
        };
        const exchange = new Exchange(this.address, signal, { resolve, reject, done });
        try {
          this.#pool(request.lane ?? "long").dispatch(
            {
              method: request.method,
              path: request.path,
              headers: this.#headers(request.headers ?? [], body instanceof Readable),
              body: body ?? null,
            },
            exchange,
          );
        } catch (error) {
          exchange.fail(error);
        }
      }
    });
  }

  async connect(signal?: AbortSignal): Promise<Duplex> {
    const socket = await this.#dialer.dial({ halfOpen: true, signal });
    if (this.#closing.signal.aborted) {
      socket.destroy();
      throw this.#closedError();
    }
    this.#raw.add(socket);
    socket.once("close", () => this.#raw.delete(socket));
    return socket;
  }

  async close(): Promise<void> {
    this.#closing.abort(this.#closedError());
    for (const socket of this.#raw) socket.destroy();
    const pools = [...this.#pools.values()];
    this.#pools.clear();
    await Promise.all(pools.map((pool) => pool.destroy(this.#closedError())));
  }

  #pool(lane: WireLane): Pool {
    let pool = this.#pools.get(lane);
    if (!pool) {
      pool = new Pool("http://engine", {
        connections: this.#connections[lane],
        pipelining: 1,
        headersTimeout: 0,
        bodyTimeout: 0,
        keepAliveTimeout: ENGINE_IDLE_MS,
        maxHeaderSize: UPGRADE_HEAD_BYTES,
        connect: (_options, callback) => {
          this.#dialer.dial({ halfOpen: false, signal: this.#closing.signal }).then(
            (socket: Socket) => callback(null, endingForGood(socket)),
            (error: unknown) => callback(toWireError(error, this.address, false), null),
          );
        },
      });
      this.#pools.set(lane, pool);
    }
    return pool;
  }

  #headers(given: readonly string[], streams: boolean): string[] {
    const out = ["host", hostHeader(this.address)];
    for (let i = 0; i + 1 < given.length; i += 2) {
      const name = given[i] ?? "";
      const lower = name.toLowerCase();
      if (OURS.has(lower) && !(streams && lower === "content-length")) continue;
      out.push(name, given[i + 1] ?? "");
    }
    return out;
  }

  #closedError(): WireError {
    return new WireError("aborted", false, `${this.address}: the connection was closed`);
  }
}

/**
 * undici ends an aborted call by destroying its socket with an error that says "not the call's fault", upon which its
 * client dials anew for the call it has just dropped. Under any other error it does not.
 */
function endingForGood(socket: Socket): Socket {
  const destroy = socket.destroy.bind(socket);
  socket.destroy = (error?: Error & { code?: string }) =>
    destroy(error?.code === "UND_ERR_INFO" && error.message === "aborted" ? new Error("the call was given up") : error);
  return socket;
}
