/**
 * Events of ours, for what has happened and no engine tells any more: in an engine's own form, marked as made up, kept a
 * while for readers of the past. Must not know how it was found out.
 */
import { parseEvent } from "../engine/event.ts";
import { MISSED_EVENTS_REMEMBERED } from "../kit/limits.ts";
import type { Cluster } from "./cluster.ts";
import type { ClusterEvent } from "./event-hub.ts";
import type { ClusterNode } from "./node.ts";
import type { NodeObject } from "./object-index.ts";
import type { ContainerRecord } from "./record.ts";
import { clusterEvent } from "./render-event.ts";

/** What an event is about. */
export type Subject =
  | { readonly type: "container"; readonly record: ContainerRecord }
  | {
      readonly type: "network" | "volume";
      readonly object: NodeObject;
      /** It is the same on several nodes. */
      readonly spansNodes: boolean;
    };

/** The attribute of an event that shoal makes up for one that no engine can tell any more. */
const MADE_UP = "shoal.missed";

/** In this order. When it really happened nobody knows: the events' time is now. */
export function publishMissed(cluster: Cluster, node: ClusterNode, subject: Subject, actions: readonly string[]): void {
  for (const action of actions) {
    const event = missedEvent(cluster, node, subject, action);
    cluster.missedEvents.push(event);
    if (cluster.missedEvents.length > MISSED_EVENTS_REMEMBERED) cluster.missedEvents.shift();
    cluster.events.publish(event);
  }
}

function missedEvent(cluster: Cluster, node: ClusterNode, subject: Subject, action: string): ClusterEvent {
  const last = cluster.missedEvents.at(-1)?.timeNano ?? 0n;
  const now = BigInt(cluster.clock.now()) * 1_000_000n;
  const timeNano = now > last ? now : last + 1n;
  const words = subject.type === "container" ? ofContainer(subject.record, action) : ofObject(subject, action);
  const text = `${JSON.stringify(words).slice(0, -1)},"scope":"local","time":${timeNano / 1_000_000_000n},"timeNano":${timeNano}}`;
  const event = parseEvent(text);
  if (!event) throw new Error(`an event of ours is none: ${text}`);
  return clusterEvent(cluster, node, event);
}

function ofContainer({ id, image, name, exitCode, labels, state }: ContainerRecord, action: string): object {
  const exit = action === "die" && exitCode !== undefined && state === "exited" ? { exitCode: `${exitCode}` } : {};
  const actor = { ID: id, Attributes: { ...labels, ...exit, image, name, [MADE_UP]: "true" } };
  return { status: action, id, from: image, Type: "container", Action: action, Actor: actor };
}

function ofObject({ type, object }: Exclude<Subject, { type: "container" }>, action: string): object {
  const { key, name, driver } = object;
  const [ID, attributes] = type === "network" ? [key, { name, type: driver }] : [name, { driver }];
  return { Type: type, Action: action, Actor: { ID, Attributes: { ...attributes, [MADE_UP]: "true" } } };
}
