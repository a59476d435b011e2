/** The container of an exec: remembered from its creation, else asked of the nodes (another manager may have made it). */
import { noSuchExec } from "../docker/errors.ts";
import { ENGINE_CALL_MS } from "../kit/limits.ts";
import type { Cluster } from "./cluster.ts";
import { isForeign } from "./foreign.ts";
import { missing } from "./lookup.ts";
import type { ContainerRecord } from "./record.ts";

/** Throws 404 when no node that answers knows it. */
export async function findExec(cluster: Cluster, id: string): Promise<ContainerRecord> {
  const known = cluster.execs.get(id);
  if (known) return known;
  const found = await Promise.all(
    cluster.reachable().map(async (node) => {
      const exec = await node.engine
        .json<{ ContainerID?: string }>("GET", `/exec/${encodeURIComponent(id)}/json`, undefined, {
          deadlineMs: ENGINE_CALL_MS,
        })
        .catch(() => undefined);
      return exec && node.containers.get(exec.ContainerID ?? "");
    }),
  );
  const record = found.find((candidate) => candidate !== undefined);
  if (!record) throw missing(cluster, noSuchExec(id));
  // What is remembered counts as made through shoal.
  if (!isForeign(record)) cluster.execs.add(id, record);
  return record;
}
