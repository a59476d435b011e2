/** Cluster IDs of networks: their own for those that every engine makes for itself, the engine's for all others. */
import { createHash } from "node:crypto";
import type { Cluster } from "../cluster.ts";
import type { ClusterNode } from "../node.ts";

/** Networks that every engine makes for itself, and that are one each in the cluster. */
const BUILT_IN = new Map<string, string>(
  ["bridge", "host", "none"].map((name) => [name, sha256(`shoal network ${name}`)]),
);

/** Undefined for the name of any other network. */
export function builtInNetworkId(name: string): string | undefined {
  return BUILT_IN.get(name);
}

/** Engine network ID → cluster network ID, of one that is gone as well. */
export function clusterNetworkId({ networks, formerNetworks }: Cluster, { id }: ClusterNode, engineId: string): string {
  return networks.get(id, engineId)?.key ?? formerNetworks.get(id, engineId) ?? engineId;
}

/** In the test mode that gives containers other IDs than their engines do, networks have others too. */
export function mintedNetworkId(node: ClusterNode, engineId: string): string {
  return sha256(`${node.id} ${engineId}`);
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
