/**
 * Plugins are each node's own: `node/name` says which one is meant, and the list shows them so. Owns these names; must not
 * know what is done with a plugin.
 */
import { badRequest } from "../docker/errors.ts";
import { elements, splice } from "../docker/json-text.ts";
import { splitNodePrefix } from "../docker/references.ts";
import { ENGINE_CALL_MS } from "../kit/limits.ts";
import type { Cluster } from "./cluster.ts";
import { answersOf } from "./fan-out.ts";
import { requireReachable } from "./lookup.ts";
import type { ClusterNode } from "./node.ts";

export interface PluginPlace {
  readonly node: ClusterNode;
  /** As the node's engine knows it. */
  readonly name: string;
}

/**
 * Where a plugin is, or is to be. While there is one node, its name may be left out.
 *
 * @throws DockerError 400 that names the remedy where it was left out, 503 when the node does not answer
 */
export function pluginPlace(cluster: Cluster, typed: string): PluginPlace {
  const place = named(cluster, typed) ?? onlyNode(cluster, typed);
  if (!place) {
    const nodes = [...cluster.nodes.values()].map(({ name }) => name).join(", ");
    throw badRequest(
      `plugin ${typed}: every node has plugins of its own: name the node as in NODE/${typed} (${nodes})`,
    );
  }
  requireReachable(place.node);
  return place;
}

/** The name says which node, or there is but one. */
export function isPlaced(cluster: Cluster, typed: string): boolean {
  return (named(cluster, typed) ?? onlyNode(cluster, typed)) !== undefined;
}

/** The same for two names of one plugin, such as its own and its repository's: either may name the node. */
export function pluginPlaces(
  cluster: Cluster,
  name: string,
  remote: string,
): PluginPlace & { readonly remote: string } {
  const elsewhere = named(cluster, remote);
  const given = named(cluster, name) ?? (elsewhere && { node: elsewhere.node, name });
  const place = given ?? pluginPlace(cluster, name === "" ? remote : name);
  requireReachable(place.node);
  return { node: place.node, name: name === "" ? "" : place.name, remote: elsewhere?.name ?? remote };
}

/** Clients put the registry in front of what they were given. */
function named(cluster: Cluster, typed: string): PluginPlace | undefined {
  const { node: prefix, rest } = splitNodePrefix(typed.replace(/^docker\.io\//, ""));
  const node = prefix === undefined ? undefined : cluster.nodeByName(prefix);
  return node && { node, name: rest };
}

function onlyNode(cluster: Cluster, typed: string): PluginPlace | undefined {
  const [node, ...others] = cluster.nodes.values();
  return node && others.length === 0 ? { node, name: typed } : undefined;
}

/** The list of all nodes' plugins as JSON text. @param query as sent. Throws DockerError when a node fails. */
export async function listPlugins(cluster: Cluster, query: string, version: string | undefined): Promise<string> {
  const nodes = cluster.reachable();
  const ask = async (node: ClusterNode): Promise<string[]> => {
    const options = { deadlineMs: ENGINE_CALL_MS, version };
    const text = await node.engine.text("GET", `/plugins${query}`, undefined, options);
    return elements(text).map((row) => shownPlugin(cluster, node, row));
  };
  return `[${answersOf(nodes, await Promise.allSettled(nodes.map(ask)))
    .flat()
    .join(",")}]\n`;
}

/** An engine's description of a plugin, its name with the node's where there are several. */
export function shownPlugin(cluster: Cluster, node: ClusterNode, text: string): string {
  if (cluster.nodes.size === 1) return text;
  const { Name = "" } = JSON.parse(text) as { Name?: string };
  return splice(text, [{ path: ["Name"], json: JSON.stringify(`${node.name}/${Name}`) }]);
}
