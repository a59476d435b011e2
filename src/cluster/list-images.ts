/** `GET /images/json` over the cluster: one row an image, its names over all nodes merged; filtered as dockerd filters. */
import { notFound } from "../docker/errors.ts";
import { familiarMatch } from "../docker/familiar-match.ts";
import { type Filters, parseFilters } from "../docker/filters.ts";
import { type Edit, splice } from "../docker/json-text.ts";
import { parseTimestamp } from "../docker/timestamps.ts";
import type { Cluster } from "./cluster.ts";
import { HINT_LABEL } from "./hint.ts";
import type { NodeImage } from "./image-index.ts";

const ACCEPTED = ["before", "dangling", "label", "node", "reference", "since", "until"] as const;

export interface ImageRow {
  readonly id: string;
  readonly created: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly tags: Set<string>;
  readonly digests: Set<string>;
  readonly nodes: Set<string>;
  readonly text: string;
}

export function listImages(cluster: Cluster, rawFilters: string | null): string {
  const filters = parseFilters(rawFilters, ACCEPTED);
  const rows = mergeImages(cluster);
  const kept = rows.filter((row) => keeps(cluster, rows, row, filters));
  return `[${kept.map((row) => render(row, filters)).join(",")}]\n`;
}

/** Every image of the cluster, newest first. */
export function mergeImages(cluster: Cluster): ImageRow[] {
  return [...merge(cluster).values()].sort((a, b) => b.created - a.created || (a.id < b.id ? -1 : 1));
}

/** Rows of the unfiltered list. */
export function countImages(cluster: Cluster): number {
  return merge(cluster).size;
}

/** By ID; where two image stores gave one image two IDs, a shared digest makes it one row. */
function merge(cluster: Cluster): Map<string, ImageRow> {
  const rows = new Map<string, ImageRow>();
  const byDigest = new Map<string, ImageRow>();
  for (const [nodeId, images] of cluster.images.nodes()) {
    for (const image of images) {
      const same = rows.get(image.id) ?? image.repoDigests.map((digest) => byDigest.get(digest)).find(Boolean);
      const row = same ?? newRow(image);
      if (!same) rows.set(image.id, row);
      for (const tag of image.repoTags) if (!cluster.images.isOther(tag, image)) row.tags.add(tag);
      for (const digest of image.repoDigests) {
        row.digests.add(digest);
        byDigest.set(digest, row);
      }
      row.nodes.add(nodeId);
    }
  }
  return rows;
}

function newRow(image: NodeImage): ImageRow {
  const { id, created, labels, text } = image;
  return { id, created, labels, text, tags: new Set(), digests: new Set(), nodes: new Set() };
}

function keeps(cluster: Cluster, rows: readonly ImageRow[], row: ImageRow, filters: Filters): boolean {
  if (filters.isEmpty) return true;
  if (filters.has("dangling") && filters.bool("dangling", false) === row.tags.size > 0) return false;
  if (!filters.matchLabels(row.labels)) return false;
  const [before] = filters.get("before");
  if (before !== undefined && row.created >= createdOf(rows, before)) return false;
  const [since] = filters.get("since");
  if (since !== undefined && row.created <= createdOf(rows, since)) return false;
  const [until] = filters.get("until");
  if (until !== undefined && row.created >= parseTimestamp(until, cluster.clock.now()).seconds) return false;
  if (filters.has("reference") && matching(row, filters).length === 0) return false;
  const nodes = filters.get("node");
  return nodes.length === 0 || nodes.some((name) => row.nodes.has(cluster.nodeByName(name)?.id ?? name));
}

function createdOf(rows: readonly ImageRow[], ref: string): number {
  const row = rows.find(
    (candidate) =>
      candidate.id === ref ||
      candidate.id.replace(/^sha256:/, "").startsWith(ref) ||
      candidate.tags.has(ref.includes(":") ? ref : `${ref}:latest`),
  );
  if (!row) throw notFound(`No such image: ${ref}`);
  return row.created;
}

/** The tags and digests that the `reference` filter keeps: dockerd shows only those. */
function matching(row: ImageRow, filters: Filters): string[] {
  const patterns = filters.get("reference");
  return [...row.tags, ...row.digests].filter((name) => patterns.some((pattern) => familiarMatch(pattern, name)));
}

function render(row: ImageRow, filters: Filters): string {
  const shown = filters.has("reference") ? new Set(matching(row, filters)) : undefined;
  const list = (names: ReadonlySet<string>): string[] => [...names].filter((name) => !shown || shown.has(name)).sort();
  const edits: Edit[] = [
    { path: ["RepoTags"], json: JSON.stringify(list(row.tags)) },
    { path: ["RepoDigests"], json: JSON.stringify(list(row.digests)) },
    { path: ["Labels", HINT_LABEL], json: undefined },
  ];
  return splice(row.text, edits);
}
