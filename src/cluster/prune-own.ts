/**
 * `POST /images/prune`, `/volumes/prune` and `/build/prune` over the cluster. Images and volumes are removed one by one,
 * since an engine's own prune would not tell ours from foreign ones; of build caches none is ours yet.
 */
import { DockerError } from "../docker/errors.ts";
import { parseFilters } from "../docker/filters.ts";
import { API_VERSION, compareVersions } from "../docker/version.ts";
import { mapAtMost } from "../kit/limit.ts";
import { CREATE_MS, PRUNED_AT_ONCE } from "../kit/limits.ts";
import type { Cluster } from "./cluster.ts";
import { answersOf } from "./fan-out.ts";
import { shownObjectName } from "./find-object.ts";
import { managesForeign } from "./foreign.ts";
import { type RemovedImage, removeFrom } from "./images.ts";
import { measuredDisk } from "./measured-disk.ts";
import type { ClusterNode } from "./node.ts";
import { isOwnImage } from "./own-images.ts";
import { PruneFilters } from "./prune-filters.ts";
import { volumeGone } from "./volumes/change.ts";
import { isOwnVolume } from "./volumes/own-volumes.ts";
import { VOLUMES } from "./volumes/volume.ts";

/** What one node gave up. */
interface Pruned<T> {
  readonly deleted: readonly T[];
  readonly bytes: number;
}

/** @param version of the client's API: below 1.42 volumes with a name are taken too. Throws DockerError. */
export async function pruneVolumes(
  cluster: Cluster,
  rawFilters: string | null,
  version: string,
): Promise<{ VolumesDeleted: readonly string[]; SpaceReclaimed: number }> {
  const filters = new PruneFilters(rawFilters, ["label", "label!", "all"], cluster.clock.now());
  const all = filters.filters.bool("all", compareVersions(version, "1.42") < 0);
  await cluster.refresher.settled();
  const { deleted, bytes } = await onAll(cluster, (node) => volumesOf(cluster, node, filters, all));
  return { VolumesDeleted: deleted, SpaceReclaimed: bytes };
}

interface Volume {
  readonly Name: string;
  readonly Driver?: string;
  readonly Labels?: Record<string, string> | null;
  readonly Options?: Record<string, string> | null;
  readonly UsageData?: { readonly Size?: number } | null;
}

/** A name that an engine made up. */
const MADE_UP = /^[0-9a-f]{64}$/;

async function volumesOf(
  cluster: Cluster,
  node: ClusterNode,
  filters: PruneFilters,
  all: boolean,
): Promise<Pruned<string>> {
  const foreignToo = managesForeign(cluster);
  const ours = new Map<string, string>();
  for (const volume of cluster.volumes.on(node.id)) {
    const { key, name } = volume;
    if (!foreignToo && !isOwnVolume(cluster, node.id, name)) continue;
    ours.set(name, shownObjectName(cluster, VOLUMES, { key, name, on: new Map([[node.id, volume]]) }));
  }
  if (ours.size === 0) return { deleted: [], bytes: 0 };
  const usage = await diskUsage<{ Volumes?: Volume[] | null }>(cluster, node, "volume");
  const wanted = (usage.Volumes ?? []).filter(
    ({ Name, Driver = "local", Labels, Options }) =>
      ours.has(Name) &&
      Driver === "local" &&
      Object.keys(Options ?? {}).length === 0 &&
      (all || MADE_UP.test(Name)) &&
      filters.accepts({ created: 0, labels: Labels ?? {} }),
  );
  const removed = await oneByOne(wanted, ({ Name }) =>
    node.engine.text("DELETE", `/volumes/${encodeURIComponent(Name)}`, undefined, { deadlineMs: CREATE_MS }),
  );
  const gone = removed.map(({ of }) => of);
  for (const { Name } of gone) volumeGone(cluster, node.id, Name);
  return {
    deleted: gone.map(({ Name }) => ours.get(Name) ?? Name),
    bytes: gone.reduce((sum, { UsageData }) => sum + Math.max(0, UsageData?.Size ?? 0), 0),
  };
}

/** Throws DockerError. */
export async function pruneImages(
  cluster: Cluster,
  rawFilters: string | null,
): Promise<{ ImagesDeleted: readonly RemovedImage[] | null; SpaceReclaimed: number }> {
  const filters = new PruneFilters(rawFilters, ["dangling", "label", "label!", "until"], cluster.clock.now());
  const dangling = filters.filters.bool("dangling", true);
  const { deleted, bytes } = await onAll(cluster, (node) => imagesOf(cluster, node, filters, dangling));
  for (const node of cluster.reachable()) cluster.refresher.markList(node, "images");
  await Promise.all(cluster.reachable().map((node) => cluster.refresher.settledOn(node)));
  return { ImagesDeleted: deleted.length === 0 ? null : deleted, SpaceReclaimed: bytes };
}

