/** `POST /containers/prune` over the cluster: each node prunes its own, the answers become one. */
import { parseFilters } from "../docker/filters.ts";
import { CREATE_MS } from "../kit/limits.ts";
import type { Cluster } from "./cluster.ts";
import { answersOf } from "./fan-out.ts";
import { forget } from "./forget.ts";

const ACCEPTED = ["label", "label!", "until"] as const;

interface Pruned {
  ContainersDeleted?: string[] | null;
  SpaceReclaimed?: number;
}

/** Cluster IDs and bytes. Throws DockerError on bad filters and when a node fails. */
export async function pruneContainers(
  cluster: Cluster,
  rawFilters: string | null,
): Promise<{ ContainersDeleted: string[] | null; SpaceReclaimed: number }> {
  const filters = parseFilters(rawFilters, ACCEPTED);
  const query = filters.isEmpty ? "" : `?filters=${encodeURIComponent(filters.toJson())}`;
  const nodes = cluster.reachable();
  const results = await Promise.allSettled(
    nodes.map(async (node) => {
      // The engine's events may make us forget a container before its answer names it.
      const ids = new Map([...node.containers].map(([engineId, { id }]) => [engineId, id]));
      const pruned = await node.engine.json<Pruned>("POST", `/containers/prune${query}`, undefined, {
        deadlineMs: CREATE_MS,
      });
      const deleted = (pruned.ContainersDeleted ?? []).map((engineId) => {
        const record = node.containers.get(engineId);
        if (record) forget(cluster, record);
        return ids.get(engineId) ?? record?.id ?? engineId;
      });
      return { deleted, space: pruned.SpaceReclaimed ?? 0 };
    }),
  );
  const answers = answersOf(nodes, results);
  const deleted = answers.flatMap((answer) => answer.deleted);
  return {
    ContainersDeleted: deleted.length > 0 ? deleted : null,
    SpaceReclaimed: answers.reduce((sum, { space }) => sum + space, 0),
  };
}
