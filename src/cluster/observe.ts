/** An engine's news, taken into the cluster: facts, lists, events, health. */
import type { Entry } from "../discovery/discovery.ts";
import type { EngineEvent } from "../engine/event.ts";
import type { EngineFacts } from "../engine/facts.ts";
import type { EngineInventory, EngineObserver, EngineState } from "../engine/observer.ts";
import { absorbAll } from "./absorb.ts";
import type { Cluster } from "./cluster.ts";
import { followEvent } from "./follow-event.ts";
import { allMeasured } from "./forget.ts";
import { reconcileGroups } from "./groups/standing.ts";
import { readList } from "./list-entry.ts";
import { measure } from "./measure.ts";
import { publishMissed } from "./missed-events.ts";
import { engineReplaced } from "./moved.ts";
import { takeNetworks } from "./networks/take.ts";
import type { ClusterNode } from "./node.ts";
import { takeImages } from "./own-images.ts";
import { rememberNode } from "./remembered.ts";
import { clusterEvent } from "./render-event.ts";
import { isOfReplacement } from "./reschedule/replacements.ts";
import { subjectOf } from "./told-events.ts";
import { takeVolumes } from "./volumes/volume.ts";

export function observerOf(cluster: Cluster, node: () => ClusterNode): EngineObserver {
  return {
    facts: (facts) => takeFacts(cluster, node(), facts),
    inventory: (inventory) => takeInventory(cluster, node(), inventory),
    event: (event) => takeEvent(cluster, node(), event),
    state: (state, error) => takeState(cluster, node(), state, error),
  };
}

/** What the engine says of itself is known, or discovery says something else of it than before. */
export function takeFacts(cluster: Cluster, node: ClusterNode, own: EngineFacts): void {
  if (cluster.nodes.get(node.id) !== node) return;
  const facts = withEntry(own, node.entry);
  const was = node.facts;
  if (was && was.engineId !== facts.engineId) engineReplaced(cluster, node, was, facts);
  node.ownFacts = own;
  node.facts = facts;
  node.name = uniqueName(cluster, node, facts.name);
  node.blocked = blockedBy(cluster, node, facts);
  node.updatedAt = cluster.clock.now();
  cluster.ledger.setNode(node.id, { nanoCpus: facts.cpus * 1e9, memory: facts.memory });
  rememberNode(cluster, node, facts);
  node.touch();
}

/** What discovery says of a node goes before what its engine says. */
function withEntry(own: EngineFacts, { name, labels }: Entry): EngineFacts {
  if (name === undefined && labels === undefined) return own;
  return { ...own, name: name ?? own.name, labels: new Map([...own.labels, ...Object.entries(labels ?? {})]) };
}

/** Host names are not always unique: the second of a name gets its address added. */
function uniqueName(cluster: Cluster, node: ClusterNode, name: string): string {
  for (const other of cluster.nodes.values()) {
    if (other !== node && other.name === name) return `${name}@${node.address}`;
  }
  return name;
}

/**
 * The same engine under two addresses would count everything twice. Cloned machines share an engine ID as well, but
 * each engine makes its own network `bridge`.
 */
function blockedBy(cluster: Cluster, node: ClusterNode, facts: EngineFacts): string | undefined {
  if (facts.bridgeId === "") return undefined;
  for (const other of cluster.nodes.values()) {
    if (other === node || !other.reachable) continue;
    if (other.facts?.engineId === facts.engineId && other.facts.bridgeId === facts.bridgeId) {
      return `the engine at ${node.address} is node ${other.name} (${other.address}) already: remove one of the two addresses from discovery`;
    }
  }
  return undefined;
}

function takeInventory(cluster: Cluster, node: ClusterNode, inventory: EngineInventory): void {
  if (cluster.nodes.get(node.id) !== node || node.blocked !== undefined) return;
  if (node.known) node.told.begin(cluster, node, inventory.told);
  takeNetworks(cluster, node, inventory.networks, inventory.startedAt);
  takeVolumes(cluster, node, inventory.volumes, inventory.startedAt);
  takeImages(cluster, node, inventory.images, inventory.startedAt);
  absorbAll(cluster, node, readList(inventory.containers), inventory.startedAt);
  node.told.compare(cluster, node);
  node.known = true;
  node.updatedAt = cluster.clock.now();
  node.touch();
  reconcileGroups(cluster, node);
  if (node.unmeasured === 0) allMeasured(node);
  measure(cluster, node);
}

function takeEvent(cluster: Cluster, node: ClusterNode, event: EngineEvent): void {
  if (cluster.nodes.get(node.id) !== node || node.blocked !== undefined || node.ignored.has(event.actorId)) return;
  if (isOfReplacement(cluster, node, event)) return;
  node.updatedAt = cluster.clock.now();
  // Rendered first: a destroyed container is unknown afterwards; and made known first when it is new.
  followEvent(cluster, node, event, () => {
    tellMissed(cluster, node, event);
    if (cluster.events.hasReaders) cluster.events.publish(clusterEvent(cluster, node, event));
  });
}

function tellMissed(cluster: Cluster, node: ClusterNode, event: EngineEvent): void {
  const { subject, actions } = node.told.follow(event, subjectOf(cluster, node, event.type, event.actorId));
  if (subject) publishMissed(cluster, node, subject, actions);
}

function takeState(cluster: Cluster, node: ClusterNode, state: EngineState, error: string | undefined): void {
  if (node.state === "disconnected") return;
  const before = node.state;
  node.state = state;
  node.error = error;
  node.updatedAt = cluster.clock.now();
  node.touch();
  cluster.rescheduler.nodeChanged();
  if (before === state) return;
  const fields = { node: node.name, address: node.address, ...(error !== undefined && { error }) };
  if (state !== "healthy") cluster.refresher.giveUp(node);
  if (state === "healthy") {
    cluster.log.info("node is healthy", fields);
    node.poolsFreedAt = cluster.clock.monotonic();
    cluster.events.nodeIsBack();
    // Its lists came before it counted as reachable.
    measure(cluster, node);
  } else cluster.log.warn(`node is ${state}`, fields);
}
