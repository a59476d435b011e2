/** Images: listed over all nodes, read from one that has them, changed on every one that does; pulls go to one node or all. */
import { holdersOf, inspectImage, removeImage, tagImage } from "../../cluster/images.ts";
import { listImages } from "../../cluster/list-images.ts";
import type { ClusterNode } from "../../cluster/node.ts";
import { beginPull } from "../../cluster/own-images.ts";
import { nodesForPull } from "../../cluster/pull.ts";
import { notSupportedYet } from "../../docker/errors.ts";
import { ask, queryOf } from "../forward.ts";
import { type Answer, sendEmpty, sendJson, startStream } from "../listener/answer.ts";
import { pipeAnswer } from "../listener/relay.ts";
import { mergeProgress, watchProgress } from "../progress.ts";
import type { Context, Route } from "../route.ts";
import { clientOf } from "./containers.ts";

async function list(context: Context, answer: Answer): Promise<void> {
  await context.cluster.refresher.settled();
  sendJson(answer, 200, listImages(context.cluster, context.request.query.get("filters")));
}

const read = (what: "json" | "history"): Route["handle"] => {
  return async ({ cluster, request, params }, answer) => {
    sendJson(answer, 200, await inspectImage(cluster, params.name ?? "", what, queryOf(request), request.version));
  };
};

async function pull(context: Context, answer: Answer): Promise<void> {
  const { audit, request, cluster } = context;
  const image = request.query.get("fromImage") ?? "";
  if (image === "") throw notSupportedYet("docker import");
  const tag = request.query.get("tag") ?? "";
  const ref = tag === "" ? image : tag.includes(":") ? `${image}@${tag}` : `${image}:${tag}`;
  const nodes = nodesForPull(cluster, clientOf(request), ref);
  const path = `/images/create${queryOf(request)}`;
  const pulled = await beginPull(cluster, nodes, ref);
  try {
    const [only] = nodes;
    if (nodes.length === 1 && only) {
      const map = watchProgress(audit.failed, pulled);
      await pipeAnswer(answer, await ask(context, only, path), { map });
    } else await pullToAll(context, answer, nodes, path, pulled);
  } finally {
    await pulled();
  }
}

/** One progress stream of all nodes, each line's ID with its node's name. Fails as a whole only when every node refuses. */
async function pullToAll(
  context: Context,
  answer: Answer,
  nodes: readonly ClusterNode[],
  path: string,
  pulled: () => Promise<void>,
): Promise<void> {
  const results = await Promise.allSettled(nodes.map((node) => ask(context, node, path)));
  const streams = results.flatMap((result, i) =>
    result.status === "fulfilled" ? [{ node: nodes[i]?.name ?? "", body: result.value.body }] : [],
  );
  const [refused] = results.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : []));
  if (streams.length === 0) throw refused;
  const errors = results.flatMap((result, i) =>
    result.status === "rejected"
      ? [{ node: nodes[i]?.name ?? "", message: String((result.reason as Error).message) }]
      : [],
  );
  const stream = startStream(answer, 200, ["Content-Type", "application/json"]);
  const failure = await mergeProgress(stream, streams, errors, context.request.signal);
  if (failure !== undefined) context.audit.failed(failure);
  await pulled();
  stream.end();
}

async function tag({ cluster, request, params }: Context, answer: Answer): Promise<void> {
  await tagImage(cluster, params.name ?? "", queryOf(request), request.version);
  sendEmpty(answer, 201);
}

async function remove({ cluster, request, params }: Context, answer: Answer): Promise<void> {
  await holdersOf(cluster, params.name ?? "");
  sendJson(answer, 200, await removeImage(cluster, params.name ?? "", queryOf(request), request.version));
}

export const IMAGE_ROUTES: readonly Route[] = [
  {
    method: "GET",
    path: "/images/json",
    how: "aggregated",
    note: "One row an image; filter `node` as well.",
    handle: list,
  },
  {
    method: "POST",
    path: "/images/create",
    how: "scheduled",
    note: "Pulls to the node whose create missed the image, else to one node or, with --pull-to all, to all. Import is not supported yet.",
    mutates: { action: "image.pull", options: ["fromImage", "tag", "platform"], streams: true },
    handle: pull,
  },
  {
    method: "GET",
    path: "/images/{name}/json",
    how: "proxied",
    note: "From a node that has it.",
    handle: read("json"),
  },
  {
    method: "GET",
    path: "/images/{name}/history",
    how: "proxied",
    note: "From a node that has it.",
    handle: read("history"),
  },
  {
    method: "POST",
    path: "/images/{name}/tag",
    how: "fanned out",
    note: "On every node that has it; 409 where the tag is a foreign image's.",
    mutates: { action: "image.tag", options: ["repo", "tag"] },
    handle: tag,
  },
  {
    method: "DELETE",
    path: "/images/{name}",
    how: "fanned out",
    note: "From every node where it is ours; 409 when it is foreign on all that have it.",
    mutates: { action: "image.remove", options: ["force", "noprune"] },
    handle: remove,
  },
];
