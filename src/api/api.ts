/** The Docker Engine API over a cluster, as the listeners want it: a handler, an upgrade handler and common headers. */
import type { Cluster } from "../cluster/cluster.ts";
import { requireOwn } from "../cluster/foreign.ts";
import type { HostFacts } from "../cluster/info.ts";
import { badRequest, pageNotFound } from "../docker/errors.ts";
import { compareVersions, MIN_API_VERSION } from "../docker/version.ts";
import { ANSWER_MS } from "../kit/limits.ts";
import type { Audit } from "./audit.ts";
import { checkFirst } from "./check-first.ts";
import type { Answer } from "./listener/answer.ts";
import type { Upgrade } from "./listener/hijack.ts";
import type { ApiRequest } from "./listener/request.ts";
import { kindOf, Load } from "./load.ts";
import { type Context, type Match, takesBody, UNAUDITED } from "./route.ts";
import { ROUTES } from "./table.ts";

/** A timer takes no more than 2^31 milliseconds. */
const MAX_WAIT_SECONDS = 2_000_000;

export interface Api {
  readonly handler: (request: ApiRequest, answer: Answer) => Promise<void>;
  readonly takesUpgrade: (request: ApiRequest) => boolean;
  readonly upgrade: (upgrade: Upgrade) => Promise<void>;
  /** Name, value, … of every answer. */
  readonly headers: readonly string[];
}

/** An API whose end can be waited for. */
export interface EndingApi extends Api {
  /** Resolves when nothing is under way but streams. */
  readonly quiet: () => Promise<void>;
}

/** @param audit undefined: nothing is logged */
export function createApi(cluster: Cluster, host: HostFacts, stopping: AbortSignal, audit?: Audit): EndingApi {
  const contextOf = (request: ApiRequest, { params }: Match): Context => ({
    cluster,
    host,
    request,
    params,
    stopping,
    audit: UNAUDITED,
  });
  const load = new Load(cluster.clock, cluster.log);
  const find = (request: ApiRequest): Match => {
    checkVersion(request, host.apiVersion);
    const match = ROUTES.match(request.method, request.path);
    if (!match) throw pageNotFound();
    return match;
  };
  return {
    headers: commonHeaders(host),
    quiet: () => load.quiet(),
    async handler(request, answer) {
      const match = find(request);
      const { route } = match;
      if (!takesBody(route)) request.dropBody();
      const handle = async (context: Context): Promise<void> => {
        checkForeign(cluster, match);
        const kind = kindOf(route);
        if (kind !== "streams") request.expire(ANSWER_MS + waitOf(request));
        await load.run(kind, async () => {
          await checkFirst(context, route);
          await route.handle(context, answer);
        });
      };
      const context = contextOf(request, match);
      if (!audit || !route.mutates) return handle(context);
      await audit.accompany(context, route, route.mutates, (audited) => {
        answer.holdFor(audited.audit.answering);
        return handle(audited);
      });
    },
    takesUpgrade: (request) => ROUTES.match(request.method, request.path)?.route.upgrade !== undefined,
    async upgrade(upgrade) {
      const match = find(upgrade.request);
      const { route } = match;
      const join = async (context: Context): Promise<void> => {
        const { upgrade: begin } = route;
        if (!begin) throw pageNotFound();
        checkForeign(cluster, match);
        await load.run(kindOf(route), () => begin(context, upgrade));
      };
      const context = contextOf(upgrade.request, match);
      if (!audit || !route.mutates) return join(context);
      await audit.accompany(context, route, route.mutates, join);
    },
  };
}

/** Name, value, … of every answer, whichever manager gives it. */
export function commonHeaders({ apiVersion, experimental, version }: HostFacts): readonly string[] {
  return [
    "Api-Version",
    apiVersion,
    "Docker-Experimental",
    String(experimental),
    "Ostype",
    "linux",
    "Server",
    `Shoal/${version} (linux)`,
  ];
}

/** dockerd's words for versions out of its range. */
function checkVersion({ version }: ApiRequest, newest: string): void {
  if (version === undefined) return;
  if (compareVersions(version, newest) > 0) {
    throw badRequest(`client version ${version} is too new. Maximum supported API version is ${newest}`);
  }
  if (compareVersions(version, MIN_API_VERSION) < 0) {
    throw badRequest(
      `client version ${version} is too old. Minimum supported API version is ${MIN_API_VERSION}, please upgrade your client to a newer version`,
    );
  }
}

/** Milliseconds that the client itself asks a stop or restart to wait. */
function waitOf({ query }: ApiRequest): number {
  const seconds = Number(query.get("t") ?? 0);
  return Number.isInteger(seconds) ? Math.min(Math.max(seconds, 0), MAX_WAIT_SECONDS) * 1_000 : 0;
}

/** What was made past shoal is left alone. A container that is not there is the handler's to refuse. */
function checkForeign(cluster: Cluster, { route, params }: Match): void {
  if (route.protects === undefined) return;
  const { name = "" } = params;
  const record = cluster.inventory.find(name);
  if (record) requireOwn(cluster, record, name, route.protects);
}
