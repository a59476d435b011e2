/** Networks as their engines list them: what is read of a row, and which rows are one network of the cluster. */
import { splice } from "../../docker/json-text.ts";
import type { Cluster } from "../cluster.ts";
import { candidates, type Kind } from "../find-object.ts";
import { decodeObjectHint, HINT_LABEL, type ObjectHint } from "../hint.ts";
import type { ClusterNode } from "../node.ts";
import type { ClusterObject, NodeObject } from "../object-index.ts";
import { LIMBO } from "../reschedule/limbo.ts";
import { builtInNetworkId, mintedNetworkId } from "./network-ids.ts";

export interface NodeNetwork extends NodeObject {
  /** `local`, `global` or `swarm`; "" while only an event told of it. */
  readonly scope: string;
}

export const NETWORKS: Kind<NodeNetwork> = { noun: "network", index: ({ networks }) => networks, hasIds: true };

interface Row {
  readonly Id: string;
  readonly Name: string;
  readonly Driver?: string;
  readonly Scope?: string;
  readonly Labels?: Readonly<Record<string, string>> | null;
}

/** @param text a row of an engine's list */
export function readNetwork(cluster: Cluster, node: ClusterNode, text: string): NodeNetwork {
  const row = JSON.parse(text) as Row;
  const { [HINT_LABEL]: hintText, ...labels } = row.Labels ?? {};
  const hint = decodeObjectHint(hintText);
  const scope = row.Scope ?? "local";
  return {
    engineKey: row.Id,
    key: keyOf(cluster, node, { id: row.Id, name: row.Name, scope, hint }),
    name: row.Name,
    driver: row.Driver ?? "",
    scope,
    labels,
    hint,
    row: text,
    text: hintText === undefined ? text : splice(text, [{ path: ["Labels", HINT_LABEL], json: undefined }]),
  };
}

/** One that an event or an answer tells of, before a list does. */
export function toldNetwork(
  cluster: Cluster,
  node: ClusterNode,
  told: {
    readonly id: string;
    readonly name: string;
    readonly driver: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly hint?: ObjectHint | undefined;
  },
): NodeNetwork {
  const { id, name, driver, labels = {}, hint } = told;
  const key = keyOf(cluster, node, { id, name, scope: "", hint });
  return { engineKey: id, key, name, driver, scope: "", labels, hint, row: undefined, text: undefined };
}

/** As a row of an engine's list: one that was made, and that its engine has not listed since. */
export function toldRow(
  { engineKey, name, driver, labels }: NodeNetwork,
  more: Readonly<Record<string, string>> = {},
): object {
  return {
    Name: name,
    Id: engineKey,
    Created: "0001-01-01T00:00:00Z",
    Scope: "local",
    Driver: driver,
    EnableIPv6: false,
    IPAM: { Driver: "default", Options: null, Config: [] },
    Internal: false,
    Attachable: false,
    Ingress: false,
    ConfigFrom: { Network: "" },
    ConfigOnly: false,
    Containers: {},
    Options: {},
    Labels: { ...labels, ...more },
  };
}

/** It is known to be gone, by its engine's event or before: the node may have an address pool for another again. */
export function networkGone({ networks, clock }: Cluster, node: ClusterNode, engineKey: string): void {
  node.poolsFreedAt = clock.monotonic();
  networks.remove(node.id, engineKey, node.poolsFreedAt);
}

/** Made by request on every node, under one cluster ID. */
export function isPerNode({ hint }: NodeNetwork): boolean {
  return hint?.id !== undefined && !hint.moved;
}

/** Not one node's: predefined, on every node by request, or of a driver that spans nodes. */
export function isSpread({ name, on }: ClusterObject<NodeNetwork>): boolean {
  const [first] = on.values();
  return builtInNetworkId(name) !== undefined || (first !== undefined && (isPerNode(first) || spansNodes(first)));
}

/** Its node is lost and its containers have left it: it is made where they go. */
export function isNowhere({ on }: ClusterObject<NodeNetwork>): boolean {
  return on.size === 1 && on.has(LIMBO);
}

/** Of a driver that makes one network of several nodes. */
export function spansNodes({ scope }: Pick<NodeNetwork, "scope">): boolean {
  return scope === "global" || scope === "swarm";
}

/** What a node's engine calls the network that a client means; what the node does not have as it was written. */
export function engineNetworkRef(cluster: Cluster, node: ClusterNode, ref: string): string {
  for (const { on } of candidates(cluster, NETWORKS, ref)) {
    const network = on.get(node.id);
    if (network) return network.key === network.engineKey && network.key.startsWith(ref) ? ref : network.name;
  }
  return ref;
}

interface Identified {
  readonly id: string;
  readonly name: string;
  readonly scope: string;
  readonly hint: ObjectHint | undefined;
}

function keyOf(cluster: Cluster, node: ClusterNode, { id, name, scope, hint }: Identified): string {
  const own = builtInNetworkId(name) ?? hint?.id ?? (scope === "" ? cluster.networks.heldKey(name) : undefined);
  if (own !== undefined) return own;
  return !spansNodes({ scope }) && (cluster.options.mintIds || isCloned(cluster, node, id))
    ? mintedNetworkId(node, id)
    : id;
}

/** Cloned machines have the same IDs for networks of their own. */
function isCloned(cluster: Cluster, node: ClusterNode, id: string): boolean {
  if (cluster.networks.get(node.id, id)?.key === id) return false;
  for (const [nodeId, { scope }] of cluster.networks.byKey(id)?.on ?? []) {
    if (nodeId !== node.id && scope === "local" && cluster.nodes.get(nodeId)?.reachable) return true;
  }
  return false;
}
