/**
 * Events of ours, in an engine's own form, kept a while for readers of the past: for what has happened and no engine tells
 * any more (marked as made up), and for what no engine knows of. Must not know how it was found out.
 */
import { type EngineEvent, parseEvent } from "../engine/event.ts";
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
  /** A container that nobody has read yet: this is all that is known of it. */
  | { readonly type: "event"; readonly event: EngineEvent }
  | {
      readonly type: "network" | "volume";
      readonly object: NodeObject;
      /** It is the same on several nodes. */
      readonly spansNodes: boolean;
    };

type ObjectSubject = Extract<Subject, { readonly object: NodeObject }>;

/** The attribute of an event that shoal makes up for one that no engine can tell any more. */
const MADE_UP = "shoal.missed";

/** In this order. When it really happened nobody knows: the events' time is now. */
export function publishMissed(cluster: Cluster, node: ClusterNode, subject: Subject, actions: readonly string[]): void {
  for (const action of actions) publish(cluster, node, subject, action, { [MADE_UP]: "true" });
}

type Marks = Readonly<Record<string, string>>;

/** What the cluster itself did with a container: `pending`, `reschedule`, `kept`. @param marks further attributes */
export function publishOwn(
  cluster: Cluster,
  node: ClusterNode,
  subject: Subject,
  action: string,
  marks: Marks = {},
): void {
  publish(cluster, node, subject, action, marks);
}

function publish(cluster: Cluster, node: ClusterNode, subject: Subject, action: string, marks: Marks): void {
  const event = eventOf(cluster, node, subject, action, marks);
  cluster.missedEvents.push(event);
  if (cluster.missedEvents.length > MISSED_EVENTS_REMEMBERED) cluster.missedEvents.shift();
  cluster.events.publish(event);
}

function eventOf(cluster: Cluster, node: ClusterNode, subject: Subject, action: string, marks: Marks): ClusterEvent {
  const last = cluster.missedEvents.at(-1)?.timeNano ?? 0n;
  const now = BigInt(cluster.clock.now()) * 1_000_000n;
  const timeNano = now > last ? now : last + 1n;
  const words = wordsOf(subject, action, marks);
  const text = `${JSON.stringify(words).slice(0, -1)},"scope":"local","time":${timeNano / 1_000_000_000n},"timeNano":${timeNano}}`;
  const event = parseEvent(text);
  if (!event) throw new Error(`an event of ours is none: ${text}`);
  return clusterEvent(cluster, node, event);
}

function wordsOf(subject: Subject, action: string, marks: Marks): object {
  switch (subject.type) {
    case "container":
      return ofRecord(subject.record, action, marks);
    case "event": {
      const { actorId, attributes } = subject.event;
      return ofContainer(actorId, action, { ...attributes, ...marks });
    }
    default:
      return ofObject(subject, action, marks);
  }
}

function ofRecord(record: ContainerRecord, action: string, marks: Marks): object {
  const { id, image, name, exitCode, labels, state } = record;
  const exit: Marks =
    action === "die" && exitCode !== undefined && state === "exited" ? { exitCode: `${exitCode}` } : {};
  return ofContainer(id, action, { ...labels, ...exit, image, name, ...marks });
}

function ofContainer(id: string, action: string, attributes: Marks): object {
  const actor = { ID: id, Attributes: attributes };
  return { status: action, id, from: attributes.image, Type: "container", Action: action, Actor: actor };
}

function ofObject({ type, object }: ObjectSubject, action: string, marks: Marks): object {
  const { key, name, driver } = object;
  const [ID, attributes] = type === "network" ? [key, { name, type: driver }] : [name, { driver }];
  return { Type: type, Action: action, Actor: { ID, Attributes: { ...attributes, ...marks } } };
}
