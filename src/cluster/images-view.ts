/** What `shoal images` shows: each image with the nodes it is on, and tags under which nodes have different images. */
import type { Cluster } from "./cluster.ts";
import type { NodeImage } from "./image-index.ts";
import { mergeImages } from "./list-images.ts";

/** One object an image, newest first. */
export function imagesView(cluster: Cluster): Record<string, unknown>[] {
  return mergeImages(cluster).map(({ id, created, tags, nodes, text }) => ({
    ID: id,
    Tags: [...tags].sort(),
    Nodes: namesOf(cluster, nodes),
    Created: created,
    Size: (JSON.parse(text) as { Size?: number }).Size ?? 0,
  }));
}

/**
 * One object for each node that has a tag under which other nodes have another image. `Meant`: whether its image is the one
 * that came last through shoal; null where none did.
 */
export function conflictsView(cluster: Cluster): Record<string, unknown>[] {
  const holders = new Map<string, { readonly node: string; readonly image: NodeImage }[]>();
  for (const [nodeId, images] of cluster.images.nodes()) {
    const node = cluster.nodes.get(nodeId)?.name ?? nodeId;
    for (const image of images) {
      for (const tag of image.repoTags) holders.set(tag, [...(holders.get(tag) ?? []), { node, image }]);
    }
  }
  return [...holders].sort(byKey).flatMap(([tag, all]) => {
    const [first] = all;
    if (!first || all.every(({ image }) => isSame(image, first.image))) return [];
    const known = all.some(({ image }) => cluster.images.isOther(tag, image));
    return all.map(({ node, image }) => ({
      Tag: tag,
      Node: node,
      ID: image.id,
      Meant: known ? !cluster.images.isOther(tag, image) : null,
    }));
  });
}

const byKey = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : 1);

/** Two image stores give one image two IDs, and one digest. */
function isSame(a: NodeImage, b: NodeImage): boolean {
  return a.id === b.id || a.repoDigests.some((digest) => b.repoDigests.includes(digest));
}

function namesOf(cluster: Cluster, ids: ReadonlySet<string>): string[] {
  return [...ids].map((id) => cluster.nodes.get(id)?.name ?? id).sort();
}
