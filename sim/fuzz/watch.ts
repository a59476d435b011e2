/**
 * What reached the engines on whose behalf, and whether it may: the oracle's part below the manager. Requests are followed
 * through the code by their asynchronous context. Owns the rules; must not know sockets.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type { Duplex } from "node:stream";
import type { ApiRequest } from "../../src/api/listener/request.ts";
import type { Match } from "../../src/api/route.ts";
import type { EngineWire, WireRequest } from "../../src/engine/wire/wire.ts";
import type { SimEngine } from "../engine/engine.ts";

/** A request that the listener handed on. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly match: Match | undefined;
  /** Names that its Connection header makes hop-by-hop. */
  readonly hops: ReadonlySet<string>;
  readonly report: (problem: string) => void;
}

const HOP_BY_HOP = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "expect",
]);

/** What a route may change besides what its own method and path say. */
const ALSO: Readonly<Record<string, readonly RegExp[]>> = {
  "POST /containers/create": [/^POST \/networks\/[^/]+\/connect$/, /^DELETE \/containers\/[^/]+$/],
  "POST /containers/{name}/start": [
    /^POST \/containers\/create$/,
    /^POST \/networks\/[^/]+\/connect$/,
    /^DELETE \/containers\/[^/]+$/,
  ],
  "POST /containers/prune": [/^DELETE \/containers\/[^/]+$/],
  "POST /images/prune": [/^DELETE \/images\/.+$/],
  "POST /volumes/prune": [/^DELETE \/volumes\/[^/]+$/],
  "POST /networks/prune": [/^DELETE \/networks\/[^/]+$/],
};

export class Watch {
  readonly #current = new AsyncLocalStorage<Seen | "nobody">();
  readonly #engines: readonly SimEngine[];
  readonly #report: (problem: string) => void;
  /** Container ID → the engine that made it, and every name that it ever had. */
  readonly #known = new Map<string, { readonly engine: string; readonly names: Set<string> }>();

  /** @param report for what happens on nobody's behalf */
  constructor(engines: readonly SimEngine[], report: (problem: string) => void) {
    this.#engines = engines;
    this.#report = report;
  }

  within<T>(seen: Seen, work: () => T): T {
    return this.#current.run(seen, work);
  }

  /** What the fuzzer itself does is not judged. */
  unwatched<T>(work: () => T): T {
    return this.#current.run("nobody", work);
  }

  wrap(wire: EngineWire, engine: SimEngine): EngineWire {
    return {
      address: wire.address,
      request: (request) => {
        this.#check(engine, request.method, request.path, request.headers ?? [], false);
        return wire.request(request);
      },
      connect: async (signal) => this.#spied(engine, await wire.connect(signal)),
      close: () => wire.close(),
    };
  }

  /** An upgrade is written by hand: its head is read off the connection. */
  #spied(engine: SimEngine, socket: Duplex): Duplex {
    const seen = this.#current.getStore();
    const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
    let first = true;
    socket.write = ((...args: unknown[]): boolean => {
      if (first) {
        first = false;
        const [line = "", ...lines] = String(args[0]).split("\r\n\r\n", 1)[0]?.split("\r\n") ?? [];
        const [method = "", path = ""] = line.split(" ");
        const headers = lines.flatMap((text) => [text.slice(0, text.indexOf(":")), text.slice(text.indexOf(":") + 1)]);
        const check = (): void => this.#check(engine, method, path, headers, true);
        if (seen) this.#current.run(seen, check);
        else check();
      }
      return write(...args);
    }) as Duplex["write"];
    return socket;
  }

  #check(
    engine: SimEngine,
    method: string,
    target: string,
    headers: NonNullable<WireRequest["headers"]>,
    upgrade: boolean,
  ): void {
    const seen = this.#current.getStore();
    if (seen === "nobody") return;
    const call = `${method} ${target}`;
    const problem = (text: string): void => (seen?.report ?? this.#report)(`${engine.name} was asked ${call}: ${text}`);
    if (!/^\/[\x21\x22\x24-\x7e]*$/.test(target)) problem("bytes that a path cannot hold");
    const path = (target.split("?", 1)[0] ?? "").replace(/^\/v\d+\.\d+(?=\/)/, "");
    if (/(?:^|\/)\.{1,2}(?:\/|$)|\/\/|%2e%2e/i.test(path)) problem("a path that could be read in two ways");
    const reading = method === "GET" || method === "HEAD";
    if (seen === undefined) {
      if (!reading) problem("a change that nobody asked for");
      return;
    }
    for (let i = 0; i < headers.length; i += 2) {
      const name = String(headers[i]).toLowerCase();
      const own = upgrade && (name === "connection" || name === "upgrade");
      if (!own && (HOP_BY_HOP.has(name) || seen.hops.has(name))) problem(`the hop-by-hop header ${name}`);
    }
    if (seen.match === undefined || ["unsupported", "no swarm"].includes(seen.match.route.how)) {
      problem("the request has no route");
    } else if (!reading && !mayChange(seen.match, seen.method, `${method} ${path}`)) problem("not what was asked for");
    this.#checkHome(engine, seen, path, problem);
  }

  /** A container is asked for where it lives, and only the one that was named. */
  #checkHome(engine: SimEngine, seen: Seen, path: string, problem: (text: string) => void): void {
    const reference = /^\/containers\/([^/]+)/.exec(path)?.[1];
    if (reference === undefined || reference === "create" || reference === "json" || reference === "prune") return;
    this.#learn();
    const ref = decodeURIComponent(reference).replace(/^\//, "");
    const named = [...this.#known].filter(([id, { names }]) => id === ref || names.has(ref));
    if (named.length > 0 && !named.some(([, home]) => home.engine === engine.name)) problem("it lives elsewhere");
    const wanted = seen.match?.params.name?.replace(/^\//, "").replace(/^node-\d+\//, "");
    if (wanted === undefined || named.length === 0 || !seen.match?.route.path.startsWith("/containers/{name}")) return;
    if (!named.some(([id, { names }]) => names.has(wanted) || (wanted !== "" && id.startsWith(wanted)))) {
      problem("another container than the one named");
    }
  }

  #learn(): void {
    for (const engine of this.#engines) {
      for (const { id, name } of engine.daemon.containers.all()) {
        const known = this.#known.get(id);
        if (known) known.names.add(name);
        else this.#known.set(id, { engine: engine.name, names: new Set([name]) });
      }
    }
  }
}

function mayChange({ route }: Match, method: string, call: string): boolean {
  if (method === "GET" || method === "HEAD") {
    // A websocket's handshake is a GET that writes.
    if (!route.path.endsWith("/attach/ws")) return false;
  }
  const own = route.path.replace(/[.*+?^$()|[\]\\]/g, "\\$&").replace(/\{\w+\}/g, ".+");
  if (new RegExp(`^${route.method} ${own}$`).test(call)) return true;
  return (ALSO[`${route.method} ${route.path}`] ?? []).some((pattern) => pattern.test(call));
}

/** Names in a request's Connection headers. */
export function hopsOf(request: ApiRequest): ReadonlySet<string> {
  const hops = new Set<string>();
  for (let i = 0; i < request.rawHeaders.length; i += 2) {
    if (request.rawHeaders[i]?.toLowerCase() !== "connection") continue;
    for (const token of (request.rawHeaders[i + 1] ?? "").split(",")) hops.add(token.trim().toLowerCase());
  }
  return hops;
}
