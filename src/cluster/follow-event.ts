/** What an engine's event changes in the cache. The event tells state and name at once; the rest is read back shortly. */
import type { EngineEvent } from "../engine/event.ts";
import { claimNonce } from "./claim.ts";
import type { Cluster } from "./cluster.ts";
import { forget } from "./forget.ts";
import { decodeHint, HINT_LABEL } from "./hint.ts";
import { settle } from "./holdings.ts";
import type { ListEntry } from "./list-entry.ts";
import { remeasure } from "./measure.ts";
import { networkGone, toldNetwork } from "./networks/network.ts";
import type { ClusterNode } from "./node.ts";
import type { ContainerRecord, ContainerState } from "./record.ts";
import { volumeGone } from "./volumes/change.ts";
import { toldVolume } from "./volumes/volume.ts";

/** Actions that only change the state, and to what. */
const STATES: Readonly<Record<string, ContainerState>> = {
  start: "running",
  die: "exited",
  pause: "paused",
  unpause: "running",
};

/** @param publish called when the cache is as the event says (before the container is dropped, for the last one) */
export function followEvent(cluster: Cluster, node: ClusterNode, event: EngineEvent, publish: () => void): void {
  switch (event.type) {
    case "container":
      followContainer(cluster, node, event, publish);
      return;
    case "image":
      cluster.refresher.markList(node, "images");
      break;
    case "volume":
      followVolume(cluster, node, event);
      break;
    case "network":
      // What is gone has no cluster ID afterwards.
      if (event.action === "destroy") publish();
      followNetwork(cluster, node, event);
      if (event.action === "destroy") return;
      break;
  }
  publish();
}

function followContainer(cluster: Cluster, node: ClusterNode, event: EngineEvent, publish: () => void): void {
  const record = node.containers.get(event.actorId) ?? claimed(cluster, node, event);
  if (event.action === "destroy") {
    publish();
    if (record) forget(cluster, record);
    return;
  }
  if (!record) {
    // A prune tells of no container.
    if (event.actorId !== "") cluster.refresher.markId(node, event.actorId);
    // Nobody was told of it, and it is removed as soon as it is read.
    if (!isUndone(cluster, event)) publish();
    return;
  }
  const state = STATES[event.action];
  if (state !== undefined) {
    cluster.inventory.setState(record, state);
    if (state === "running" && event.action === "start") record.recipe = undefined;
    if (event.action === "start" || event.action === "die") record.since = Number(BigInt(event.timeNano) / 1_000_000n);
    if (event.action === "die") record.exitCode = exitCodeOf(event);
    record.touchedAt = cluster.clock.monotonic();
    settle(cluster, record);
  }
  if (event.action.startsWith("health_status") && record.entry) {
    record.entry = withHealth(record.entry, event.action.includes("unhealthy") ? "unhealthy" : "healthy");
  }
  if (event.action === "rename") {
    const name = (event.attributes.name ?? "").replace(/^\//, "");
    if (name !== "") {
      cluster.inventory.rename(record, name);
      record.engineName = name;
      cluster.registry.remember(record);
      record.touchedAt = cluster.clock.monotonic();
    }
  }
  if (event.action === "update" && record.needsKnown) remeasure(cluster, record);
  // Its engine may be starting it again already: until that is read back, a list would show it as ended.
  const restarts = event.action === "die" && record.needs.whenExited;
  if (changesRow(event.action)) cluster.refresher.mark(record, restarts);
  publish();
}

function exitCodeOf({ attributes: { exitCode = "" } }: EngineEvent): number | undefined {
  return /^-?\d+$/.test(exitCode) ? Number(exitCode) : undefined;
}

/** A create of ours whose answer is still under way. */
function claimed(cluster: Cluster, node: ClusterNode, event: EngineEvent): ContainerRecord | undefined {
  if (event.action !== "create") return undefined;
  const hint = decodeHint(event.attributes[HINT_LABEL]);
  if (!hint) return undefined;
  return claimNonce(cluster, node, hint.nonce, event.actorId, event.attributes.name ?? "");
}

/** An engine makes after all what counts as not made. */
function isUndone({ undone }: Cluster, { action, attributes }: EngineEvent): boolean {
  const hint = action === "create" ? decodeHint(attributes[HINT_LABEL]) : undefined;
  return hint !== undefined && undone.has(hint.nonce);
}

/** The health that a Status ends with: `Up 3 minutes (healthy)`. */
function withHealth(entry: ListEntry, health: string): ListEntry {
  if (entry.status.duration === undefined) return entry;
  return { ...entry, status: { ...entry.status, after: ` (${health})` } };
}

function changesRow(action: string): boolean {
  return (
    action in STATES ||
    action === "create" ||
    action === "rename" ||
    action === "update" ||
    action === "restart" ||
    action === "stop" ||
    action === "oom" ||
    action.startsWith("health_status")
  );
}

function followVolume(cluster: Cluster, node: ClusterNode, event: EngineEvent): void {
  const { volumes, clock, refresher } = cluster;
  const { actorId: name } = event;
  if (event.action === "create") {
    refresher.markList(node, "volumes");
    // Our own create may have told more already.
    if (volumes.get(node.id, name)) return;
    volumes.add(node.id, toldVolume(node, name, event.attributes.driver ?? ""), clock.monotonic());
  } else if (event.action === "destroy") {
    volumeGone(cluster, node.id, name);
  }
}

function followNetwork(cluster: Cluster, node: ClusterNode, event: EngineEvent): void {
  const { name = "", type: driver = "" } = event.attributes;
  const { networks, clock, refresher } = cluster;
  if (event.action === "create") {
    refresher.markList(node, "networks");
    // Our own create may have told more already.
    if (networks.get(node.id, event.actorId)) return;
    networks.add(node.id, toldNetwork(cluster, node, { id: event.actorId, name, driver }), clock.monotonic());
  } else if (event.action === "destroy") {
    networkGone(cluster, node, event.actorId);
  } else if (event.action === "connect" || event.action === "disconnect") {
    const record = node.containers.get(event.attributes.container ?? "");
    if (record) refresher.mark(record, false);
  }
}
