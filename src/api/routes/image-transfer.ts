/** Images on their way into and out of the cluster: load, import, save, push. Bodies stream both ways, with back-pressure. */
import type { Readable } from "node:stream";
import { bringing, broughtByName, broughtByPush } from "../../cluster/brought-images.ts";
import { nodeWithAll } from "../../cluster/carriers.ts";
import { familiarImage } from "../../cluster/image-index.ts";
import { encodeRef } from "../../cluster/images.ts";
import type { ClusterNode } from "../../cluster/node.ts";
import { requireFreeTag } from "../../cluster/own-images.ts";
import { bestNode, nodesForLoad } from "../../cluster/pull.ts";
import { repositoryOf } from "../../docker/references.ts";
import type { WireAnswer } from "../../engine/wire/wire.ts";
import { ask, forward, queryOf } from "../forward.ts";
import type { Answer } from "../listener/answer.ts";
import { pipeAnswer } from "../listener/relay.ts";
import { tee } from "../listener/tee.ts";
import { mergeProgress, type Progress, watchProgress } from "../progress.ts";
import type { Context, Route } from "../route.ts";

/** `docker load`: the same archive to one node, or with --pull-to all to all. */
async function load(context: Context, answer: Answer): Promise<void> {
  const { audit, cluster, request } = context;
  const nodes = nodesForLoad(cluster);
  const path = `/images/load${queryOf(request)}`;
  const loaded = new Set<string>();
  const note = ({ stream = "" }: Progress): void => {
    const [, name] = /^Loaded image(?: ID)?: (\S+)/.exec(stream) ?? [];
    if (name !== undefined) loaded.add(name);
  };
  const over = await bringing(cluster, nodes, broughtByName(loaded));
  try {
    const [only] = nodes;
    if (nodes.length === 1 && only) {
      const map = watchProgress({ failed: audit.failed, line: note, work: over });
      await pipeAnswer(answer, await ask(context, only, path), { map });
      return;
    }
    const bodies = tee(request.body, nodes.length);
    const asked = nodes.map((node, i) => ({ node, answer: askWith(context, node, path, bodies[i]) }));
    await mergeProgress(context, answer, asked, { line: note, work: over });
  } finally {
    await over(true);
  }
}

/** An engine that refuses, or is through before its body is, holds the others back no longer. */
async function askWith(context: Context, node: ClusterNode, path: string, body?: Readable): Promise<WireAnswer> {
  try {
    const from = await ask(context, node, path, body);
    from.body.once("close", () => body?.destroy());
    return from;
  } catch (error) {
    body?.destroy();
    throw error;
  }
}

/** `docker import`: to one node, or each would make another image of it. */
export async function importImage(context: Context, answer: Answer): Promise<void> {
  const { audit, cluster, request } = context;
  const node = bestNode(cluster);
  const repo = request.query.get("repo") ?? "";
  const tag = request.query.get("tag") ?? "";
  const name = repo === "" ? undefined : familiarImage(tag === "" ? repo : `${repo}:${tag}`);
  if (name !== undefined) requireFreeTag(cluster, node, name, undefined);
  const made = new Set<string>(name === undefined ? [] : [name]);
  const note = ({ status = "" }: Progress): void => {
    if (/^sha256:[0-9a-f]{64}$/.test(status)) made.add(status);
  };
  const over = await bringing(cluster, [node], broughtByName(made));
  try {
    const map = watchProgress({ failed: audit.failed, line: note, work: over });
    await pipeAnswer(answer, await ask(context, node, `/images/create${queryOf(request)}`), { map });
  } finally {
    await over(true);
  }
}

async function save(context: Context, answer: Answer): Promise<void> {
  const names = context.request.query.getAll("names").flatMap((name) => name.split(","));
  const node = await nodeWithAll(context.cluster, names, "save");
  await forward(context, answer, node, `/images/get${queryOf(context.request)}`);
}

async function saveOne(context: Context, answer: Answer): Promise<void> {
  const { name = "" } = context.params;
  const node = await nodeWithAll(context.cluster, [name], "save");
  await forward(context, answer, node, `/images/${encodeRef(name)}/get${queryOf(context.request)}`);
}

async function push(context: Context, answer: Answer): Promise<void> {
  const { audit, cluster, params, request } = context;
  const { name = "" } = params;
  const tag = request.query.get("tag") ?? "";
  const ref = tag === "" ? name : `${repositoryOf(name)}:${tag}`;
  const node = await nodeWithAll(cluster, [ref], "push");
  const over = await bringing(cluster, [node], broughtByPush(ref));
  try {
    const from = await ask(context, node, `/images/${encodeRef(name)}/push${queryOf(request)}`);
    await pipeAnswer(answer, from, { map: watchProgress({ failed: audit.failed, work: over }) });
  } finally {
    await over(true);
  }
}

export const IMAGE_TRANSFER_ROUTES: readonly Route[] = [
  {
    method: "POST",
    path: "/images/load",
    how: "scheduled",
    note: "To one node or, with --pull-to all, to all.",
    mutates: { action: "image.load", streams: true },
    handle: load,
  },
  {
    method: "GET",
    path: "/images/get",
    how: "proxied",
    note: "From a node that has all of them; 409 that names where they are when none has.",
    handle: save,
  },
  {
    method: "GET",
    path: "/images/{name}/get",
    how: "proxied",
    note: "From a node that has it; of a name without a tag, all its tags in the cluster.",
    handle: saveOne,
  },
  {
    method: "POST",
    path: "/images/{name}/push",
    how: "proxied",
    note: "From a node that has it; without a tag, from one that has all tags of it in the cluster.",
    mutates: { action: "image.push", options: ["tag", "platform"], streams: true },
    handle: push,
  },
];
