/**
 * What readers of /events were told of a node's containers, networks and volumes. An engine remembers its last 256
 * events, and none over its own restart: what its lists show otherwise than was told, and no event explains a moment
 * later, is told as an event of ours. Owns that memory; must not know who reads the events, or what they look like.
 */
import type { EngineEvent } from "../engine/event.ts";
import { EVENTS_LATE_MS, EVENTS_REMEMBERED } from "../kit/limits.ts";
import type { Cluster } from "./cluster.ts";
import { publishMissed, type Subject } from "./missed-events.ts";
import { spansNodes } from "./networks/network.ts";
import { builtInNetworkId } from "./networks/network-ids.ts";
import type { ClusterNode } from "./node.ts";
import type { ContainerRecord, ContainerState } from "./record.ts";

/** As events tell it: a container between two starts has ended, whatever comes next. Networks and volumes are created. */
type ToldState = "created" | "running" | "paused" | "exited";

interface Told {
  readonly state: ToldState;
  /** Undefined for a network or a volume that only an event told of. */
  readonly subject: Subject | undefined;
}

export interface Missed {
  /** As it was when it was last known: its client may have removed it before its engine tells of that. */
  readonly subject: Subject | undefined;
  readonly actions: readonly string[];
}

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

/** The state that an action begins with. */
const BEFORE: Readonly<Record<string, ToldState>> = {
  start: "exited",
  die: "running",
  pause: "running",
  unpause: "paused",
  destroy: "exited",
};

/** What must have happened between the state that was told (undefined: nothing) and an event's action. */
export function missedBefore(told: ToldState | undefined, action: string): readonly string[] {
  const needed = BEFORE[action];
  if (needed === undefined || (action === "die" && told === "paused")) return [];
  if (needed !== "exited") return missedActions(told, needed);
  // What never ran is started and removed as well as what has ended.
  if (told === undefined) return action === "start" ? ["create"] : [];
  return told === "created" ? [] : missedActions(told, needed);
}

/** One node's part. */
export class ToldEvents {
  /** By `keyOf`; undefined until there is something to compare with. */
  #containers: All | undefined;
  #objects: All | undefined;
  #reading = 0;
  /** Told to have ended by this manager, and here again: how it goes on is told by it, whatever its engine remembers. */
  readonly #returned = new Map<string, Told>();

  /** Engine ID → when its container ended here for the cluster, whatever becomes of the copy (ns since the Unix epoch). */
  readonly #endedAt = new Map<string, bigint>();

