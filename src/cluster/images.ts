/** Reading and changing images: on the node that has them, or on every node that does. */
import { DockerError, noSuchImage, toDockerError } from "../docker/errors.ts";
import { goGet, splice } from "../docker/json-text.ts";
import { CREATE_MS, ENGINE_CALL_MS } from "../kit/limits.ts";
import type { Cluster } from "./cluster.ts";
import { answersOf } from "./fan-out.ts";
import { HINT_LABEL } from "./hint.ts";
import { familiarImage } from "./image-index.ts";
import { missing } from "./lookup.ts";
import type { ClusterNode } from "./node.ts";
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
  if (found.length === 0) throw missing(cluster, noSuchImage(familiarImage(ref)));
  return found;
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

/** Tags it on every node that has it. */
export async function tagImage(
  cluster: Cluster,
  ref: string,
  query: string,
  version: string | undefined,
): Promise<void> {
  await onEach(cluster, await holdersOf(cluster, ref), (node) =>
    askNode(cluster, node, "POST", `/images/${encodeRef(ref)}/tag${query}`, version),
  );
}

/** Removes it from every node that has it; the answers become one list, each line once. */
export async function removeImage(
  cluster: Cluster,
  ref: string,
  query: string,
  version: string | undefined,
): Promise<string> {
  const answers = await onEach(cluster, await holdersOf(cluster, ref), (node) =>
    askNode(cluster, node, "DELETE", `/images/${encodeRef(ref)}${query}`, version),
  );
  const lines = new Set<string>();
  for (const answer of answers) {
    for (const line of JSON.parse(answer) as { Untagged?: string; Deleted?: string }[]) lines.add(JSON.stringify(line));
  }
  return `[${[...lines].join(",")}]\n`;
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
  for (const node of nodes) cluster.refresher.markImages(node);
  await Promise.all(nodes.map((node) => cluster.refresher.settledOn(node)));
  return answersOf(nodes, results);
}
