/**
 * A cluster that has just started: nodes whose lists are being read, or whose containers' needs are being measured, will
 * take placements in a moment. A create that nobody else can take waits for them instead of failing.
 */
import { SETTLING_MS, SETTLING_POLL_MS } from "../kit/limits.ts";
import type { Cluster } from "./cluster.ts";
import type { ClusterNode } from "./node.ts";

/**
 * Resolves to true when something settled and a new decision is worth while; to false when nothing was settling.
 *
 * @param nodes that matter, all by default
 */
export async function settling(
  cluster: Cluster,
  nodes: Iterable<ClusterNode> = cluster.nodes.values(),
): Promise<boolean> {
  const { clock } = cluster;
  const until = clock.monotonic() + SETTLING_MS;
  const waiting = [...nodes].filter((node) => settles(cluster, node));
  if (waiting.length === 0) return false;
  while (clock.monotonic() < until && waiting.some((node) => settles(cluster, node))) {
    await clock.sleep(SETTLING_POLL_MS);
  }
  return true;
}

/** Resolves when each node was tried once, after `ms` milliseconds, or when the signal aborts. Never rejects. */
export async function firstTries(cluster: Cluster, ms: number, signal: AbortSignal): Promise<void> {
  const { clock, nodes } = cluster;
  const until = clock.monotonic() + ms;
  const isNew = ({ state, error }: ClusterNode): boolean => state === "pending" && error === undefined;
  while (!signal.aborted && clock.monotonic() < until && (nodes.size === 0 || [...nodes.values()].some(isNew))) {
    await clock.sleep(SETTLING_POLL_MS, signal).catch(() => {});
  }
}

function settles(cluster: Cluster, node: ClusterNode): boolean {
  if (!cluster.nodes.has(node.id) || node.blocked !== undefined) return false;
  if (node.reachable) return node.unmeasured > 0 && !node.measuredOnce;
  // Not tried yet: an engine that failed its first try has an error.
  return (
    node.state === "pending" && node.error === undefined && cluster.clock.monotonic() - node.joinedAt < SETTLING_MS
  );
}
