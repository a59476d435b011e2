/**
 * Really used CPU and memory of a node's containers: processes' own memory (`anon` on cgroup v2, `total_rss` on v1), not
 * the page cache, which the kernel gives back when asked.
 */

import { mapAtMost } from "../kit/limit.ts";
import { ENGINE_CALL_MS } from "../kit/limits.ts";
import type { Cluster } from "./cluster.ts";
import type { ClusterNode } from "./node.ts";

export interface Usage {
  /** CPUs × 10⁹, over the second before. */
  readonly nanoCpus: number;
  /** Bytes. */
  readonly memory: number;
}

interface Stats {
  cpu_stats?: CpuStats;
  precpu_stats?: CpuStats;
  memory_stats?: { stats?: Record<string, number>; usage?: number };
  read?: string;
  preread?: string;
}

interface CpuStats {
  cpu_usage?: { total_usage?: number };
}

/** Containers of a node asked at the same time: each answer takes the engine one second. */
const WIDTH = 50;

/** Undefined for a node that does not answer. */
export async function usageOf(cluster: Cluster, node: ClusterNode): Promise<Usage | undefined> {
  if (!node.reachable) return undefined;
  const running = [...node.containers.values()].filter((record) => record.state === "running");
  try {
    const all = await mapAtMost(WIDTH, running, ({ engineId }) =>
      node.engine
        .json<Stats>("GET", `/containers/${engineId}/stats?stream=false`, undefined, { deadlineMs: ENGINE_CALL_MS })
        .catch(() => ({}) as Stats),
    );
    return all.reduce((sum, stats) => add(sum, stats), { nanoCpus: 0, memory: 0 });
  } catch (error) {
    cluster.log.debug("usage could not be read", { node: node.name, error: String(error) });
    return undefined;
  }
}

function add(sum: { nanoCpus: number; memory: number }, stats: Stats): Usage {
  const { cpu_stats: now, precpu_stats: before, memory_stats: memory } = stats;
  const nanoseconds = (now?.cpu_usage?.total_usage ?? 0) - (before?.cpu_usage?.total_usage ?? 0);
  const elapsed = (Date.parse(stats.read ?? "") - Date.parse(stats.preread ?? "")) * 1e6;
  const nanoCpus = elapsed > 0 && nanoseconds > 0 ? Math.round((nanoseconds / elapsed) * 1e9) : 0;
  const own = memory?.stats?.anon ?? memory?.stats?.total_rss ?? memory?.usage ?? 0;
  return { nanoCpus: sum.nanoCpus + nanoCpus, memory: sum.memory + own };
}
