/** `GET /events`: the past from the engines' memories, then the present as it comes; one JSON object a line. */
import { eventHistory, nodeHistory } from "../cluster/event-history.ts";
import type { ClusterEvent } from "../cluster/event-hub.ts";
import type { ClusterNode } from "../cluster/node.ts";
import { badRequest } from "../docker/errors.ts";
import { type Filters, parseFilters } from "../docker/filters.ts";
import { type Moment, momentToMs, momentToNanos, parseTimestamp } from "../docker/timestamps.ts";
import { type Answer, startStream } from "./listener/answer.ts";
import type { Context } from "./route.ts";

/** What dockerd takes; all but `node` are its own. */
const ACCEPTED = [
  "config",
  "container",
  "daemon",
  "event",
  "image",
  "label",
  "network",
  "node",
  "plugin",
  "scope",
  "secret",
  "service",
  "type",
  "volume",
] as const;

export async function streamEvents(context: Context, answer: Answer): Promise<void> {
  const { cluster, request, stopping } = context;
  const now = cluster.clock.now();
  const filters = parseFilters(request.query.get("filters"), ACCEPTED);
  const since = moment(request.query.get("since"), now);
  const until = moment(request.query.get("until"), now);
  if (since && until && momentToNanos(since) > momentToNanos(until)) {
    throw badRequest("`since` time cannot be after `until` time");
  }
  const past = until !== undefined && momentToMs(until) <= now;
  // Subscribed before the past is read: what happens meanwhile is in the queue, and told apart by what was sent.
  const reader = cluster.events.subscribe();
  const stream = startStream(answer, 200, ["Content-Type", "application/json"]);
  const stop = (): void => reader.close();
  request.signal.addEventListener("abort", stop, { once: true });
  stopping.addEventListener("abort", stop, { once: true });
  const timer = until && !past ? cluster.clock.after(momentToMs(until) - now, stop) : undefined;
  const end = until && momentToNanos(until);
  const sent = new Set<string>();
  /** False when the client is gone, or its end has come. */
  const send = async (events: readonly ClusterEvent[], isPast: boolean): Promise<boolean> => {
    for (const event of events) {
      const key = identity(event);
      if (sent.has(key)) continue;
      if (end !== undefined && event.timeNano > end) return false;
      if (isPast) sent.add(key);
      if (matches(event, filters) && !stream.write(`${event.text}\n`) && !(await stream.drained())) return false;
    }
    return true;
  };
  try {
    // As in dockerd, an end alone brings all that is remembered before it, too.
    const from = text(since ?? { seconds: 0, nanos: 0 });
    const wantsPast = since !== undefined || until !== undefined;
    const asked = new WeakSet<ClusterNode>();
    if (wantsPast) {
      const last = past && until ? text(until) : undefined;
      const { events, nodes } = await eventHistory(cluster, from, last, request.signal);
      for (const node of nodes) asked.add(node);
      if (!(await send(events, true))) return;
    }
    if (past) return;
    for (let events = await reader.next(); events; events = await reader.next()) {
      // Those that could not be asked then, or that discovery has named since.
      const late = wantsPast && reader.isNodeBack ? cluster.reachable().filter((node) => !asked.has(node)) : [];
      for (const node of late) {
        asked.add(node);
        const own = await nodeHistory(cluster, node, from, undefined, request.signal);
        if (!(await send(own ?? [], true))) return;
      }
      if (!(await send(events, false))) return;
    }
    if (reader.overflowed)
      cluster.log.warn("a reader of /events was too slow and is cut off", { remote: request.remote.address });
  } finally {
    timer?.cancel();
    request.signal.removeEventListener("abort", stop);
    stopping.removeEventListener("abort", stop);
    cluster.events.unsubscribe(reader);
    stream.end();
  }
}

function identity(event: ClusterEvent): string {
  return `${event.timeNano} ${event.type} ${event.action} ${event.actorId}`;
}

function moment(value: string | null, now: number): Moment | undefined {
  return value === null || value === "" ? undefined : parseTimestamp(value, now);
}

function text({ seconds, nanos }: Moment): string {
  return `${seconds}.${String(nanos).padStart(9, "0")}`;
}

/** dockerd's rules: any value of one filter, every filter. */
export function matches(event: ClusterEvent, filters: Filters): boolean {
  if (filters.isEmpty) return true;
  const { type, action, actorId, attributes } = event;
  const named = (filter: string): boolean => {
    if (filters.get(filter).length === 0) return true;
    if (type !== filter) return false;
    return filters.fuzzyMatch(filter, actorId) || filters.fuzzyMatch(filter, attributes.name ?? "");
  };
  return (
    (filters.exactMatch("event", action) || filters.get("event").some((wanted) => action.startsWith(`${wanted}:`))) &&
    filters.exactMatch("type", type) &&
    filters.exactMatch("scope", event.scope) &&
    matchesImage(event, filters) &&
    ["container", "network", "volume", "daemon", "plugin", "service", "secret", "config"].every(named) &&
    filters.matchLabels(attributes) &&
    (filters.exactMatch("node", attributes["node.name"] ?? "") ||
      filters.exactMatch("node", attributes["node.id"] ?? ""))
  );
}

/** An image by its ID or name, and a container by the image it was made from. */
function matchesImage({ type, actorId, attributes }: ClusterEvent, filters: Filters): boolean {
  const wanted = filters.get("image");
  if (wanted.length === 0) return true;
  const names =
    type === "image" ? [actorId, attributes.name ?? ""] : type === "container" ? [attributes.image ?? ""] : [];
  const withoutTag = (name: string): string => name.replace(/:[^:/]*$/, "");
  return names.some((name) => wanted.some((value) => value === name || value === withoutTag(name)));
}
