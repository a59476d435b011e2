/** `GET /volumes` over the cluster: one row a volume, filtered as dockerd filters. */
import { type Filters, parseFilters } from "../../docker/filters.ts";
import { type Edit, splice } from "../../docker/json-text.ts";
import { ENGINE_CALL_MS } from "../../kit/limits.ts";
import type { Cluster } from "../cluster.ts";
import { shownObjectName } from "../find-object.ts";
import { NODE_LABEL } from "../hint.ts";
import type { ClusterObject } from "../object-index.ts";
import { type NodeVolume, VOLUMES } from "./volume.ts";

const ACCEPTED = ["dangling", "driver", "label", "name", "node"] as const;

type Volume = ClusterObject<NodeVolume>;

/** Throws DockerError on bad filters. */
export async function listVolumes(cluster: Cluster, rawFilters: string | null): Promise<string> {
  const filters = parseFilters(rawFilters, ACCEPTED);
  const unused = filters.has("dangling") ? filters.bool("dangling", false) : undefined;
  await cluster.refresher.settled();
  const dangling = unused === undefined ? undefined : await danglingVolumes(cluster);
  const rows: { readonly name: string; readonly text: string }[] = [];
  for (const volume of cluster.volumes.all()) {
    const shown = shownObjectName(cluster, VOLUMES, volume);
    if (dangling && dangling.has(volume.key) !== unused) continue;
    if (keeps(cluster, volume, shown, filters)) rows.push({ name: shown, text: render(cluster, volume, shown) });
  }
  rows.sort((a, b) => (a.name < b.name ? -1 : 1));
  return `{"Volumes":[${rows.map(({ text }) => text).join(",")}],"Warnings":null}\n`;
}

function keeps(cluster: Cluster, { name, on }: Volume, shown: string, filters: Filters): boolean {
  if (filters.isEmpty) return true;
  const [first] = on.values();
  if (!first) return false;
  const nodes = filters.get("node");
  return (
    filters.exactMatch("driver", first.driver) &&
    (filters.match("name", name) || filters.match("name", shown)) &&
    filters.matchLabels(first.labels) &&
    (nodes.length === 0 || nodes.some((node) => on.has(cluster.nodeByName(node)?.id ?? node)))
  );
}

/** The row of the first node that has listed it, else what is known of it. */
function render(cluster: Cluster, { name, on }: Volume, shown: string): string {
  const [[nodeId, volume] = []] = on;
  const edits: Edit[] = shown === name ? [] : [{ path: ["Name"], json: JSON.stringify(shown) }];
  const node = cluster.nodes.get(nodeId ?? "");
  if (node && !volume?.isGlobal) edits.push({ path: ["Labels", NODE_LABEL], json: JSON.stringify(node.name) });
  const told = { Driver: volume?.driver, Labels: null, Mountpoint: "", Name: name, Options: null, Scope: "local" };
  return splice(volume?.text ?? JSON.stringify(told), edits);
}

/** Keys of the volumes that no container of their nodes mounts; their engines say so. */
async function danglingVolumes(cluster: Cluster): Promise<ReadonlySet<string>> {
  const path = `/volumes?filters=${encodeURIComponent(JSON.stringify({ dangling: ["true"] }))}`;
  const dangling = new Set<string>();
  await Promise.all(
    cluster.reachable().map(async (node) => {
      const answer = await node.engine.json<{ Volumes?: { Name: string }[] | null }>("GET", path, undefined, {
        deadlineMs: ENGINE_CALL_MS,
      });
      for (const { Name } of answer.Volumes ?? []) {
        const volume = cluster.volumes.get(node.id, Name);
        if (volume) dangling.add(volume.key);
      }
    }),
  );
  return dangling;
}
