/**
 * The end of a container as an engine's `wait` tells it: a client that heard of it may create what takes the place at
 * once, so the cache must show it first.
 */
import { END_EVENT_MS, END_POLL_MS } from "../kit/limits.ts";
import type { Cluster } from "./cluster.ts";
import type { ContainerRecord } from "./record.ts";

/**
 * Resolves when what the container held is free (and marks it for the next list). An engine answers `wait` a moment
 * before its list and its event tell the end: the event is waited for, and only without one the list is asked.
 */
export async function ended(cluster: Cluster, record: ContainerRecord): Promise<void> {
  const { clock, refresher } = cluster;
  const until = clock.monotonic() + END_EVENT_MS;
  while (runs(record) && clock.monotonic() < until) await clock.sleep(END_POLL_MS);
  refresher.mark(record, true);
  if (runs(record)) await refresher.settledOn(record.node);
}

const runs = ({ state, removed, node }: ContainerRecord): boolean =>
  !removed && node.reachable && (state === "running" || state === "paused");
