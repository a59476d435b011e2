/**
 * Images of all nodes: by ID, tag and digest, and the nodes that have them. One image may have two engine IDs in
 * different image stores: a shared digest makes it one row.
 */
import { elements } from "../docker/json-text.ts";
import { type ImageMatch, imageMatcher, normalizeImage, repositoryOf } from "../docker/references.ts";
import type { Matcher } from "../scheduler/matcher.ts";
import { HINT_LABEL } from "./hint.ts";
import type { Tags } from "./tags.ts";

/** One image on one node, as its engine lists it. */
export interface NodeImage {
  /** `sha256:…` */
  readonly id: string;
  readonly parentId: string;
  readonly repoTags: readonly string[];
  readonly repoDigests: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  /** The hint that it took over from a container of ours that was committed. */
  readonly hint: string | undefined;
  /** Seconds since the Unix epoch. */
  readonly created: number;
  readonly text: string;
}

interface Row {
  Id: string;
  ParentId?: string;
  RepoTags?: string[] | null;
  RepoDigests?: string[] | null;
  Labels?: Record<string, string> | null;
  Created?: number;
}

/** Best first. */
const MATCH_RANKS: readonly ImageMatch[] = ["id", "reference", "prefix"];
const UNTAGGED = "<none>:<none>";
const UNDIGESTED = "<none>@<none>";

/** Engine 28 with containerd's image store leaves the repository of a registry with a port out of an image's digest. */
function withRepositories(digest: string, tags: readonly string[]): string[] {
  return [...new Set(tags.map((tag) => `${repositoryOf(tag)}@${digest}`))];
}

export function readImages(text: string): NodeImage[] {
  return elements(text).map((row) => {
    const image = JSON.parse(row) as Row;
    const { [HINT_LABEL]: hint, ...labels } = image.Labels ?? {};
    const repoTags = (image.RepoTags ?? []).filter((tag) => tag !== UNTAGGED);
    const repoDigests = (image.RepoDigests ?? [])
      .filter((digest) => digest !== UNDIGESTED)
      .flatMap((digest) => (digest.includes("@") ? digest : withRepositories(digest, repoTags)));
    return {
      id: image.Id,
      parentId: image.ParentId ?? "",
      repoTags,
      repoDigests,
      labels,
      hint,
      created: image.Created ?? 0,
      text: row,
    };
  });
}

/** What `ImageIndex` asks about the meaning of a tag. */
type Meanings = Pick<Tags, "has" | "allows">;
type Holders = ReadonlyMap<string, NodeImage>;

export class ImageIndex {
  readonly #tags: Meanings;
  readonly #byNode = new Map<string, readonly NodeImage[]>();
  /** Node ID → image ID → hint: few images have one. */
  readonly #hints = new Map<string, ReadonlyMap<string, string | undefined>>();
  /** Tag, repository, digest or ID (with and without `sha256:`, 12 characters too) → node ID → one such image. */
  readonly #keys = new Map<string, Map<string, NodeImage>>();

  constructor(tags: Meanings) {
    this.#tags = tags;
  }

