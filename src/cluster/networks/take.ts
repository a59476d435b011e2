/** Takes in what an engine lists of networks. */
import { elements } from "../../docker/json-text.ts";
import type { Cluster } from "../cluster.ts";
import type { ClusterNode } from "../node.ts";
import { decideCreates } from "../object-creates.ts";
import { clearLeft, withoutLeft } from "../reschedule/networks.ts";
import { readNetwork } from "./network.ts";

/** @param startedAt monotonic milliseconds when the list was begun */
export function takeNetworks(cluster: Cluster, node: ClusterNode, text: string, startedAt: number): void {
  const networks = elements(text).map((row) => readNetwork(cluster, node, row));
  cluster.networks.set(node.id, withoutLeft(cluster, node, networks), startedAt);
  decideCreates(cluster, node, "networks", startedAt);
  void clearLeft(cluster, node);
}
