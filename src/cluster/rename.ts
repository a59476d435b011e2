/** Renaming: the new name is taken over the whole cluster first, and given back when the engine refuses. */
import { badRequest, DockerError, invalidName, nameInUse } from "../docker/errors.ts";
import { isValidContainerName } from "../docker/references.ts";
import { CREATE_MS } from "../kit/limits.ts";
import type { Cluster } from "./cluster.ts";
import { nodeFailure } from "./exchange.ts";
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
  const before = record.name;
  const path = `/containers/${encodeURIComponent(engineRef(record, typed))}/rename?name=${encodeURIComponent(name)}`;
  // Both names are taken until the engine has told which one it is.
  cluster.inventory.rename(record, name);
  cluster.inventory.hold(record, before);
  record.renaming++;
  try {
    await cluster.registry.own(record);
    await record.node.engine.text("POST", path, undefined, { deadlineMs: CREATE_MS, version });
  } catch (error) {
    // Of several at once the last decides; and without an answer the engine's list does.
    if (record.renaming === 1) cluster.inventory.rename(record, record.engineName);
    cluster.registry.remember(record);
    cluster.refresher.mark(record, true);
    throw nodeFailure(cluster, record.node, error);
  } finally {
    record.renaming--;
    cluster.inventory.unhold(record, before);
  }
  record.engineName = name;
  record.touchedAt = cluster.clock.monotonic();
  cluster.refresher.mark(record, true);
}
