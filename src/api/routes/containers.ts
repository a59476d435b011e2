/** Containers: made by a placement, listed from the cache, everything else on the node that has them. */

import { Transform } from "node:stream";
import { changed } from "../../cluster/changed.ts";
import { createContainer } from "../../cluster/create.ts";
import { ended } from "../../cluster/ended.ts";
import { forgetAnswered } from "../../cluster/forget.ts";
import { committing } from "../../cluster/images.ts";
import { listContainers } from "../../cluster/list-containers.ts";
import { findAnywhere, findContainer } from "../../cluster/lookup.ts";
import type { ContainerRecord } from "../../cluster/record.ts";
import { renameContainer } from "../../cluster/rename.ts";
import { inspectPending } from "../../cluster/reschedule/inspect.ts";
import { removePending } from "../../cluster/reschedule/pending.ts";
import { settling } from "../../cluster/settling.ts";
import { startContainer, whileStarting } from "../../cluster/start.ts";
import { removeLost } from "../../cluster/tombstones.ts";
import { clusterInspect } from "../../cluster/translate.ts";
import { updateContainer } from "../../cluster/update.ts";
import { settleVolumes } from "../../cluster/volumes/own-volumes.ts";
import { DockerError, nodeUnreachable, notFound } from "../../docker/errors.ts";
import { goGet } from "../../docker/json-text.ts";
import { ask, askText, containerOf, containerPath, forward, forwardOutput, queryOf, sentence } from "../forward.ts";
import { type Answer, sendBytes, sendEmpty, sendJson, warning } from "../listener/answer.ts";
import { type LastWords, pipeAnswer } from "../listener/relay.ts";
import { type ApiRequest, readJsonBody } from "../listener/request.ts";
import type { Context, Route } from "../route.ts";
import { statsTranslator } from "../stats.ts";

/** dockerd's reading of a boolean in a query. */
export function flag(request: ApiRequest, name: string): boolean {
  const value = (request.query.get(name) ?? "").trim().toLowerCase();
  return !["", "0", "no", "false", "none"].includes(value);
}

/** Whose pull belongs to whose create: the connection's identity as far as it has one. */
export function clientOf(request: ApiRequest): string {
  const { transport, certificateName, address } = request.remote;
  return `${transport} ${certificateName ?? address}`;
}

async function list(context: Context, answer: Answer): Promise<void> {
  const { request, cluster } = context;
  const limit = request.query.get("limit") ?? "";
  if (!/^[+-]?\d*$/.test(limit))
    throw new DockerError(500, `strconv.Atoi: parsing ${JSON.stringify(limit)}: invalid syntax`);
  const pieces = await listContainers(cluster, {
    all: flag(request, "all"),
    limit: Math.max(0, Number(limit)),
    size: flag(request, "size"),
    filters: request.query.get("filters"),
  });
  await sendBytes(answer, 200, "application/json", pieces);
}

async function create(context: Context, answer: Answer): Promise<void> {
  const { request, cluster } = context;
  const text = await readJsonBody(request, cluster.clock);
  const created = await createContainer(cluster, request.query.get("name") ?? "", {
    text,
    version: request.version,
    platform: request.query.get("platform") || undefined,
    client: clientOf(request),
  });
  context.audit.concerns(created.record);
  sendJson(answer, 201, created.text);
}

async function inspect(context: Context, answer: Answer): Promise<void> {
  const found = findAnywhere(context.cluster, context.params.name ?? "");
  if (found.state === "pending") return sendJson(answer, 200, await inspectPending(context.cluster, found));
  const record = containerOf(context);
  const { text } = await askText(context, record.node, containerPath(context, record, "/json"));
  sendJson(answer, 200, clusterInspect(context.cluster, record, text));
}

async function start(context: Context, answer: Answer): Promise<void> {
  const { request, cluster, params } = context;
  const record = containerOf(context);
  const changed = await startContainer(cluster, record, params.name ?? "", queryOf(request), request.version);
  sendEmpty(answer, changed ? 204 : 304);
}

/** stop, kill, restart, pause, unpause: the engine's answer, given when the cache shows the change. */
function change(action: string): Route["handle"] {
  return async (context, answer) => {
    const record = action === "kill" ? killable(context) : containerOf(context);
    const askedAt = context.cluster.clock.monotonic();
    const work = () => ask(context, record.node, containerPath(context, record, `/${action}`));
    const from = await (action === "restart" ? whileStarting(context.cluster, record, work) : work());
    changed(context.cluster, record, action, askedAt);
    await pipeAnswer(answer, from);
  };
}

/** dockerd says what it could not do, for this one only. */
function killable(context: Context): ContainerRecord {
  try {
    return containerOf(context);
  } catch (error) {
    if (!(error instanceof DockerError) || error.status !== 404) throw error;
    throw notFound(`cannot kill container: ${context.params.name}: ${error.message}`);
  }
}

