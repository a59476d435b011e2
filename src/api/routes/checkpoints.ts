/** Checkpoints: of the container's node, which keeps them; they do not move with it. */
import { ask, containerOf, containerPath, forward } from "../forward.ts";
import type { Answer } from "../listener/answer.ts";
import { pipeAnswer } from "../listener/relay.ts";
import type { Context, Route } from "../route.ts";

async function list(context: Context, answer: Answer): Promise<void> {
  const record = containerOf(context);
  await forward(context, answer, record.node, containerPath(context, record, "/checkpoints"));
}

/** Unless it was asked to go on, the container has ended with it. */
async function create(context: Context, answer: Answer): Promise<void> {
  const record = containerOf(context);
  const from = await ask(context, record.node, containerPath(context, record, "/checkpoints"));
  context.cluster.refresher.mark(record, true);
  await pipeAnswer(answer, from);
}

async function remove(context: Context, answer: Answer): Promise<void> {
  const record = containerOf(context);
  const suffix = `/checkpoints/${encodeURIComponent(context.params.id ?? "")}`;
  await forward(context, answer, record.node, containerPath(context, record, suffix));
}

export const CHECKPOINT_ROUTES: readonly Route[] = [
  { method: "GET", path: "/containers/{name}/checkpoints", how: "proxied", checksFirst: "query", handle: list },
  {
    method: "POST",
    path: "/containers/{name}/checkpoints",
    how: "proxied",
    checksFirst: "query",
    protects: "checkpoint",
    mutates: { action: "container.checkpoint" },
    handle: create,
  },
  {
    method: "DELETE",
    path: "/containers/{name}/checkpoints/{id}",
    how: "proxied",
    checksFirst: "query",
    protects: "remove a checkpoint of",
    mutates: { action: "checkpoint.remove", options: ["dir"] },
    handle: remove,
  },
];