  /**
   * What an earlier manager knew: readers see it in lists, so it counts as told. So does what the engine told while there
   * was no manager, and tells to whoever asks for the past.
   *
   * @param earlier what it remembers from before the events that `follow` gets, oldest first
   */
  begin(cluster: Cluster, node: ClusterNode, earlier: readonly EngineEvent[]): void {
    if (this.#containers) return;
    this.#containers = containersOf(node);
    this.#objects = objectsOf(cluster, node);
    for (const event of earlier) this.follow(event, undefined);
  }

  /**
   * To be called with each event, in the engine's order and before it is published.
   *
   * @param present what it is about, where that is known still
   * @returns what must have happened before it and was not told
   */
  follow(event: EngineEvent, present: Subject | undefined): Missed {
    const { type, action, actorId } = event;
    const all = type === "container" ? this.#containers : this.#objects;
    const key = keyOf(type, actorId);
    const state = AFTER[action];
    if (!all || (state === undefined && action !== "destroy")) return { subject: present, actions: [] };
    this.#returned.delete(key);
    const before = all.get(key);
    const subject = present ?? before?.subject ?? (type === "container" ? { type: "event", event } : undefined);
    if (state === undefined) all.delete(key);
    else all.set(key, { state, subject });
    return { subject, actions: missedBefore(before?.state, action) };
  }

  /**
   * To be called after each reading of all lists, events of which are still to come. What differs now and still does
   * when they are in is published.
   */
  compare(cluster: Cluster, node: ClusterNode): void {
    const reading = ++this.#reading;
    this.#containers ??= containersOf(node);
    this.#objects ??= objectsOf(cluster, node);
    for (const [key, told] of this.#returned) this.#containers.set(key, told);
    const kinds = [
      { told: this.#containers, listed: () => containersOf(node) },
      { told: this.#objects, listed: () => objectsOf(cluster, node) },
    ];
    const suspects = kinds.flatMap((kind) =>
      differing(kind.told, kind.listed()).map((found) => ({ ...kind, ...found })),
    );
    if (suspects.length === 0) return;
    const settle = async (): Promise<void> => {
      // Without a stream, or with one that may be stuck, the next connection may still bring the event.
      if (!(await answers(node)) || this.#reading !== reading || !node.engine.connected) return;
      const present = new Map(kinds.map(({ told, listed }) => [told, listed()]));
      for (const { told, key, was } of suspects) {
        if (told.get(key) !== was) continue;
        const now = present.get(told)?.get(key);
        this.#returned.delete(key);
        const missed = missedActions(was?.state, now?.state);
        const subject = now?.subject ?? was?.subject;
        if (now) told.set(key, now);
        else told.delete(key);
        if (subject && !isToldElsewhere(node, key, subject, now)) publishMissed(cluster, node, subject, missed);
      }
    };
    cluster.clock.after(EVENTS_LATE_MS, () => void settle(), { background: true });
  }

  /** Its client removed it while nobody could ask its engine. */
  removed(cluster: Cluster, node: ClusterNode, record: ContainerRecord): void {
    const was = this.#containers?.get(record.engineId)?.state ?? toldState(record.state);
    this.#containers?.delete(record.engineId);
    publishMissed(cluster, node, { type: "container", record }, missedActions(was, undefined));
    this.#ended(cluster, record);
  }

  /** It goes on elsewhere: here it has ended. */
  left(cluster: Cluster, node: ClusterNode, record: ContainerRecord): void {
    const was = this.#containers?.get(record.engineId)?.state ?? toldState(record.state);
    this.#containers?.delete(record.engineId);
    publishMissed(cluster, node, { type: "container", record }, missedActions(was, "exited"));
    this.#ended(cluster, record);
  }

  #ended({ clock }: Cluster, { engineId }: ContainerRecord): void {
    this.#endedAt.set(engineId, BigInt(clock.now()) * 1_000_000n);
    const [oldest] = this.#endedAt.keys();
    if (this.#endedAt.size > EVENTS_REMEMBERED && oldest !== undefined) this.#endedAt.delete(oldest);
  }

  /** Whether a container was still the cluster's when its engine told this: of a copy that is nobody's by now. */
  isOfBefore({ actorId, timeNano }: EngineEvent): boolean {
    return BigInt(timeNano) <= (this.#endedAt.get(actorId) ?? -1n);
  }

  /** It goes on here, where it has been started before anybody was to know: it is told as started now. */
  came(cluster: Cluster, node: ClusterNode, record: ContainerRecord): void {
    const subject: Subject = { type: "container", record };
    this.#containers?.set(record.engineId, { state: "running", subject });
    publishMissed(cluster, node, subject, missedActions("exited", "running"));
  }

  /** It goes on here after all, and that it had ended was told. */
  returned(record: ContainerRecord): void {
    this.#returned.set(record.engineId, { state: "exited", subject: { type: "container", record } });
  }
}

type All = Map<string, Told>;

/** What was told otherwise than it is listed, with what was told; what is told of the rest is renewed. */
function differing(told: All, listed: All): { readonly key: string; readonly was: Told | undefined }[] {
  const found = [];
  for (const key of new Set([...told.keys(), ...listed.keys()])) {
    const was = told.get(key);
    const now = listed.get(key);
    if (was?.state !== now?.state && !isEverywhere((now ?? was)?.subject)) found.push({ key, was });
    else if (now) told.set(key, now);
  }
  return found;
}

/** One of several copies, or one that goes on elsewhere: its life is told by the other. */
function isToldElsewhere(node: ClusterNode, key: string, subject: Subject, now: Told | undefined): boolean {
  return node.ignored.has(key) || (subject.type === "container" && now === undefined && subject.record.node !== node);
}

/** One node's engine alone tells of it, and which one that will be nobody knows. */
function isEverywhere(subject: Subject | undefined): boolean {
  return subject !== undefined && "spansNodes" in subject && subject.spansNodes;
}

function containersOf(node: ClusterNode): All {
  const found: All = new Map();
  for (const [engineId, record] of node.containers) {
    const state = toldState(record.state);
    if (state !== undefined) found.set(engineId, { state, subject: { type: "container", record } });
  }
  return found;
}

/** Without the networks that every engine makes for itself: it tells nothing of them. */
function objectsOf(cluster: Cluster, node: ClusterNode): All {
  const found: All = new Map();
  for (const type of ["network", "volume"] as const) {
    for (const { engineKey, name } of cluster[`${type}s`].on(node.id)) {
      if (type === "network" && builtInNetworkId(name) !== undefined) continue;
      const subject = subjectOf(cluster, node, type, engineKey);
      if (subject) found.set(keyOf(type, engineKey), { state: "created", subject });
    }
  }
  return found;
}

const keyOf = (type: string, engineKey: string): string => (type === "container" ? engineKey : `${type} ${engineKey}`);

/** What an event is about, as the manager knows it now. */
export function subjectOf(cluster: Cluster, node: ClusterNode, type: string, engineKey: string): Subject | undefined {
  switch (type) {
    case "container": {
      const record = node.containers.get(engineKey);
      return record && { type, record };
    }
    case "network": {
      const object = cluster.networks.get(node.id, engineKey);
      return object && { type, object, spansNodes: spansNodes(object) };
    }
    case "volume": {
      const object = cluster.volumes.get(node.id, engineKey);
      return object && { type, object, spansNodes: object.isGlobal };
    }
  }
  return undefined;
}

function toldState(state: ContainerState): ToldState | undefined {
  switch (state) {
    case "placing":
    case "pending":
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
