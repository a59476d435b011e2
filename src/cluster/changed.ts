/** What an engine's answer to stop, pause and the like tells of a container before any event does. */
import type { Cluster } from "./cluster.ts";
import { settle } from "./holdings.ts";
import type { ContainerRecord, ContainerState } from "./record.ts";

/** From where to where a successful answer leads for certain. `kill` only sends a signal; what never ran cannot end. */
const STEPS: Readonly<Record<string, { readonly from: readonly ContainerState[]; readonly to: ContainerState }>> = {
  stop: { from: ["running", "paused", "restarting"], to: "exited" },
  pause: { from: ["running"], to: "paused" },
  unpause: { from: ["paused"], to: "running" },
  restart: { from: ["created", "running", "paused", "restarting", "exited"], to: "running" },
};

/**
 * Takes a successful answer in: what a stopped container held is free for the client's next create, and the next list
 * shows the change. @param askedAt monotonic milliseconds: events that came since then know more
 */
export function changed(cluster: Cluster, record: ContainerRecord, action: string, askedAt: number): void {
  const step = STEPS[action];
  if (step?.from.includes(record.state) && record.touchedAt < askedAt && !record.removed) {
    cluster.inventory.setState(record, step.to);
    if (action === "stop" || action === "restart") record.since = cluster.clock.now();
    record.touchedAt = cluster.clock.monotonic();
    settle(cluster, record);
  }
  cluster.refresher.mark(record, true);
}