  /** @returns the tags that no node has any more */
  set(nodeId: string, images: readonly NodeImage[]): string[] {
    const before = this.on(nodeId);
    for (const image of before) for (const key of keysOf(image)) this.#drop(key, nodeId);
    this.#byNode.set(nodeId, images);
    this.#hints.set(nodeId, new Map(images.map(({ id, hint }) => [id, hint])));
    for (const image of images) for (const key of keysOf(image)) this.#add(key, nodeId, image);
    return before.flatMap(({ repoTags }) => repoTags).filter((tag) => !this.#keys.has(tag));
  }

  delete(nodeId: string): void {
    this.set(nodeId, []);
    this.#byNode.delete(nodeId);
    this.#hints.delete(nodeId);
  }

  /** Whether this manager has read what images the node has. */
  isRead(nodeId: string): boolean {
    return this.#byNode.has(nodeId);
  }

  on(nodeId: string): readonly NodeImage[] {
    return this.#byNode.get(nodeId) ?? [];
  }

  has(nodeId: string, imageId: string): boolean {
    return this.#hints.get(nodeId)?.has(imageId) ?? false;
  }

  /** The hint among an image's labels, as it stands there. */
  hintOf(nodeId: string, imageId: string): string | undefined {
    return this.#hints.get(nodeId)?.get(imageId);
  }

  nodes(): IterableIterator<[string, readonly NodeImage[]]> {
    return this.#byNode.entries();
  }

  /** Nodes with an image one of whose names or IDs matches: for the affinity filter. */
  nodesMatching(matcher: Matcher): ReadonlySet<string> {
    if (matcher.exact !== undefined) return new Set(this.holders(matcher.exact).keys());
    const found = new Set<string>();
    for (const key of this.#keys.keys()) {
      if (matcher.test(key)) for (const node of this.holders(key).keys()) found.add(node);
    }
    return found;
  }

  /** By node ID the images of a key: a whole tag, repository, digest or ID, no other form of it. Costs no search. */
  holders(key: string): Holders {
    const found = this.#keys.get(key) ?? NONE;
    if (!this.#tags.has(key)) return found;
    const meant = [...found].filter(([, image]) => this.#tags.allows(key, image));
    return meant.length === 0 || meant.length === found.size ? found : new Map(meant);
  }

  /** Whether the tag on this image means another one, which some node has. */
  isOther(tag: string, image: NodeImage): boolean {
    return !this.#tags.allows(tag, image) && [...this.holders(tag).values()].some((one) => this.#tags.allows(tag, one));
  }

  /**
   * The image of a user's reference on a node, by dockerd's rules: whole ID, then name, then the beginning of an ID. Not
   * one whose tag means another image in the cluster.
   */
  find(nodeId: string, ref: string): NodeImage | undefined {
    const found = this.#search(nodeId, ref);
    return found?.kind === "reference" && this.isOther(familiarImage(ref), found.image) ? undefined : found?.image;
  }

  /** The same as the node's engine sees it, whatever the tag means elsewhere. */
  findOnEngine(nodeId: string, ref: string): NodeImage | undefined {
    return this.#search(nodeId, ref)?.image;
  }

  /** Node IDs that have the image of a user's reference. */
  nodesWith(ref: string): string[] {
    return [...this.#byNode.keys()].filter((nodeId) => this.find(nodeId, ref) !== undefined);
  }

  #search(nodeId: string, ref: string): { readonly image: NodeImage; readonly kind: ImageMatch } | undefined {
    const match = imageMatcher(ref);
    let best: { image: NodeImage; kind: ImageMatch; rank: number } | undefined;
    for (const image of this.on(nodeId)) {
      const kind = match(image);
      if (kind === undefined) continue;
      const rank = MATCH_RANKS.indexOf(kind);
      if (best === undefined || rank < best.rank) best = { image, kind, rank };
    }
    return best;
  }

  #add(key: string, nodeId: string, image: NodeImage): void {
    const nodes = this.#keys.get(key) ?? new Map<string, NodeImage>();
    nodes.set(nodeId, image);
    this.#keys.set(key, nodes);
  }

  #drop(key: string, nodeId: string): void {
    const nodes = this.#keys.get(key);
    if (nodes?.delete(nodeId) && nodes.size === 0) this.#keys.delete(key);
  }
}

function keysOf({ id, repoTags, repoDigests }: NodeImage): string[] {
  const hex = id.replace(/^sha256:/, "");
  return [
    id,
    hex,
    hex.slice(0, 12),
    ...repoTags.flatMap((tag) => [tag, tag.slice(0, tag.lastIndexOf(":"))]),
    ...repoDigests,
  ];
}

const NONE: Holders = new Map();

/** As dockerd repeats a reference in its errors: `redis:latest`; what is no image name as it is. */
export function familiarImage(ref: string): string {
  try {
    return normalizeImage(ref).familiar;
  } catch {
    return ref;
  }
}

/** `docker.io/library/redis:latest`, or undefined when it is no image name. */
export function canonicalImage(ref: string): string | undefined {
  try {
    return normalizeImage(ref).canonical;
  } catch {
    return undefined;
  }
}
