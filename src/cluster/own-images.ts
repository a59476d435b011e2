/**
 * Whose an image on a node is. Ours is what a pull, load, import or commit of ours brought and what was not there before; on a
 * foreign image the tags that we gave it are ours. Owns those notes and what follows from them.
 */
import { conflict, type DockerError } from "../docker/errors.ts";
import { repositoryOf } from "../docker/references.ts";
import type { Cluster } from "./cluster.ts";
import { managesForeign } from "./foreign.ts";
import { familiarImage, type NodeImage, readImages } from "./image-index.ts";
import type { ClusterNode } from "./node.ts";

export interface ImageNote {
  /** The image itself is ours. */
  readonly whole: boolean;
  /** Tags that we gave a foreign one, as the engine lists them, and digests that came with a pull or push of ours. */
  readonly tags: readonly string[];
}

const OURS: ImageNote = { whole: true, tags: [] };

/** An engine's list of images. @param startedAt monotonic milliseconds when it was begun */
export function takeImages(cluster: Cluster, node: ClusterNode, text: string, startedAt: number): void {
  const images = readImages(text);
  forgetTags(cluster, node, cluster.images.set(node.id, images));
  const listed = new Map(images.map((image) => [image.id, image]));
  // An untagged image that another one was made of is not listed.
  const parents = new Set(images.map(({ parentId }) => parentId));
  cluster.ownImages.reconcile(node.id, startedAt, (id, note) => {
    const image = listed.get(id);
    if (!image) return parents.has(id) ? note : undefined;
    if (note.whole) return note;
    const tags = note.tags.filter((name) => isNamed(image, name));
    if (tags.length === note.tags.length) return note;
    return tags.length === 0 ? undefined : { whole: false, tags };
  });
}

/** A tag that no node has means nothing any more. What lives on a node that was never read is unknown, not gone. */
function forgetTags(cluster: Cluster, read: ClusterNode, vanished: readonly string[]): void {
  const { images, nodes, tags } = cluster;
  if (vanished.length === 0 && !tags.someUnchecked) return;
  if ([...nodes.values()].some((node) => node !== read && !images.isRead(node.id))) return;
  for (const tag of [...vanished, ...tags.takeUnchecked()]) if (images.holders(tag).size === 0) tags.delete(tag);
}

export function isOwnImage(cluster: Cluster, node: ClusterNode, id: string): boolean {
  return cluster.ownImages.get(node.id, id)?.whole === true;
}

export function ownImage(cluster: Cluster, node: ClusterNode, id: string): void {
  cluster.ownImages.set(node.id, id, OURS);
}

/** Names of ours, tags and digests, on an image of a node. @param image as it was before it got them */
export function ownNames(cluster: Cluster, node: ClusterNode, image: NodeImage, names: readonly string[]): void {
  const note = cluster.ownImages.get(node.id, image.id);
  const tags = note?.tags ?? [];
  const more = names.filter((name) => !tags.includes(name) && !isNamed(image, name));
  if (note?.whole || more.length === 0) return;
  cluster.ownImages.set(node.id, image.id, { whole: false, tags: [...tags, ...more] });
}

function isNamed({ repoTags, repoDigests }: NodeImage, name: string): boolean {
  return repoTags.includes(name) || repoDigests.includes(name);
}

/** A tag that moves away from a foreign image changes that image. Throws 409. */
export function requireFreeTag(cluster: Cluster, node: ClusterNode, tag: string, target: string | undefined): void {
  if (managesForeign(cluster)) return;
  const holder = cluster.images.on(node.id).find(({ repoTags }) => repoTags.includes(tag));
  if (!holder || holder.id === target) return;
  const note = cluster.ownImages.get(node.id, holder.id);
  if (note?.whole || note?.tags.includes(tag)) return;
  throw conflict(
    `${tag} on node ${node.name} names an image that was not pulled or made through shoal: choose another tag, or start the manager with --foreign manage`,
  );
}

/** May the reference be removed on the node: the image is ours, or the tag is and the image outlives it. */
export function mayRemoveImage(cluster: Cluster, node: ClusterNode, ref: string): boolean {
  if (managesForeign(cluster)) return true;
  const image = cluster.images.findOnEngine(node.id, ref);
  if (!image) return true;
  const note = cluster.ownImages.get(node.id, image.id);
  const tag = familiarImage(ref);
  return note?.whole === true || (note?.tags.includes(tag) === true && outlives(image, tag, note.tags));
}

/** Engines remove an image with its last name, and digests with the last tag of their repository. @param ours its names */
function outlives({ repoTags, repoDigests }: NodeImage, tag: string, ours: readonly string[]): boolean {
  const others = repoTags.filter((other) => other !== tag);
  const repository = repositoryOf(tag);
  const sameRepository = (name: string): boolean => repositoryOf(name) === repository;
  const foreignDigest = repoDigests.some((digest) => sameRepository(digest) && !ours.includes(digest));
  return others.length > 0 && (!foreignDigest || others.some(sameRepository));
}

/** Engines remove untagged parents with an image: not where one may be foreign. */
export function mayPruneParents(cluster: Cluster, node: ClusterNode, ref: string): boolean {
  if (managesForeign(cluster)) return true;
  let image = cluster.images.findOnEngine(node.id, ref);
  while (image && image.parentId !== "") {
    if (!isOwnImage(cluster, node, image.parentId)) return false;
    const { parentId } = image;
    image = cluster.images.on(node.id).find(({ id }) => id === parentId);
    // Of a hidden one nobody knows the parent.
    if (!image) return false;
  }
  return true;
}

export function foreignImage(ref: string, nodes: readonly ClusterNode[]): DockerError {
  const where = nodes.map(({ name }) => name).join(", ");
  return conflict(
    `image ${familiarImage(ref)} on node ${where} was not pulled or made through shoal: to remove it, ask that node's own engine, or start the manager with --foreign manage`,
  );
}
