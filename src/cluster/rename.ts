/**
 * Renaming: the new name is taken over the whole cluster first, and given back when the engine refuses. Without an answer
 * both names stay taken, over the manager's end as well, until the engine's list tells which one it is.
 */
import { badRequest, DockerError, invalidName, nameInUse } from "../docker/errors.ts";
import { isValidContainerName } from "../docker/references.ts";
import { CREATE_MS } from "../kit/limits.ts";
import type { Cluster } from "./cluster.ts";
import { isUncertain, nodeFailure } from "./exchange.ts";
import type { ContainerRecord } from "./record.ts";
import { engineRef } from "./translate.ts";

/** Throws DockerError: 400 for no or a bad name, 409 for one in use. */
export async function renameContainer(
  cluster: Cluster,
  record: ContainerRecord,
  typed: string,
  wanted: string,
  version: string | undefined,
): Promise<void> {
  if (wanted === "") throw badRequest("Neither old nor new names may be empty");
  const name = wanted.startsWith("/") ? wanted.slice(1) : wanted;
  if (name === record.name) throw badRequest("Renaming a container with the same name as its current name");
  if (!isValidContainerName(name))
    throw new DockerError(500, `Error when allocating new name: ${invalidName(`/${name}`).message}`);
  for (const holder of cluster.inventory.named(name)) {
    throw new DockerError(409, `Error when allocating new name: ${nameInUse(name, holder.id).message}`);
  }
  const path = `/containers/${encodeURIComponent(engineRef(record, typed))}/rename?name=${encodeURIComponent(name)}`;
  const rename = cluster.inventory.beginRename(record, name);
  try {
    await cluster.registry.own(record);
    await record.node.engine.text("POST", path, undefined, { deadlineMs: CREATE_MS, version });
  } catch (error) {
    if (isUncertain(error)) rename.uncertainSince = cluster.clock.monotonic();
    else cluster.inventory.endRename(record, rename);
    // Of several at once the last decides.
    if (!isBeingRenamed(record)) cluster.inventory.rename(record, record.engineName);
    cluster.registry.remember(record);
    cluster.refresher.mark(record, true);
    throw nodeFailure(cluster, record.node, error);
  }
  cluster.inventory.endRename(record, rename);
  cluster.registry.remember(record);
  record.engineName = name;
  record.touchedAt = cluster.clock.monotonic();
  cluster.refresher.mark(record, true);
}

/** A rename is under way: the engine's lists may show any of its names. */
export function isBeingRenamed({ renames }: ContainerRecord): boolean {
  return [...renames].some(({ uncertainSince }) => uncertainSince === undefined);
}

/** A list of its engine, begun at `startedAt` (monotonic milliseconds), told its name: renames that broke off before are over. */
export function decideRenames(cluster: Cluster, record: ContainerRecord, startedAt: number): void {
  const decided = [...record.renames].filter((rename) => (rename.uncertainSince ?? startedAt) < startedAt);
  for (const rename of decided) cluster.inventory.endRename(record, rename);
  if (decided.length > 0) cluster.registry.remember(record);
}
