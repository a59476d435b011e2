/**
 * `POST /containers/prune` over the cluster. An engine's own prune would take what is foreign, and copies that are kept
 * aside, with it: what may go is removed one by one.
 */
import { DockerError } from "../docker/errors.ts";
import { Limit } from "../kit/limit.ts";
import { CREATE_MS, PRUNED_AT_ONCE, PRUNED_PER_QUESTION } from "../kit/limits.ts";
import type { Cluster } from "./cluster.ts";
import { answersOf } from "./fan-out.ts";
import { isForeign, managesForeign } from "./foreign.ts";
import { forgetAnswered } from "./forget.ts";
import type { ClusterNode } from "./node.ts";
import { PruneFilters } from "./prune-filters.ts";
import type { ContainerRecord, ContainerState } from "./record.ts";

const ENDED: ReadonlySet<ContainerState> = new Set(["created", "exited", "dead"]);

/** Cluster IDs and bytes. Throws DockerError on bad filters and when a node fails. */
export async function pruneContainers(
  cluster: Cluster,
  rawFilters: string | null,
): Promise<{ ContainersDeleted: string[] | null; SpaceReclaimed: number }> {
  const filters = new PruneFilters(rawFilters, ["label", "label!", "until"], cluster.clock.now());
  await cluster.refresher.settled();
  const foreignToo = managesForeign(cluster);
  const nodes = cluster.reachable();
  const limit = new Limit(PRUNED_AT_ONCE, cluster.inventory.size);
  const results = await Promise.allSettled(
    nodes.map(async (node) => {
      const ended = [...node.containers.values()].filter(
        (record) => ENDED.has(record.state) && (foreignToo || !isForeign(record)) && filters.accepts(record),
      );
      const sizes = await sizesOf(node, ended);
      const removed = await Promise.all(ended.map((record) => limit.run(() => removeEnded(cluster, record))));
      return ended.filter((_, i) => removed[i]).map(({ id, engineId }) => ({ id, bytes: sizes.get(engineId) ?? 0 }));
    }),
  );
  const deleted = answersOf(nodes, results).flat();
  return {
    ContainersDeleted: deleted.length > 0 ? deleted.map(({ id }) => id) : null,
    SpaceReclaimed: deleted.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

/** Bytes that each wrote, by engine ID: known only before it is gone. */
async function sizesOf(node: ClusterNode, records: readonly ContainerRecord[]): Promise<ReadonlyMap<string, number>> {
  const sizes = new Map<string, number>();
  for (let i = 0; i < records.length; i += PRUNED_PER_QUESTION) {
    const id = records.slice(i, i + PRUNED_PER_QUESTION).map(({ engineId }) => engineId);
    const path = `/containers/json?all=1&size=1&filters=${encodeURIComponent(JSON.stringify({ id }))}`;
    const rows = await node.engine.json<{ Id: string; SizeRw?: number }[]>("GET", path, undefined, {
      deadlineMs: CREATE_MS,
    });
    for (const { Id, SizeRw = 0 } of rows) sizes.set(Id, SizeRw);
  }
  return sizes;
}

/** False for one that runs again, or that somebody else removes: a prune passes it over. */
async function removeEnded(cluster: Cluster, record: ContainerRecord): Promise<boolean> {
  try {
    await record.node.engine.text("DELETE", `/containers/${record.engineId}`, undefined, { deadlineMs: CREATE_MS });
  } catch (error) {
    if (error instanceof DockerError && (error.status === 404 || error.status === 409)) return false;
    throw error;
  }
  await forgetAnswered(cluster, record);
  return true;
}
