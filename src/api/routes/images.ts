/** Images: listed over all nodes, read from one that has them, changed on every one that does; pulls go to one node or all. */
import { bringing, broughtByPull } from "../../cluster/brought-images.ts";
import { holdersOf, inspectImage, removeImage, tagImage } from "../../cluster/images.ts";
import { listImages } from "../../cluster/list-images.ts";
import { nodesForPull } from "../../cluster/pull.ts";
import { ask, queryOf } from "../forward.ts";
import { type Answer, sendEmpty, sendJson } from "../listener/answer.ts";
import { pipeAnswer } from "../listener/relay.ts";
import { mergeProgress, watchProgress } from "../progress.ts";
import type { Context, Route } from "../route.ts";
import { clientOf } from "./containers.ts";
import { importImage } from "./image-transfer.ts";

async function list(context: Context, answer: Answer): Promise<void> {
  await context.cluster.refresher.settled();
  sendJson(answer, 200, listImages(context.cluster, context.request.query.get("filters")));
}

const read = (what: "json" | "history"): Route["handle"] => {
  return async ({ cluster, request, params }, answer) => {
    sendJson(answer, 200, await inspectImage(cluster, params.name ?? "", what, queryOf(request), request.version));
  };
};

async function create(context: Context, answer: Answer): Promise<void> {
  const image = context.request.query.get("fromImage") ?? "";
  await (image === "" ? importImage(context, answer) : pull(context, answer, image));
}

async function pull(context: Context, answer: Answer, image: string): Promise<void> {
  const { audit, request, cluster } = context;
  const tag = request.query.get("tag") ?? "";
  const ref = tag === "" ? image : tag.includes(":") ? `${image}@${tag}` : `${image}:${tag}`;
  const nodes = nodesForPull(cluster, clientOf(request), ref);
  const path = `/images/create${queryOf(request)}`;
  const over = await bringing(cluster, nodes, broughtByPull(ref));
  try {
    const [only] = nodes;
    if (nodes.length === 1 && only) {
      const map = watchProgress({ failed: audit.failed, work: over });
      await pipeAnswer(answer, await ask(context, only, path), { map });
    } else {
      const asked = nodes.map((node) => ({ node, answer: ask(context, node, path) }));
      await mergeProgress(context, answer, asked, { work: over });
    }
  } finally {
    await over(true);
  }
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
    note: "Pulls to the node whose create missed the image, else to one node or, with --pull-to all, to all. An import goes to one node.",
    mutates: {
      action: "image.pull",
      options: ["fromImage", "repo", "tag", "platform"],
      streams: true,
      instead: { given: "fromSrc", action: "image.import" },
    },
    handle: create,
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