/** An image goes when its last name does, so each of its names is removed; one in use is refused by its engine. */
async function imagesOf(
  cluster: Cluster,
  node: ClusterNode,
  filters: PruneFilters,
  dangling: boolean,
): Promise<Pruned<RemovedImage>> {
  const foreignToo = managesForeign(cluster);
  const wanted = cluster.images
    .on(node.id)
    .filter(
      (image) =>
        (foreignToo || isOwnImage(cluster, node, image.id)) &&
        (!dangling || image.repoTags.length === 0) &&
        filters.accepts(image),
    );
  if (wanted.length === 0) return { deleted: [], bytes: 0 };
  const before = await layersSize(cluster, node);
  const names = wanted.flatMap(({ id, repoTags, repoDigests }) => {
    const all = [...repoTags, ...repoDigests];
    return all.length === 0 ? [id] : all;
  });
  const deleted: RemovedImage[] = [];
  // One after the other: with the last tag of a repository its digests go as well.
  for (const name of names) {
    for (const { answer } of await oneByOne([name], (ref) => removeFrom(cluster, node, ref, "")))
      deleted.push(...answer);
  }
  const freed = deleted.length === 0 ? 0 : before - (await layersSize(cluster, node));
  return { deleted, bytes: Math.max(0, freed) };
}

/** Bytes of all layers on a node: what they are less after a removal, it has freed. */
async function layersSize(cluster: Cluster, node: ClusterNode): Promise<number> {
  return (await diskUsage<{ LayersSize?: number }>(cluster, node, "image")).LayersSize ?? 0;
}

const BUILD_FILTERS = ["description", "id", "inuse", "parent", "private", "shared", "type", "until", "unused-for"];

/** Nothing is built through shoal yet: no cache is ours. @param query as sent. Throws DockerError. */
export async function pruneBuilds(
  cluster: Cluster,
  query: string,
): Promise<{ CachesDeleted: readonly string[] | null; SpaceReclaimed: number }> {
  parseFilters(new URLSearchParams(query).get("filters"), BUILD_FILTERS);
  const { deleted, bytes } = await onAll(cluster, async (node) => {
    if (!managesForeign(cluster)) return { deleted: [], bytes: 0 };
    return enginePrune(node, `/build/prune${query}`, "CachesDeleted");
  });
  return { CachesDeleted: deleted.length === 0 ? null : deleted, SpaceReclaimed: bytes };
}

/** The sum over all nodes that answer. Throws DockerError when one of them fails. */
async function onAll<T>(cluster: Cluster, prune: (node: ClusterNode) => Promise<Pruned<T>>): Promise<Pruned<T>> {
  const nodes = cluster.reachable();
  const answers = answersOf(nodes, await Promise.allSettled(nodes.map(prune)));
  return {
    deleted: answers.flatMap(({ deleted }) => deleted),
    bytes: answers.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

/** For what is only ever foreign, and managed. */
async function enginePrune(node: ClusterNode, path: string, member: string): Promise<Pruned<string>> {
  const options = { deadlineMs: CREATE_MS };
  const answer = await node.engine.json<Record<string, unknown>>("POST", path, undefined, options);
  return { deleted: (answer[member] as string[] | null | undefined) ?? [], bytes: Number(answer.SpaceReclaimed ?? 0) };
}

/** Engines below 1.42 measure everything whatever they are asked for. */
async function diskUsage<T>(cluster: Cluster, node: ClusterNode, type: "image" | "volume"): Promise<T> {
  return JSON.parse(await measuredDisk(cluster, node, `type=${type}`, API_VERSION)) as T;
}

/** What the engine removed, with its answers. What it refuses (in use, gone already) is passed over, as prunes do. */
async function oneByOne<T, A>(
  all: readonly T[],
  remove: (one: T) => Promise<A>,
): Promise<{ readonly of: T; readonly answer: A }[]> {
  const removed = await mapAtMost(PRUNED_AT_ONCE, all, async (one) => {
    try {
      return [{ of: one, answer: await remove(one) }];
    } catch (error) {
      if (error instanceof DockerError && (error.status === 404 || error.status === 409)) return [];
      throw error;
    }
  });
  return removed.flat();
}
