/** What lives where, for the scheduler's filters: the cluster's indexes behind the scheduler's interface. */
import type { Matcher } from "../scheduler/matcher.ts";
import type { Surroundings } from "../scheduler/node-view.ts";
import type { Cluster } from "./cluster.ts";
import { candidates } from "./find-object.ts";
import { groupStanding, type Tried } from "./groups/standing.ts";
import { familiarImage } from "./image-index.ts";
import { Inventory } from "./inventory.ts";
import { isNowhere, isPerNode, NETWORKS, spansNodes } from "./networks/network.ts";
import type { ContainerRecord } from "./record.ts";
import { placesOfVolume } from "./volumes/places.ts";

/** @param tried nodes that are no new home for a group */
export function surroundingsOf(cluster: Cluster, tried?: Tried): Surroundings {
  const { inventory, images, nodes } = cluster;
  return {
    nodesOfContainer(ref) {
      const record = findOrNone(inventory, ref);
      if (record) return new Set([record.node.id]);
      return nodesOf(inventory.named(ref));
    },
    nodesWithContainer: (matcher) => nodesWithContainer(inventory, matcher),
    nodesWithContainerLabel(key, matcher) {
      if (matcher.exact !== undefined) return new Set(inventory.labels.nodesWith(key, matcher.exact).keys());
      const found = new Set<string>();
      for (const [value, holders] of inventory.labels.values(key)) {
        if (matcher.test(value)) for (const node of holders.keys()) found.add(node);
      }
      return found;
    },
    nodesWithImage: (matcher) => images.nodesMatching(matcher),
    holdersOfImage: (ref) => images.holders(familiarImage(ref)),
    placesOfVolume: (ref) => placesOfVolume(cluster, ref),
    nodesOfNetwork: (ref) => nodesOfNetwork(cluster, ref),
    containersOn(nodeId) {
      const count = nodes.get(nodeId)?.count;
      return { all: count?.all ?? 0, running: count?.busy ?? 0 };
    },
    groupOf: (ask) => groupStanding(cluster, ask, tried),
    groupsExpectedOn: (nodeId) => cluster.groups.expectedOn(nodeId),
    networksOn: (nodeId) => cluster.networks.countOn(nodeId),
  };
}

/** Exact names and IDs by index; a glob or a regular expression has to look at every name. */
function nodesWithContainer(inventory: Inventory, matcher: Matcher): ReadonlySet<string> {
  if (matcher.exact !== undefined) {
    const record =
      inventory.byId(matcher.exact) ?? (matcher.exact.length === 12 ? findOrNone(inventory, matcher.exact) : undefined);
    const found = nodesOf(inventory.named(matcher.exact));
    if (record) found.add(record.node.id);
    return found;
  }
  const found = new Set<string>();
  for (const [name, records] of inventory.names()) {
    const named = matcher.test(name);
    for (const record of records) {
      if (named || Inventory.idsOf(record).some((id) => matcher.test(id))) found.add(record.node.id);
    }
  }
  return found;
}

function findOrNone(inventory: Inventory, ref: string): ContainerRecord | undefined {
  try {
    return inventory.find(ref);
  } catch {
    // Ambiguous: the caller asks for places, and there is no single one.
    return undefined;
  }
}

function nodesOf(records: Iterable<ContainerRecord>): Set<string> {
  const found = new Set<string>();
  for (const record of records) found.add(record.node.id);
  return found;
}

/**
 * One that spans nodes ties to none, nor one that is on every node by request, or nowhere now: it is made where it is
 * missing.
 */
function nodesOfNetwork(cluster: Cluster, ref: string): ReadonlySet<string> {
  const found = new Set<string>();
  const known = candidates(cluster, NETWORKS, ref);
  for (const network of known) {
    const { on, named } = network;
    if (isNowhere(network)) continue;
    for (const [nodeId, network] of on) {
      if (named || !(isPerNode(network) || spansNodes(network))) found.add(nodeId);
    }
  }
  // One that may have been made is nowhere else.
  return known.length > 0 ? found : cluster.objectCreates.nodesOf("networks", ref);
}
