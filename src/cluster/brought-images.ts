/**
 * Images and names that a request of ours brings to nodes: by a pull, load, import or push. What was not there before is
 * ours, on what was there the names that it gave are, and its tags mean these images from now on. Owns the look before and
 * the one afterwards.
 */
import { repositoryOf } from "../docker/references.ts";
import { CREATE_MS } from "../kit/limits.ts";
import type { Cluster } from "./cluster.ts";
import { familiarImage, type NodeImage, readImages } from "./image-index.ts";
import type { ClusterNode } from "./node.ts";
import { ownImage, ownNames } from "./own-images.ts";

/** What a request brought, of all that a node has afterwards. */
export interface Brought {
  /** Whether an image that is new there came by it. */
  readonly has: (image: NodeImage) => boolean;
  /** Whether it gave a tag. */
  readonly tagged: (tag: string) => boolean;
  /** Whether it gave a digest. */
  readonly digested: (digest: string) => boolean;
}

/** @param ref as pulled: without tag and digest, all tags of the repository */
export function broughtByPull(ref: string): Brought {
  const repository = repositoryOf(familiarImage(ref));
  return {
    has: ({ repoTags, repoDigests }) => [...repoTags, ...repoDigests].some((name) => repositoryOf(name) === repository),
    tagged: (tag) => (repositoryOf(ref) === ref ? repositoryOf(tag) === repository : tag === familiarImage(ref)),
    digested: (digest) => repositoryOf(digest) === repository,
  };
}

/** @param named tags and IDs as the engine told of them */
export function broughtByName(named: ReadonlySet<string>): Brought {
  return {
    has: ({ id, repoTags }) => named.has(id) || repoTags.some((tag) => named.has(tag)),
    tagged: (tag) => named.has(tag),
    digested: () => false,
  };
}

/** An engine knows the digest of what it pushed afterwards. */
export function broughtByPush(ref: string): Brought {
  return { ...broughtByPull(ref), has: () => false, tagged: () => false };
}

/**
 * To be called before the nodes are asked: they are looked at, since the cache may not have heard of an image that somebody
 * else brought a moment ago.
 *
 * @returns to be called when it is over, and before its client knows: the cache shows it then. The first call counts;
 *   `failed`: what a node had under a tag already was not confirmed
 */
export async function bringing(
  cluster: Cluster,
  nodes: readonly ClusterNode[],
  brought: Brought,
): Promise<(failed: boolean) => Promise<void>> {
  const before = await Promise.all(nodes.map((node) => imagesOf(node)));
  let over: Promise<void> | undefined;
  return (failed) => {
    over ??= take(cluster, nodes, brought, before, failed);
    return over;
  };
}

async function take(
  cluster: Cluster,
  nodes: readonly ClusterNode[],
  brought: Brought,
  before: readonly (ReadonlyMap<string, NodeImage> | undefined)[],
  failed: boolean,
): Promise<void> {
  for (const node of nodes) cluster.refresher.markList(node, "images");
  await Promise.all(nodes.map((node) => cluster.refresher.settledOn(node)));
  const tagged = new Map<string, NodeImage[]>();
  for (const [i, node] of nodes.entries()) {
    const known = before[i];
    if (!known) continue;
    for (const image of cluster.images.on(node.id)) {
      const old = known.get(image.id);
      if (!old && brought.has(image)) ownImage(cluster, node, image.id);
      const tags = image.repoTags.filter(
        (tag) => brought.tagged(tag) && !(failed && old?.repoTags.includes(tag) === true),
      );
      if (old) ownNames(cluster, node, old, [...tags, ...image.repoDigests.filter(brought.digested)]);
      for (const tag of tags) tagged.set(tag, [...(tagged.get(tag) ?? []), image]);
    }
  }
  for (const [tag, images] of tagged) cluster.tags.set(tag, images);
}

/** Every image of a node now, hidden ones too; undefined when it does not tell, and then nothing will count as new. */
async function imagesOf(node: ClusterNode): Promise<ReadonlyMap<string, NodeImage> | undefined> {
  const options = { deadlineMs: CREATE_MS };
  const text = await node.engine.text("GET", "/images/json?all=1", undefined, options).catch(() => undefined);
  return text === undefined ? undefined : new Map(readImages(text).map((image) => [image.id, image]));
}