async function remove(context: Context, answer: Answer): Promise<void> {
  const { cluster, params } = context;
  const found = findAnywhere(cluster, params.name ?? "");
  if (found.state === "pending") return removeWaiting(context, answer, found);
  let lost = findContainer(cluster, params.name ?? "");
  // What a manager has only begun to read is not lost.
  if (!lost.node.reachable && (await settling(cluster, [lost.node]))) lost = findContainer(cluster, params.name ?? "");
  if (!lost.node.reachable && !flag(context.request, "link")) return removeFromLost(context, answer, lost);
  const record = containerOf(context);
  if (!flag(context.request, "v")) await settleVolumes(context.cluster, record);
  const from = await ask(context, record.node, containerPath(context, record, ""));
  // With link=1 only the link goes; the container stays.
  if (flag(context.request, "link")) context.cluster.refresher.mark(record, true);
  else await forgetAnswered(context.cluster, record);
  await pipeAnswer(answer, from);
}

/** No engine has it; the copy that its lost node has is kept aside there when that is back. */
async function removeWaiting(context: Context, answer: Answer, record: ContainerRecord): Promise<void> {
  context.audit.concerns(record);
  sendEmpty(answer, 204, warning(await removePending(context.cluster, record)));
}

/** Without force only what exists can be removed, and nobody knows whether it does. */
async function removeFromLost(context: Context, answer: Answer, record: ContainerRecord): Promise<void> {
  const { cluster, request } = context;
  const { node } = record;
  if (!flag(request, "force")) {
    throw nodeUnreachable(node.name, `${node.whyUnreachable}. With force its name is free at once`);
  }
  sendEmpty(answer, 204, warning(await removeLost(cluster, record)));
}

async function wait(context: Context, answer: Answer): Promise<void> {
  const record = containerOf(context);
  record.streams++;
  try {
    const from = await ask(context, record.node, containerPath(context, record, "/wait"));
    let told = false;
    // Who is told of the end must find it in the next list, and its place free for the next create.
    const map = new Transform({
      transform(chunk, _encoding, done) {
        told = true;
        void ended(context.cluster, record).then(() => done(null, chunk), done);
      },
    });
    // Whether it has ended is unknown then, and must not look like an exit with code 0.
    const lastWords = (error: Error): LastWords | undefined =>
      told ? undefined : { bytes: waitError(sentence(context, record.node, error)), whole: true };
    await pipeAnswer(answer, from, { map, lastWords });
  } finally {
    record.streams--;
  }
}

/** dockerd's own form of a wait that cannot be answered. */
function waitError(message: string): Buffer {
  return Buffer.from(`${JSON.stringify({ Error: { Message: message }, StatusCode: -1 })}\n`);
}

async function rename(context: Context, answer: Answer): Promise<void> {
  const { request, cluster } = context;
  const name = request.query.get("name") ?? "";
  await renameContainer(cluster, containerOf(context), context.params.name ?? "", name, request.version);
  sendEmpty(answer, 204);
}

async function update(context: Context, answer: Answer): Promise<void> {
  const { request, cluster } = context;
  const record = containerOf(context);
  const text = await readJsonBody(request, cluster.clock);
  sendJson(answer, 200, await updateContainer(cluster, record, context.params.name ?? "", text, request.version));
}

async function commit(context: Context, answer: Answer): Promise<void> {
  const { request, cluster } = context;
  const ref = request.query.get("container") ?? "";
  const record = findContainer(cluster, ref);
  context.audit.concerns(record);
  const { node } = record;
  if (!node.reachable) throw nodeUnreachable(node.name, node.whyUnreachable);
  const query = new URLSearchParams(request.query);
  query.set("container", record.engineId);
  const { text, status } = await committing(cluster, node, query, async () => {
    const made = await askText(context, node, `/commit?${query}`);
    const imageId = goGet(JSON.parse(made.text), "Id");
    return { ...made, imageId: typeof imageId === "string" ? imageId : undefined };
  });
  sendJson(answer, status, text);
}

async function logs(context: Context, answer: Answer): Promise<void> {
  const record = containerOf(context);
  await forwardOutput(context, answer, record, containerPath(context, record, "/logs"));
}

/** Each object of the stream names its container. */
async function stats(context: Context, answer: Answer): Promise<void> {
  const record = containerOf(context);
  const from = await ask(context, record.node, containerPath(context, record, "/stats"));
  await pipeAnswer(answer, from, record.id === record.engineId ? {} : { map: statsTranslator(record) });
}

/** Answered by the container's node, byte for byte. */
function proxied(suffix: string): Route["handle"] {
  return async (context, answer) => {
    const record = containerOf(context);
    await forward(context, answer, record.node, containerPath(context, record, suffix));
  };
}

