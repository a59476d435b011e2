/** The networks that every engine makes for itself are one each in the cluster, with a cluster ID of their own. */
import { createHash } from "node:crypto";
import { BUILT_IN_NETWORKS, type ClusterNode } from "./node.ts";

const IDS = new Map<string, string>(
  BUILT_IN_NETWORKS.map((name) => [name, createHash("sha256").update(`shoal network ${name}`).digest("hex")]),
);

/** Engine network ID → cluster network ID: its own for bridge, host and none, the engine's for all others. */
export function clusterNetworkId(node: ClusterNode, engineId: string): string {
  const name = node.builtIn.get(engineId);
  return (name && IDS.get(name)) || engineId;
}

/** The name of the built-in network that a cluster ID (or a prefix of at least 12 characters) stands for. */
export function builtInNetwork(ref: string): string | undefined {
  for (const [name, id] of IDS) if (id === ref || (ref.length >= 12 && id.startsWith(ref))) return name;
  return undefined;
}
