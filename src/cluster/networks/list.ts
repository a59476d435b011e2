/** `GET /networks` over the cluster: one row a network, filtered as dockerd filters. */
import { DockerError } from "../../docker/errors.ts";
import { type Filters, parseFilters } from "../../docker/filters.ts";
import { type Edit, splice } from "../../docker/json-text.ts";
import { ENGINE_CALL_MS } from "../../kit/limits.ts";
import type { Cluster } from "../cluster.ts";
import { shownObjectName } from "../find-object.ts";
import { NODE_LABEL } from "../hint.ts";
import type { ClusterNode } from "../node.ts";
import type { ClusterObject } from "../object-index.ts";
import { isSpread, NETWORKS, type NodeNetwork, toldRow } from "./network.ts";
import { builtInNetworkId } from "./network-ids.ts";

const ACCEPTED = ["dangling", "driver", "id", "label", "name", "node", "scope", "type"] as const;

type Network = ClusterObject<NodeNetwork>;

/** Throws DockerError on bad filters. */
export async function listNetworks(cluster: Cluster, rawFilters: string | null): Promise<string> {
  const filters = parseFilters(rawFilters, ACCEPTED);
  for (const type of filters.get("type")) {
    if (type !== "builtin" && type !== "custom") throw new DockerError(500, `invalid filter: 'type'='${type}'`);
  }
  await cluster.refresher.settled();
  const used = filters.has("dangling") ? await usedNetworks(cluster) : undefined;
  const unused = filters.bool("dangling", false);
  const rows: { readonly name: string; readonly text: string }[] = [];
  for (const network of cluster.networks.all()) {
    const shown = shownObjectName(cluster, NETWORKS, network);
    // Predefined ones are never dangling.
    const inUse = used?.has(network.key) || builtInNetworkId(network.name) !== undefined;
    if ((used && inUse === unused) || !keeps(cluster, network, shown, filters)) continue;
    const text = render(cluster, network, shown);
    if (text !== undefined) rows.push({ name: shown, text });
  }
  rows.sort((a, b) => (a.name < b.name ? -1 : 1));
  return `[${rows.map(({ text }) => text).join(",")}]\n`;
}

function keeps(cluster: Cluster, { key, name, on }: Network, shown: string, filters: Filters): boolean {
  if (filters.isEmpty) return true;
  const [first] = on.values();
  if (!first) return false;
  const type = builtInNetworkId(name) === undefined ? "custom" : "builtin";
  const nodes = filters.get("node");
  return (
    filters.exactMatch("driver", first.driver) &&
    (filters.match("name", name) || filters.match("name", shown)) &&
    filters.match("id", key) &&
    filters.matchLabels(first.labels) &&
    filters.exactMatch("scope", first.scope) &&
    filters.exactMatch("type", type) &&
    (nodes.length === 0 || nodes.some((node) => on.has(cluster.nodeByName(node)?.id ?? node)))
  );
}

/** The row of the first node that has listed it, else what is known of one of ours; undefined for what an event told of. */
function render(cluster: Cluster, network: Network, shown: string): string | undefined {
  const [[nodeId, one] = []] = [...network.on].sort(([, a], [, b]) => Number(!a.text) - Number(!b.text));
  const text = one?.text ?? (one?.hint && JSON.stringify(toldRow(one)));
  if (one === undefined || text === undefined) return undefined;
  const edits: Edit[] = [];
  if (one.key !== one.engineKey) edits.push({ path: ["Id"], json: JSON.stringify(one.key) });
  if (shown !== one.name) edits.push({ path: ["Name"], json: JSON.stringify(shown) });
  const node = cluster.nodes.get(nodeId ?? "");
  if (node && !isSpread(network)) edits.push({ path: ["Labels", NODE_LABEL], json: JSON.stringify(node.name) });
  return splice(text, edits);
}

/** Keys of the networks that running containers are in; their engines say so. */
async function usedNetworks(cluster: Cluster): Promise<ReadonlySet<string>> {
  const used = new Set<string>();
  const filter = encodeURIComponent(JSON.stringify({ status: ["running", "paused", "restarting"] }));
  await Promise.all(
    cluster.reachable().map(async (node: ClusterNode) => {
      const rows = await node.engine.json<RunningRow[]>("GET", `/containers/json?filters=${filter}`, undefined, {
        deadlineMs: ENGINE_CALL_MS,
      });
      for (const { NetworkSettings } of rows) {
        for (const endpoint of Object.values(NetworkSettings?.Networks ?? {})) {
          const network = cluster.networks.get(node.id, endpoint?.NetworkID ?? "");
          if (network) used.add(network.key);
        }
      }
    }),
  );
  return used;
}

interface RunningRow {
  readonly NetworkSettings?: {
    readonly Networks?: Readonly<Record<string, { readonly NetworkID?: string } | null>> | null;
  } | null;
}
