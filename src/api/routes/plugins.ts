/** Plugins: asked of the node that the name begins with. */

import type { ClusterNode } from "../../cluster/node.ts";
import { isPlaced, listPlugins, pluginPlace, pluginPlaces, shownPlugin } from "../../cluster/plugins.ts";
import { DockerError } from "../../docker/errors.ts";
import { ask, askText, forward, queryOf } from "../forward.ts";
import { type Answer, sendJson } from "../listener/answer.ts";
import { pipeAnswer } from "../listener/relay.ts";
import { watchProgress } from "../progress.ts";
import type { Context, Mutation, Route } from "../route.ts";

async function list({ cluster, request }: Context, answer: Answer): Promise<void> {
  sendJson(answer, 200, await listPlugins(cluster, queryOf(request), request.version));
}

async function inspect(context: Context, answer: Answer): Promise<void> {
  const typed = context.params.name ?? "";
  const path = (name: string): string => `/plugins/${encodeURIComponent(name)}/json`;
  // `docker inspect` asks for a plugin last: what no node has is not found, as on one engine.
  if (!isPlaced(context.cluster, typed)) await requireSomewhere(context, path(typed));
  const { node, name } = pluginPlace(context.cluster, typed);
  const { text } = await askText(context, node, path(name));
  sendJson(answer, 200, shownPlugin(context.cluster, node, text));
}

/** Throws the engines' 404 when every node that answers says it. */
async function requireSomewhere(context: Context, path: string): Promise<void> {
  const asked = await Promise.allSettled(context.cluster.reachable().map((node) => askText(context, node, path)));
  const missing = asked.flatMap((one) =>
    one.status === "rejected" && one.reason instanceof DockerError && one.reason.status === 404 ? [one.reason] : [],
  );
  const [first] = missing;
  if (first && missing.length === asked.length) throw first;
}

/** What is about a plugin that is there: the answer as it comes. */
function proxied(suffix: string): Route["handle"] {
  return async (context, answer) => {
    const { node, name } = pluginPlace(context.cluster, context.params.name ?? "");
    await relay(context, answer, node, `/plugins/${encodeURIComponent(name)}${suffix}${queryOf(context.request)}`);
  };
}

async function relay(context: Context, answer: Answer, node: ClusterNode, path: string): Promise<void> {
  const map = watchProgress({ failed: context.audit.failed, work: async () => {} });
  await pipeAnswer(answer, await ask(context, node, path), { map });
}

/** pull, create and privileges name the plugin in the query. */
async function privileges(context: Context, answer: Answer): Promise<void> {
  const { node, query } = placeOfQuery(context);
  await forward(context, answer, node, `/plugins/privileges?${query}`);
}

const bring = (action: "pull" | "create"): Route["handle"] => {
  return async (context, answer) => {
    const { node, query } = placeOfQuery(context);
    await relay(context, answer, node, `/plugins/${action}?${query}`);
  };
};

async function upgrade(context: Context, answer: Answer): Promise<void> {
  const { cluster, params, request } = context;
  const query = new URLSearchParams(request.query);
  const { node, name, remote } = pluginPlaces(cluster, params.name ?? "", query.get("remote") ?? "");
  query.set("remote", remote);
  await relay(context, answer, node, `/plugins/${encodeURIComponent(name)}/upgrade?${query}`);
}

function placeOfQuery({ cluster, request }: Context): { readonly node: ClusterNode; readonly query: URLSearchParams } {
  const query = new URLSearchParams(request.query);
  const { node, name, remote } = pluginPlaces(cluster, query.get("name") ?? "", query.get("remote") ?? "");
  if (query.has("name")) query.set("name", name);
  if (query.has("remote")) query.set("remote", remote);
  return { node, query };
}

const NAMED = "`node/name` says whose; without a node 400 while there are several.";

const change = (method: string, path: string, mutates: Mutation, handle: Route["handle"]): Route => ({
  method,
  path,
  how: "proxied",
  note: NAMED,
  mutates,
  handle,
});

export const PLUGIN_ROUTES: readonly Route[] = [
  {
    method: "GET",
    path: "/plugins",
    how: "aggregated",
    note: "Names with their node while there are several.",
    handle: list,
  },
  { method: "GET", path: "/plugins/privileges", how: "proxied", note: NAMED, handle: privileges },
  { method: "GET", path: "/plugins/{name}/json", how: "proxied", note: NAMED, handle: inspect },
  change("POST", "/plugins/pull", { action: "plugin.pull", options: ["name"], streams: true }, bring("pull")),
  change("POST", "/plugins/create", { action: "plugin.create", options: ["name"] }, bring("create")),
  change("DELETE", "/plugins/{name}", { action: "plugin.remove", options: ["force"] }, proxied("")),
  change("POST", "/plugins/{name}/enable", { action: "plugin.enable" }, proxied("/enable")),
  change("POST", "/plugins/{name}/disable", { action: "plugin.disable", options: ["force"] }, proxied("/disable")),
  change("POST", "/plugins/{name}/upgrade", { action: "plugin.upgrade", streams: true }, upgrade),
  change("POST", "/plugins/{name}/push", { action: "plugin.push", streams: true }, proxied("/push")),
  change("POST", "/plugins/{name}/set", { action: "plugin.set" }, proxied("/set")),
];
