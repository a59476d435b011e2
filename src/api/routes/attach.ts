/** Streams into a container: attach and its websocket, exec. Upgraded connections are joined byte for byte. */

import { findExec } from "../../cluster/find-exec.ts";
import { requireOwn } from "../../cluster/foreign.ts";
import { requireReachable } from "../../cluster/lookup.ts";
import type { ContainerRecord } from "../../cluster/record.ts";
import { clusterText } from "../../cluster/translate.ts";
import { goGet, splice } from "../../docker/json-text.ts";
import { askText, containerOf, containerPath, forward, forwardOutput, forwardUpgrade, queryOf } from "../forward.ts";
import { sendJson } from "../listener/answer.ts";
import type { Context, Mutation, Route } from "../route.ts";
import { flag } from "./containers.ts";

/** Its stream has frames of its own, into which nothing can be said. */
const WEBSOCKET = "/attach/ws";

const attach = (suffix: string): Pick<Route, "handle" | "upgrade"> => ({
  async handle(context, answer) {
    const record = attachable(context, suffix);
    const path = containerPath(context, record, suffix);
    if (suffix === WEBSOCKET) await forward(context, answer, record.node, path);
    else await forwardOutput(context, answer, record, path);
  },
  async upgrade(context, upgrade) {
    const record = attachable(context, suffix);
    // A body means nothing here, and some clients send one: engines ignore it, and on a raw stream it would be input.
    const output = suffix === WEBSOCKET ? undefined : record;
    await forwardUpgrade(context, upgrade, record, containerPath(context, record, suffix), { output });
  },
});

/** Output is only read. Input changes what runs, and older engines take a websocket's input unasked. */
function attachable(context: Context, suffix: string): ContainerRecord {
  const { cluster, params, request } = context;
  const record = containerOf(context);
  if (suffix === WEBSOCKET || flag(request, "stdin")) requireOwn(cluster, record, params.name ?? "", "write to");
  return record;
}

/** As requireOwn says it. */
const EXEC = "run commands in";

const createExec: Route["handle"] = async (context, answer) => {
  const record = containerOf(context);
  const { status, text } = await askText(context, record.node, containerPath(context, record, "/exec"));
  const id = goGet(JSON.parse(text), "Id");
  if (typeof id === "string") context.cluster.execs.add(id, record);
  sendJson(answer, status, text);
};

async function execPath(context: Context, suffix: string): Promise<{ record: ContainerRecord; path: string }> {
  const id = context.params.id ?? "";
  const record = await findExec(context.cluster, id);
  context.audit.concerns(record);
  requireReachable(record.node);
  return { record, path: `/exec/${encodeURIComponent(id)}${suffix}${queryOf(context.request)}` };
}

/** An exec that we made was allowed then; one made past shoal is as foreign as its container. */
async function startPath(context: Context): Promise<{ record: ContainerRecord; path: string }> {
  const made = context.cluster.execs.get(context.params.id ?? "");
  const found = await execPath(context, "/start");
  if (!made) requireOwn(context.cluster, found.record, "", EXEC);
  return found;
}

const inspectExec: Route["handle"] = async (context, answer) => {
  const { record, path } = await execPath(context, "/json");
  const { text } = await askText(context, record.node, path);
  const known = record.id === record.engineId;
  const translated = known ? text : splice(text, [{ path: ["ContainerID"], json: JSON.stringify(record.id) }]);
  sendJson(answer, 200, known ? text : clusterText(context.cluster, record.node, translated));
};

const startExec: Pick<Route, "handle" | "upgrade"> = {
  async handle(context, answer) {
    const { record, path } = await startPath(context);
    await forward(context, answer, record.node, path);
  },
  async upgrade(context, upgrade) {
    const { record, path } = await startPath(context);
    const { body } = upgrade;
    await forwardUpgrade(context, upgrade, record, path, { body, output: { tty: wantsTty(body) } });
  },
};

/** Undefined when the body does not say: the engine refuses what it cannot read. */
function wantsTty(body: Buffer): boolean | undefined {
  try {
    return goGet(JSON.parse(body.toString("utf8")), "Tty") === true;
  } catch {
    return undefined;
  }
}

const resizeExec: Route["handle"] = async (context, answer) => {
  const { record, path } = await execPath(context, "/resize");
  await forward(context, answer, record.node, path);
};

const LOST = "When its node is lost meanwhile, a sentence on stderr ends the stream.";

/** Who is attached may write to the container. */
const ATTACHES: Mutation = { action: "container.attach", options: ["stdin"], streams: true };

export const ATTACH_ROUTES: readonly Route[] = [
  {
    method: "POST",
    path: "/containers/{name}/attach",
    how: "proxied",
    mutates: ATTACHES,
    note: `Output of a foreign container is read, its input is protected. ${LOST}`,
    ...attach("/attach"),
  },
  {
    method: "GET",
    path: "/containers/{name}/attach/ws",
    how: "proxied",
    mutates: ATTACHES,
    note: "A foreign container is protected: engines below 23 open its input unasked.",
    ...attach(WEBSOCKET),
  },
  {
    method: "POST",
    path: "/containers/{name}/exec",
    how: "proxied",
    checksFirst: "body",
    mutates: { action: "exec.create" },
    protects: EXEC,
    handle: createExec,
  },
  { method: "GET", path: "/exec/{id}/json", how: "proxied", handle: inspectExec },
  {
    method: "POST",
    path: "/exec/{id}/start",
    how: "proxied",
    mutates: { action: "exec.start", streams: true },
    note: `In a foreign container only what was created through shoal. ${LOST}`,
    ...startExec,
  },
  {
    method: "POST",
    path: "/exec/{id}/resize",
    how: "proxied",
    checksFirst: "query",
    mutates: false,
    handle: resizeExec,
  },
];
