/**
 * What a route is: a method, a path, how it is answered, and a handler. Owns the matching; must not know any route.
 */
import type { Cluster } from "../cluster/cluster.ts";
import type { HostFacts } from "../cluster/info.ts";
import type { ClusterNode } from "../cluster/node.ts";
import type { ContainerRecord } from "../cluster/record.ts";
import type { Answer } from "./listener/answer.ts";
import type { Upgrade } from "./listener/hijack.ts";
import type { ApiRequest } from "./listener/request.ts";

/**
 * How an answer comes about: from the manager itself or its cache, from the one node concerned, by a placement, from all
 * nodes, or by merging what all nodes said. `no swarm` routes are refused as by an engine that is in no swarm,
 * `unsupported` ones are documented by Docker and answered with 501.
 */
export type How = "cached" | "proxied" | "scheduled" | "fanned out" | "aggregated" | "no swarm" | "unsupported";

/** What a handler says for the audit log. */
export interface AuditNotes {
  /** The container that the request turned out to mean, or made. */
  readonly concerns: (record: ContainerRecord) => void;
  /** Something else than a container was made. */
  readonly made: (object: { readonly id?: string; readonly name: string; readonly node: ClusterNode }) => void;
  /** Before an upgraded connection's head is written; ordinary answers wait by themselves. Rejects with DockerError. */
  readonly answering: (status: number) => Promise<void>;
  /** The stream says that it failed, whatever its status said. */
  readonly failed: (message: string) => void;
}

export const UNAUDITED: AuditNotes = { concerns() {}, made() {}, answering: async () => {}, failed() {} };

export interface Context {
  readonly cluster: Cluster;
  readonly host: HostFacts;
  readonly request: ApiRequest;
  /** Values of the path's `{names}`, decoded. */
  readonly params: Readonly<Record<string, string>>;
  /** Aborted when the manager stops. */
  readonly stopping: AbortSignal;
  readonly audit: AuditNotes;
}

/** What a route changes, as the audit log tells it. */
export interface Mutation {
  /** `noun.verb`, such as `container.create`. */
  readonly action: string;
  /** Parameters of the query whose values are logged: none that may hold a secret (filters hold labels' values). */
  readonly options?: readonly string[];
  /** Another action where a parameter of the query is given. */
  readonly instead?: { readonly given: string; readonly action: string };
  /** It goes on while its answer comes in: it has a second line when it ended. */
  readonly streams?: true;
}

export interface Route {
  readonly method: string;
  /** `/containers/{name}/json`: `{name}` takes slashes too (node/name, image names), `{id}` takes none. */
  readonly path: string;
  readonly how: How;
  /** What differs from one engine, in one sentence for docs/api.md. */
  readonly note?: string;
  /** Every route that is not GET or HEAD says it: what it changes, or false when it changes nothing. */
  readonly mutates?: Mutation | false;
  /** A change of the container `{name}`, as a verb: refused for one made past shoal, unless the node was named too. */
  readonly protects?: string;
  /** dockerd looks at the parameters before it looks for what the path names, which may not be there. */
  readonly checksFirst?: "query" | "body";
  readonly handle: (context: Context, answer: Answer) => Promise<void>;
  /** For connections that the client wants upgraded; without it the wish is ignored. */
  readonly upgrade?: (context: Context, upgrade: Upgrade) => Promise<void>;
}

/** Whether anybody reads the body of such a request: a `PUT` or `POST`, but for what only waits or streams out. */
export function takesBody({ method, path }: Pick<Route, "method" | "path">): boolean {
  if (method === "PUT") return true;
  return method === "POST" && !/\/(?:wait|attach)$/.test(path);
}

interface Compiled {
  readonly route: Route;
  readonly pattern: RegExp;
  readonly names: readonly string[];
}

export interface Match {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

/** Routes by method and first path segment, so that a request tries only a handful of patterns. */
export class RouteTable {
  readonly routes: readonly Route[];
  readonly #buckets = new Map<string, Compiled[]>();

  constructor(routes: readonly Route[]) {
    this.routes = routes;
    for (const route of routes) {
      const key = bucketOf(route.method, route.path);
      const bucket = this.#buckets.get(key) ?? [];
      bucket.push(compile(route));
      this.#buckets.set(key, bucket);
    }
  }

  /** The first route in the table's order that matches; undefined when none does. */
  match(method: string, path: string): Match | undefined {
    for (const { route, pattern, names } of this.#buckets.get(bucketOf(method, path)) ?? []) {
      const found = pattern.exec(path);
      if (!found) continue;
      const params: Record<string, string> = {};
      names.forEach((name, i) => {
        params[name] = found[i + 1] ?? "";
      });
      return { route, params };
    }
    return undefined;
  }
}

function bucketOf(method: string, path: string): string {
  return `${method} ${path.split("/", 2)[1] ?? ""}`;
}

function compile(route: Route): Compiled {
  const names: string[] = [];
  const source = route.path.replace(/\{(\w+)\}|[.*+?^$()|[\]\\]/g, (text, name: string | undefined) => {
    if (name === undefined) return `\\${text}`;
    names.push(name);
    return name === "id" ? "([^/]+)" : "(.+)";
  });
  return { route, names, pattern: new RegExp(`^${source}$`) };
}
