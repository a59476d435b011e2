/**
 * Whether a container that leaves a drained node is started on another one before it is stopped here. It asks for that by
 * a label; where it cannot be, it is stopped first as everything else is, and that is said. Must not know how either is done.
 */

import type { Cluster } from "../cluster.ts";
import { spansNodes } from "../networks/network.ts";
import type { ContainerRecord } from "../record.ts";
import { rowOf } from "./row.ts";
import type { Unit } from "./units.ts";

const LABEL = "shoal.drain";
const START_FIRST = "start-first";

export function asksStartFirst({ labels }: ContainerRecord): boolean {
  return labels[LABEL] === START_FIRST;
}

/** A clause; undefined when it can be started elsewhere while it runs here. Fixed ports are each node's own. */
export function whyStopFirst(
  cluster: Cluster,
  { containers, networks }: Unit,
  record: ContainerRecord,
): string | undefined {
  const { node, state, entry } = record;
  if (node.forced) return "the node is drained by force";
  const other = containers.find((one) => one !== record);
  if (other) return `it belongs together with ${other.name}`;
  const [network] = networks;
  if (network) return `network ${network.name} is on one node only, and goes with it`;
  if (state !== "running") return `it is ${state}`;
  if (!entry) return "what it keeps on its node is not known yet";
  const [mount] = rowOf(record, "Mounts").Mounts ?? [];
  if (mount) return `it has ${mount.Destination ?? "something"} from a volume or path of its node`;
  const fixed = fixedAddress(cluster, record);
  return fixed && `its address ${fixed} is one for the whole cluster`;
}

/** One that its client gave it in a network that spans nodes: two copies would have it at once. */
function fixedAddress(cluster: Cluster, record: ContainerRecord): string | undefined {
  for (const endpoint of Object.values(rowOf(record, "NetworkSettings").NetworkSettings?.Networks ?? {})) {
    const network = cluster.networks.byKey(endpoint?.NetworkID ?? "")?.on.get(record.node.id);
    const { IPv4Address = "", IPv6Address = "" } = endpoint?.IPAMConfig ?? {};
    const address = IPv4Address || IPv6Address;
    if (network && spansNodes(network) && address !== "") return address;
  }
  return undefined;
}
