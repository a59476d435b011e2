/**
 * What readers of /events were told of a node's containers. An engine remembers its last 256 events, and none over its
 * own restart: what its lists show otherwise than was told, and no event explains a moment later, is told as an event
 * of ours. Owns that memory and those events; must not know who reads them.
 */
import { type EngineEvent, parseEvent } from "../engine/event.ts";
import { EVENTS_LATE_MS, MISSED_EVENTS_REMEMBERED } from "../kit/limits.ts";
import type { Cluster } from "./cluster.ts";
import type { ClusterEvent } from "./event-hub.ts";
import type { ClusterNode } from "./node.ts";
import type { ContainerRecord, ContainerState } from "./record.ts";
import { clusterEvent } from "./render-event.ts";

/** As events tell it: a container between two starts has ended, whatever comes next. */
type ToldState = "created" | "running" | "paused" | "exited";

interface Told {
  readonly state: ToldState;
  readonly record: ContainerRecord;
}

/** The attribute of an event that shoal makes up for one that no engine can tell any more. */
const MADE_UP = "shoal.missed";

const AFTER: Readonly<Record<string, ToldState>> = {
  create: "created",
  start: "running",
  unpause: "running",
  pause: "paused",
  die: "exited",
};

/** What must have happened, from the state that was told (undefined: nothing) to the present one (undefined: it is gone). */
export function missedActions(told: ToldState | undefined, present: ToldState | undefined): readonly string[] {
  if (told === present) return [];
  const runs = told === "running" || told === "paused";
  if (present === undefined) return runs ? ["die", "destroy"] : ["destroy"];
  const made = told === undefined ? ["create"] : [];
  switch (present) {
    case "created":
      // What ran is never as created again.
      return made;
    case "running":
      return told === "paused" ? ["unpause"] : [...made, "start"];
    case "paused":
      return runs ? ["pause"] : [...made, "start", "pause"];
    case "exited":
      return runs ? ["die"] : [...made, "start", "die"];
  }
}

/** One node's part. */
export class ToldEvents {
  #told: Map<string, Told> | undefined;
  #reading = 0;

  /** The containers that an earlier manager knew: readers see their rows, so they count as told. */
  begin(node: ClusterNode): void {
    this.#told ??= toldOf(node);
  }

  /**
   * To be called with each event, in the engine's order and before it is published.
   *
   * @returns what must have happened before it and was not told
   */
  follow(event: EngineEvent, record: ContainerRecord | undefined): readonly string[] {
    const { action, actorId } = event;
    if (action === "destroy") {
      this.#told?.delete(actorId);
      return [];
    }
    const state = AFTER[action];
    if (state === undefined || !record || !this.#told) return [];
    const before = this.#told.get(actorId)?.state;
    this.#told.set(actorId, { state, record });
    // An engine that starts after a crash starts what it ran: that this had ended nobody has told.
    return action === "start" && (before === "running" || before === "paused") ? ["die"] : [];
  }

  /**
   * To be called after each reading of the whole list, events of which are still to come. What differs now and still
   * does when they are in is published.
   */
  compare(cluster: Cluster, node: ClusterNode): void {
    const reading = ++this.#reading;
    const told = this.#told;
    if (!told) {
      this.#told = toldOf(node);
      return;
    }
    const suspects = [...new Set([...told.keys(), ...node.containers.keys()])].filter(
      (engineId) => told.get(engineId)?.state !== presentOf(node, engineId),
    );
    if (suspects.length === 0) return;
    const before = new Map(suspects.map((engineId) => [engineId, told.get(engineId)]));
    const settle = async (): Promise<void> => {
      // Without a stream, or with one that may be stuck, the next connection may still bring the event.
      if (!(await answers(node)) || this.#reading !== reading || !node.engine.connected) return;
      for (const [engineId, was] of before) {
        if (told.get(engineId) === was) this.#tell(cluster, node, engineId, told);
      }
    };
    cluster.clock.after(EVENTS_LATE_MS, () => void settle(), { background: true });
  }

  /** Its client removed it while nobody could ask its engine. */
  removed(cluster: Cluster, node: ClusterNode, record: ContainerRecord): void {
    const was = this.#told?.get(record.engineId)?.state ?? toldState(record.state);
    this.#told?.delete(record.engineId);
    publishMissed(cluster, node, record, missedActions(was, undefined));
  }

  #tell(cluster: Cluster, node: ClusterNode, engineId: string, told: Map<string, Told>): void {
    const was = told.get(engineId);
    const record = node.containers.get(engineId) ?? was?.record;
    const present = presentOf(node, engineId);
    // One of several copies, or one that goes on elsewhere: its life is told by the other.
    if (!record || node.ignored.has(engineId) || (present === undefined && record.node !== node)) {
      told.delete(engineId);
      return;
    }
    publishMissed(cluster, node, record, missedActions(was?.state, present));
    if (present === undefined) told.delete(engineId);
    else told.set(engineId, { state: present, record });
  }
}

/** Tells what no engine tells any more; kept a while for readers that ask for the past. */
export function publishMissed(
  cluster: Cluster,
  node: ClusterNode,
  record: ContainerRecord,
  actions: readonly string[],
): void {
  for (const action of actions) {
    const event = missedEvent(cluster, node, record, action);
    cluster.missedEvents.push(event);
    if (cluster.missedEvents.length > MISSED_EVENTS_REMEMBERED) cluster.missedEvents.shift();
    cluster.events.publish(event);
  }
}

/** In the engine's own form, now: when it really happened nobody knows. */
function missedEvent(cluster: Cluster, node: ClusterNode, record: ContainerRecord, action: string): ClusterEvent {
  const last = cluster.missedEvents.at(-1)?.timeNano ?? 0n;
  const now = BigInt(cluster.clock.now()) * 1_000_000n;
  const timeNano = now > last ? now : last + 1n;
  const { id, image, name, exitCode, labels } = record;
  const exit =
    action === "die" && exitCode !== undefined && record.state === "exited" ? { exitCode: `${exitCode}` } : {};
  const actor = { ID: id, Attributes: { ...labels, ...exit, image, name, [MADE_UP]: "true" } };
  const head = JSON.stringify({ status: action, id, from: image, Type: "container", Action: action, Actor: actor });
  const text = `${head.slice(0, -1)},"scope":"local","time":${timeNano / 1_000_000_000n},"timeNano":${timeNano}}`;
  const event = parseEvent(text);
  if (!event) throw new Error(`an event of ours is none: ${text}`);
  return clusterEvent(cluster, node, event);
}

function toldOf(node: ClusterNode): Map<string, Told> {
  return new Map(
    [...node.containers].flatMap(([engineId, record]) => {
      const state = toldState(record.state);
      return state === undefined ? [] : [[engineId, { state, record }] as const];
    }),
  );
}

function presentOf(node: ClusterNode, engineId: string): ToldState | undefined {
  const record = node.containers.get(engineId);
  return record && toldState(record.state);
}

function toldState(state: ContainerState): ToldState | undefined {
  switch (state) {
    case "placing":
      return undefined;
    case "created":
    case "running":
    case "paused":
      return state;
    case "restarting":
    case "exited":
    case "removing":
    case "dead":
      return "exited";
  }
}

async function answers(node: ClusterNode): Promise<boolean> {
  if (!node.reachable) return false;
  return node.engine.text("GET", "/_ping").then(
    () => true,
    () => false,
  );
}
