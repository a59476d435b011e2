/** Reading and changing images: on the node that has them, or on every node that does. */
import { DockerError, noSuchImage, toDockerError } from "../docker/errors.ts";
import { goGet, splice } from "../docker/json-text.ts";
import { looksLikeId, normalizeImage } from "../docker/references.ts";
import { CREATE_MS, ENGINE_CALL_MS } from "../kit/limits.ts";
import type { Cluster } from "./cluster.ts";
import { answersOf } from "./fan-out.ts";
import { HINT_LABEL } from "./hint.ts";
import { familiarImage } from "./image-index.ts";
import { missing } from "./lookup.ts";
import type { ClusterNode } from "./node.ts";
import { foreignImage, mayPruneParents, mayRemoveImage, ownImage, ownNames, requireFreeTag } from "./own-images.ts";
import { clusterText } from "./translate.ts";

/** The nodes that answer and have the image; throws 404 when none does. */
export async function holdersOf(cluster: Cluster, ref: string): Promise<ClusterNode[]> {
  const holders = (): ClusterNode[] =>
    cluster.images
      .nodesWith(ref)
      .flatMap((id) => cluster.nodes.get(id) ?? [])
      .filter((node) => node.reachable);
  const known = holders();
  if (known.length > 0) return known;
  // A change that is not read back yet may hide it: a miss is worth the look.
  await Promise.all(cluster.reachable().map((node) => cluster.refresher.settledOn(node)));
  const found = holders();
  if (found.length > 0) return found;
  // What is no reference is refused as such; a whole ID is none, and may name an image.
  if (!looksLikeId(ref)) normalizeImage(ref);
  throw missing(cluster, noSuchImage(familiarImage(ref)));
}

/** The engine's own answer about an image, from a node that has it. */
export async function inspectImage(
  cluster: Cluster,
  ref: string,
  what: "json" | "history",
  query: string,
  version: string | undefined,
): Promise<string> {
  const [node] = await holdersOf(cluster, ref);
  if (!node) throw noSuchImage(familiarImage(ref));
  const text = await askNode(cluster, node, "GET", `/images/${encodeRef(ref)}/${what}${query}`, version);
  if (what === "history" || !text.includes(HINT_LABEL)) return text;
  const image: unknown = JSON.parse(text);
  return splice(
    text,
    ["Config", "ContainerConfig"]
      .filter((key) => goGet(image, key, "Labels", HINT_LABEL) !== undefined)
      .map((key) => ({ path: [key, "Labels", HINT_LABEL], json: undefined })),
  );
}

/** Tags it on every node that has it. Throws 409 where the tag is a foreign image's. */
export async function tagImage(
  cluster: Cluster,
  ref: string,
  query: string,
  version: string | undefined,
): Promise<void> {
  const nodes = await holdersOf(cluster, ref);
  const tag = tagIn(new URLSearchParams(query));
  for (const node of nodes) requireFreeTag(cluster, node, tag, cluster.images.find(node.id, ref)?.id);
  await onEach(cluster, nodes, async (node) => {
    const image = cluster.images.find(node.id, ref);
    await askNode(cluster, node, "POST", `/images/${encodeRef(ref)}/tag${query}`, version);
    if (image) ownNames(cluster, node, image, [tag]);
  });
  const images = nodes.flatMap((node) => cluster.images.findOnEngine(node.id, tag) ?? []);
  if (images.length > 0) cluster.tags.set(tag, images);
}

/** The image that a commit makes is ours. @param make asks the node, and answers the image's ID */
export async function committing<T>(
  cluster: Cluster,
  node: ClusterNode,
  query: URLSearchParams,
  make: () => Promise<T & { readonly imageId: string | undefined }>,
): Promise<T> {
  if (query.get("repo")) requireFreeTag(cluster, node, tagIn(query), undefined);
  const made = await make();
  if (made.imageId !== undefined) ownImage(cluster, node, made.imageId);
  cluster.refresher.markList(node, "images");
  await cluster.refresher.settledOn(node);
  const image = made.imageId === undefined ? undefined : cluster.images.findOnEngine(node.id, made.imageId);
  if (image) for (const tag of image.repoTags) cluster.tags.set(tag, [image]);
  return made;
}

/** As engines list it: `redis:latest`. */
function tagIn(query: URLSearchParams): string {
  const tag = query.get("tag") ?? "";
  return familiarImage(`${query.get("repo") ?? ""}${tag === "" ? "" : `:${tag}`}`);
}

/**
 * Removes it from every node where it is ours; the answers become one list, each line once. Throws 409 when none of them
 * is ours.
 */
export async function removeImage(
  cluster: Cluster,
  ref: string,
  query: string,
  version: string | undefined,
): Promise<string> {
  // A tag may have moved a moment ago: what it names now decides.
  for (const node of await holdersOf(cluster, ref)) cluster.refresher.markList(node, "images");
  await Promise.all(cluster.reachable().map((node) => cluster.refresher.settledOn(node)));
  await holdersOf(cluster, ref);
  // What else bears the tag would mean it afterwards.
  const holders = cluster.reachable().filter((node) => cluster.images.findOnEngine(node.id, ref) !== undefined);
  const nodes = holders.filter((node) => mayRemoveImage(cluster, node, ref));
  if (nodes.length === 0) throw foreignImage(ref, holders);
  const answers = await onEach(cluster, nodes, (node) => removeFrom(cluster, node, ref, query, version));
  return `[${[...new Set(answers.flat().map((line) => JSON.stringify(line)))].join(",")}]\n`;
}

/** A line of an engine's answer to a removal. */
export interface RemovedImage {
  readonly Untagged?: string;
  readonly Deleted?: string;
}

/** Removes a reference from one node, and nothing foreign with it. */
export async function removeFrom(
  cluster: Cluster,
  node: ClusterNode,
  ref: string,
  query: string,
  version?: string,
): Promise<RemovedImage[]> {
  const params = new URLSearchParams(query);
  if (!mayPruneParents(cluster, node, ref)) params.set("noprune", "1");
  const path = `/images/${encodeRef(ref)}${params.size === 0 ? "" : `?${params}`}`;
  return JSON.parse(await askNode(cluster, node, "DELETE", path, version)) as RemovedImage[];
}

/** Image names keep their slashes in paths; all else is escaped. */
export function encodeRef(ref: string): string {
  return ref.split("/").map(encodeURIComponent).join("/");
}

async function askNode(
  cluster: Cluster,
  node: ClusterNode,
  method: string,
  path: string,
  version: string | undefined,
): Promise<string> {
  try {
    return await node.engine.text(method, path, undefined, {
      deadlineMs: method === "GET" ? ENGINE_CALL_MS : CREATE_MS,
      version,
    });
  } catch (error) {
    const { status, message } = toDockerError(error);
    throw new DockerError(status, clusterText(cluster, node, message));
  }
}

/** Runs it on all; the caches show it afterwards. */
async function onEach<T>(
  cluster: Cluster,
  nodes: readonly ClusterNode[],
  work: (node: ClusterNode) => Promise<T>,
): Promise<T[]> {
  const results = await Promise.allSettled(nodes.map(work));
  for (const node of nodes) cluster.refresher.markList(node, "images");
  await Promise.all(nodes.map((node) => cluster.refresher.settledOn(node)));
  return answersOf(nodes, results);
}
