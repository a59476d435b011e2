/**
 * What an earlier manager left in the store, taken in before this one answers anything; and a node's part of it when the
 * node joins. Engines win on what exists, the store on who it is.
 */
import { withDeadline } from "../kit/deadline.ts";
import { STORE_LOAD_MS } from "../kit/store-limits.ts";
import type { Entry, Write } from "../store/store.ts";
import { applyAvailability } from "./availability.ts";
import type { Cluster } from "./cluster.ts";
import { see } from "./copies.ts";
import { settle } from "./holdings.ts";
import { readNetwork } from "./networks/network.ts";
import type { ClusterNode } from "./node.ts";
import { MAKING, restoreCreate } from "./object-creates.ts";
import type { Placement } from "./placements.ts";
import { blankRecord, type ContainerRecord } from "./record.ts";
import {
  decodeIdentity,
  decodeIntent,
  IDENTITIES,
  type Identity,
  INTENTS,
  type Intent,
  type Registry,
} from "./registry.ts";
import { NODES, ROWS, recallNode } from "./remembered.ts";
import { recallObjects } from "./remembered-objects.ts";
import { RECIPES } from "./reschedule/recipes.ts";
import { decodeTombstone, TOMBSTONES } from "./tombstones.ts";
import { awaitOutcome } from "./uncertain.ts";
import { readVolume } from "./volumes/volume.ts";

/** The store's own entry. */
export const CLUSTER = "cluster";
/** The lease under which one of several managers leads, and what belongs to it below: theirs alone. */
export const LEADER = "leader";
/** Of the entries' form; another one is not ours to read. */
const FORMAT = 1;

interface ClusterEntry {
  readonly format: number;
  /** How many managers used it so far. */
  readonly term: number;
}

/**
 * To be called once, before the first node joins. Rejects when the store cannot be read or written; one that follows only
 * reads it.
 */
export async function restore(cluster: Cluster): Promise<void> {
  const { store, clock } = cluster.options;
  const entries = await withDeadline(clock, STORE_LOAD_MS, "reading the store", (signal) => store.list("", { signal }));
  for (const entry of entries) take(cluster, entry);
  if (cluster.leads) {
    cluster.registry.term++;
    await cluster.writer.write([clusterWrite(cluster.registry)]);
  }
  restoreNode(cluster, cluster.limbo);
  // No engine will ever list them.
  for (const pending of cluster.limbo.containers.values()) see(cluster, pending);
}

/** The store's own entry, as this manager leaves it. */
export function clusterWrite({ term }: Registry): Write {
  return { key: CLUSTER, value: JSON.stringify({ format: FORMAT, term } satisfies ClusterEntry) };
}

/** Throws what stops the manager: a store that is not ours to read. An unreadable entry costs only what it tells. */
function take(cluster: Cluster, { key, value }: Entry): void {
  if (key === LEADER || key.startsWith(`${LEADER}/`)) return;
  // What becomes of creates that are open is for the one that leads to find out.
  if (!cluster.leads && (key.startsWith(INTENTS) || key.startsWith(MAKING))) return;
  if (key === CLUSTER) takeCluster(cluster, value);
  else if (!takeEntry(cluster, key, value)) {
    cluster.log.error("an entry of the store cannot be read: the engines will tell what they know", { key });
  }
}

function takeCluster({ registry }: Cluster, value: string): void {
  const { format, term } = JSON.parse(value) as ClusterEntry;
  if (format !== FORMAT) throw new Error(`the store has format ${format}, and this manager reads format ${FORMAT}`);
  registry.term = term;
  registry.fresh = false;
}

