/**
 * Images of all nodes: by ID, tag and digest, and the nodes that have them. One image may have two engine IDs in
 * different image stores: a shared digest makes it one row.
 */
import { elements } from "../docker/json-text.ts";
import { type ImageMatch, imageMatcher, normalizeImage } from "../docker/references.ts";
import type { Matcher } from "../scheduler/matcher.ts";
import { HINT_LABEL } from "./hint.ts";

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

export function readImages(text: string): NodeImage[] {
  return elements(text).map((row) => {
    const image = JSON.parse(row) as Row;
    const { [HINT_LABEL]: hint, ...labels } = image.Labels ?? {};
    const repoTags = (image.RepoTags ?? []).filter((tag) => tag !== UNTAGGED);
    const repoDigests = (image.RepoDigests ?? []).filter((digest) => digest !== UNDIGESTED);
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

export class ImageIndex {
  readonly #byNode = new Map<string, readonly NodeImage[]>();
  /** Node ID → image ID → hint: few images have one. */
  readonly #hints = new Map<string, ReadonlyMap<string, string | undefined>>();
  /** Tag, repository, digest or ID (with and without `sha256:`, 12 characters too) → node IDs. */
  #keys = new Map<string, Set<string>>();
  #stale = false;

  set(nodeId: string, images: readonly NodeImage[]): void {
    this.#byNode.set(nodeId, images);
    this.#hints.set(nodeId, new Map(images.map(({ id, hint }) => [id, hint])));
    this.#stale = true;
  }

  delete(nodeId: string): void {
    this.#byNode.delete(nodeId);
    this.#hints.delete(nodeId);
    this.#stale = true;
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
    const keys = this.#index();
    if (matcher.exact !== undefined) return keys.get(matcher.exact) ?? NONE;
    const found = new Set<string>();
    for (const [key, nodes] of keys) if (matcher.test(key)) for (const node of nodes) found.add(node);
    return found;
  }

  /** The image of a user's reference on a node, by dockerd's rules: whole ID, then name, then the beginning of an ID. */
  find(nodeId: string, ref: string): NodeImage | undefined {
    const match = imageMatcher(ref);
    let best: { image: NodeImage; rank: number } | undefined;
    for (const image of this.on(nodeId)) {
      const kind = match(image);
      const rank = kind === undefined ? MATCH_RANKS.length : MATCH_RANKS.indexOf(kind);
      if (rank < (best?.rank ?? MATCH_RANKS.length)) best = { image, rank };
    }
    return best?.image;
  }

  /** Node IDs that have the image of a user's reference. */
  nodesWith(ref: string): string[] {
    return [...this.#byNode.keys()].filter((nodeId) => this.find(nodeId, ref) !== undefined);
  }

  #index(): Map<string, Set<string>> {
    if (!this.#stale) return this.#keys;
    const keys = new Map<string, Set<string>>();
    const add = (key: string, nodeId: string): void => {
      const nodes = keys.get(key) ?? new Set();
      nodes.add(nodeId);
      keys.set(key, nodes);
    };
    for (const [nodeId, images] of this.#byNode) {
      for (const image of images) {
        add(image.id, nodeId);
        const hex = image.id.replace(/^sha256:/, "");
        add(hex, nodeId);
        add(hex.slice(0, 12), nodeId);
        for (const tag of image.repoTags) {
          add(tag, nodeId);
          add(tag.slice(0, tag.lastIndexOf(":")), nodeId);
        }
        for (const digest of image.repoDigests) add(digest, nodeId);
      }
    }
    this.#keys = keys;
    this.#stale = false;
    return keys;
  }
}

const NONE: ReadonlySet<string> = new Set();

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
