/** What an engine's answer to stop, pause and the like tells of a container before any event does. */
import type { Cluster } from "./cluster.ts";
import { settle } from "./holdings.ts";
import type { ContainerRecord, ContainerState } from "./record.ts";

/** Where a successful answer leaves the container for certain. `kill` only sends a signal. */
const STATES: Readonly<Record<string, ContainerState>> = {
  stop: "exited",
  pause: "paused",
  unpause: "running",
  restart: "running",
};

/**
 * Takes a successful answer in: what a stopped container held is free for the client's next create, and the next list
 * shows the change. @param askedAt monotonic milliseconds: events that came since then know more
 */
export function changed(cluster: Cluster, record: ContainerRecord, action: string, askedAt: number): void {
  const state = STATES[action];
  if (state !== undefined && record.touchedAt < askedAt && !record.removed) {
    cluster.inventory.setState(record, state);
    record.touchedAt = cluster.clock.monotonic();
    settle(cluster, record);
  }
  cluster.refresher.mark(record, true);
}