/** @returns false when it cannot be read */
function takeEntry(cluster: Cluster, key: string, value: string): boolean {
  const { registry, tombstones, remembered, ownImages, ownVolumes, tags, groups } = cluster;
  const { rememberedNetworks, rememberedVolumes } = cluster;
  if (key.startsWith(IDENTITIES)) return registry.park(decodeIdentity(value));
  if (key.startsWith(INTENTS)) return registry.parkIntent(decodeIntent(value));
  if (key.startsWith(TOMBSTONES)) return tombstones.add(decodeTombstone(value));
  if (key.startsWith(NODES) || key.startsWith(ROWS)) return remembered.load(key, value);
  // Read when it is needed.
  if (key.startsWith(RECIPES)) return true;
  try {
    return (
      ownImages.restore(key, value) ||
      ownVolumes.restore(key, value) ||
      rememberedNetworks.restore(key, value) ||
      rememberedVolumes.restore(key, value) ||
      tags.restore(key, value) ||
      groups.restore(key, value) ||
      cluster.availabilities.restore(key, value) ||
      cluster.leftNetworks.restore(key, value) ||
      cluster.undone.restore(key, value) ||
      cluster.replacements.restore(key, value) ||
      restoreCreate(cluster, key, value)
    );
  } catch {
    return false;
  }
}

/** A node that joins: its containers are there again, unread; creates that a crash left open wait for its first list. */
export function restoreNode(cluster: Cluster, node: ClusterNode): void {
  applyAvailability(cluster, node);
  const { identities, intents } = cluster.registry.unpark(node.id);
  for (const { container } of cluster.tombstones.of(node.id)) node.ignored.add(container);
  for (const network of cluster.leftNetworks.on(node.id)) node.ignored.add(network);
  for (const identity of identities) restoreRecord(cluster, node, identity);
  recallNode(cluster, node);
  recallObjects(cluster.rememberedNetworks, cluster.networks, node.id, (row) => readNetwork(cluster, node, row));
  recallObjects(cluster.rememberedVolumes, cluster.volumes, node.id, (row) => readVolume(node, row));
  for (const intent of intents) restoreIntent(cluster, node, intent);
}

/** Undefined when its ID is another container's by now. */
export function restoreRecord(cluster: Cluster, node: ClusterNode, identity: Identity): ContainerRecord | undefined {
  const { inventory } = cluster;
  if (inventory.byId(identity.id)) return undefined;
  inventory.skipSequence(identity.sequence);
  const { otherNames = [], group: labels = {}, startsAgain = false, ties = [], ...known } = identity;
  const state = node === cluster.limbo ? "pending" : "created";
  const record: ContainerRecord = { ...blankRecord(node, identity, state), ...known, startsAgain, ties, node, labels };
  if (otherNames.length > 0) {
    record.renames.add({ names: [record.name, ...otherNames], uncertainSince: Number.NEGATIVE_INFINITY });
  }
  inventory.add(record);
  settle(cluster, record);
  // Somebody may have updated it meanwhile.
  node.unconfirmed.add(record);
  cluster.rescheduler.restored(record);
  return record;
}

/** The next copy of what waits must be newer than one that may have been made. */
function outdo({ registry }: Cluster, pending: ContainerRecord, { epoch }: Intent): void {
  if (pending.epoch >= epoch) return;
  pending.epoch = epoch;
  registry.remember(pending);
}

function restoreIntent(cluster: Cluster, node: ClusterNode, intent: Intent): void {
  const pending = cluster.limbo.containers.get(intent.id);
  if (pending) {
    // This manager asks for a copy of its own.
    outdo(cluster, pending, intent);
    cluster.undone.add(intent.nonce, node.id).catch(() => undefined);
    return;
  }
  // Another copy of a container that is there: its hint will tell, and the higher epoch wins.
  if (intent.epoch > 1 || cluster.inventory.byId(intent.id)) {
    cluster.registry.settleIntent(intent.nonce);
    return;
  }
  const record: ContainerRecord = {
    ...blankRecord(node, intent, "placing"),
    nonce: intent.nonce,
    created: Math.floor(cluster.clock.now() / 1000),
    sequence: cluster.inventory.nextSequence(),
    needs: intent.needs,
    labels: intent.group ?? {},
  };
  const { nonce, volumes = [] } = intent;
  const placement: Placement = { nonce, record, uncertainSince: undefined, volumes };
  cluster.inventory.add(record);
  settle(cluster, record);
  cluster.placements.add(placement);
  awaitOutcome(cluster, placement, Number.NEGATIVE_INFINITY);
}

/** A node that leaves: what the store says of it waits for its return. */
export function parkNode(cluster: Cluster, node: ClusterNode): void {
  cluster.remembered.park(node);
  for (const record of node.containers.values()) {
    cluster.registry.park(cluster.registry.identityOf(record));
  }
}