export const CONTAINER_ROUTES: readonly Route[] = [
  {
    method: "GET",
    path: "/containers/json",
    how: "cached",
    note: "Newest first over the cluster; filter `node` as well; a label `shoal.NODE` names the node.",
    handle: list,
  },
  {
    method: "POST",
    path: "/containers/create",
    how: "scheduled",
    note: "409 with reasons when no node has room. Below engine API 1.44, further networks are connected before the answer.",
    mutates: { action: "container.create", options: ["name", "platform"] },
    handle: create,
  },
  {
    method: "POST",
    path: "/commit",
    how: "proxied",
    note: "The image is on the container's node. A foreign container too is only read, and paused meanwhile as Docker does.",
    mutates: { action: "container.commit", options: ["container", "repo", "tag", "pause"] },
    handle: commit,
  },
  {
    method: "GET",
    path: "/containers/{name}/json",
    how: "proxied",
    note: "With `Node`, and the node's address in place of 0.0.0.0.",
    handle: inspect,
  },
  { method: "GET", path: "/containers/{name}/top", how: "proxied", handle: proxied("/top") },
  {
    method: "GET",
    path: "/containers/{name}/logs",
    how: "proxied",
    checksFirst: "query",
    note: "When its node is lost meanwhile, a sentence on stderr before the stream breaks off.",
    handle: logs,
  },
  { method: "GET", path: "/containers/{name}/changes", how: "proxied", handle: proxied("/changes") },
  { method: "GET", path: "/containers/{name}/export", how: "proxied", handle: proxied("/export") },
  { method: "GET", path: "/containers/{name}/stats", how: "proxied", handle: stats },
  {
    method: "POST",
    path: "/containers/{name}/resize",
    how: "proxied",
    checksFirst: "query",
    protects: "resize",
    mutates: false,
    handle: proxied("/resize"),
  },
  {
    method: "POST",
    path: "/containers/{name}/start",
    how: "proxied",
    protects: "start",
    note: "What the container released when it ended is reserved again first: 409 when its node has no room.",
    mutates: { action: "container.start" },
    handle: start,
  },
  {
    method: "POST",
    path: "/containers/{name}/stop",
    how: "proxied",
    checksFirst: "query",
    protects: "stop",
    mutates: { action: "container.stop", options: ["t", "signal"] },
    handle: change("stop"),
  },
  {
    method: "POST",
    path: "/containers/{name}/restart",
    how: "proxied",
    checksFirst: "query",
    protects: "restart",
    mutates: { action: "container.restart", options: ["t", "signal"] },
    handle: change("restart"),
  },
  {
    method: "POST",
    path: "/containers/{name}/kill",
    how: "proxied",
    protects: "kill",
    mutates: { action: "container.kill", options: ["signal"] },
    handle: change("kill"),
  },
  {
    method: "POST",
    path: "/containers/{name}/update",
    how: "proxied",
    protects: "update",
    note: "Asks the ledger first: 409 when the node has no room.",
    mutates: { action: "container.update" },
    handle: update,
  },
  {
    method: "POST",
    path: "/containers/{name}/rename",
    how: "proxied",
    checksFirst: "query",
    protects: "rename",
    note: "Names are unique over the cluster.",
    mutates: { action: "container.rename", options: ["name"] },
    handle: rename,
  },
  {
    method: "POST",
    path: "/containers/{name}/pause",
    how: "proxied",
    protects: "pause",
    mutates: { action: "container.pause" },
    handle: change("pause"),
  },
  {
    method: "POST",
    path: "/containers/{name}/unpause",
    how: "proxied",
    protects: "unpause",
    mutates: { action: "container.unpause" },
    handle: change("unpause"),
  },
  {
    method: "POST",
    path: "/containers/{name}/wait",
    how: "proxied",
    note: "When its node is lost meanwhile: status code -1 and the reason in `Error.Message`.",
    mutates: false,
    handle: wait,
  },
  {
    method: "DELETE",
    path: "/containers/{name}",
    how: "proxied",
    note: "With force also when its node does not answer, see below.",
    protects: "remove",
    mutates: { action: "container.remove", options: ["force", "v", "link"] },
    handle: remove,
  },
  {
    method: "HEAD",
    path: "/containers/{name}/archive",
    how: "proxied",
    checksFirst: "query",
    handle: proxied("/archive"),
  },
  {
    method: "GET",
    path: "/containers/{name}/archive",
    how: "proxied",
    checksFirst: "query",
    handle: proxied("/archive"),
  },
  {
    method: "PUT",
    path: "/containers/{name}/archive",
    how: "proxied",
    checksFirst: "query",
    protects: "copy into",
    mutates: { action: "container.extract", options: ["path"] },
    handle: proxied("/archive"),
  },
];
