/** Past events of the cluster: each engine's own memory of them, merged by time. */
import { rememberedEvents } from "../engine/remembered-events.ts";
import { withDeadline } from "../kit/deadline.ts";
import { ENGINE_CALL_MS } from "../kit/limits.ts";
import type { Cluster } from "./cluster.ts";
import type { ClusterEvent } from "./event-hub.ts";
import type { ClusterNode } from "./node.ts";
import { clusterEvent } from "./render-event.ts";
import { settling } from "./settling.ts";

export interface EventHistory {
  /** By time. */
  readonly events: readonly ClusterEvent[];
  /** The nodes whose it is: all that could be asked. */
  readonly nodes: ReadonlySet<ClusterNode>;
}

/**
 * @param since,until Unix seconds with nanoseconds, as dockerd takes them; without an end: to the moment when the nodes are
 *   asked, which is later than this call when they are being read first
 * @param signal whoever asks is gone
 */
export async function eventHistory(
  cluster: Cluster,
  since: string,
  until: string | undefined,
  signal?: AbortSignal,
): Promise<EventHistory> {
  // Who read on when the manager was started again would miss what a node did meanwhile that has not been read yet.
  await settling(cluster);
  const end = until ?? soon(cluster);
  const nodes = new Set<ClusterNode>();
  const histories = await Promise.all(
    cluster.reachable().map(async (node) => {
      const events = await nodeHistory(cluster, node, since, end, signal);
      if (events) nodes.add(node);
      return events ?? [];
    }),
  );
  const missed = cluster.missedEvents.filter(({ timeNano }) => nanos(since) <= timeNano && timeNano <= nanos(end));
  const events = [...missed, ...histories.flat()].sort((a, b) =>
    a.timeNano < b.timeNano ? -1 : a.timeNano > b.timeNano ? 1 : 0,
  );
  return { events, nodes };
}

/** A little ahead: engines' clocks may be. */
function soon({ clock }: Cluster): string {
  return `${Math.floor(clock.now() / 1000) + 1}.000000000`;
}

/** Of `seconds.nanoseconds`. */
function nanos(time: string): bigint {
  const [seconds = "0", fraction = ""] = time.split(".");
  return BigInt(seconds) * 1_000_000_000n + BigInt(fraction.padEnd(9, "0").slice(0, 9));
}

/** One node's, oldest first; undefined when it does not answer. The parameters are those of `eventHistory`. */
export async function nodeHistory(
  cluster: Cluster,
  node: ClusterNode,
  since: string,
  until: string | undefined,
  signal?: AbortSignal,
): Promise<readonly ClusterEvent[] | undefined> {
  try {
    const events = await withDeadline(
      cluster.clock,
      ENGINE_CALL_MS,
      `events of ${node.name}`,
      (within) => rememberedEvents(node.engine, since, until ?? soon(cluster), within),
      signal,
    );
    return events
      .filter((event) => !node.ignored.has(event.actorId) || node.told.isOfBefore(event))
      .map((event) => clusterEvent(cluster, node, event));
  } catch (error) {
    if (signal?.aborted !== true) {
      cluster.log.warn("a node's event history could not be read", { node: node.name, error: String(error) });
    }
    return undefined;
  }
}
