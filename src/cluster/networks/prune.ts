/** `POST /networks/prune` over the cluster: what is ours and unused goes; which is unused its engine says. */
import { DockerError } from "../../docker/errors.ts";
import { rawAt } from "../../docker/json-text.ts";
import { mapAtMost } from "../../kit/limit.ts";
import { PRUNED_AT_ONCE } from "../../kit/limits.ts";
import type { Cluster } from "../cluster.ts";
import { managesForeign } from "../foreign.ts";
import type { ClusterObject } from "../object-index.ts";
import { PruneFilters } from "../prune-filters.ts";
import { removeNetwork } from "./change.ts";
import type { NodeNetwork } from "./network.ts";
import { builtInNetworkId } from "./network-ids.ts";

/** Throws DockerError. */
export async function pruneNetworks(
  cluster: Cluster,
  rawFilters: string | null,
): Promise<{ NetworksDeleted: readonly string[] | null }> {
  const filters = new PruneFilters(rawFilters, ["label", "label!", "until"], cluster.clock.now());
  await cluster.refresher.settled();
  const foreignToo = managesForeign(cluster);
  const wanted = [...cluster.networks.all()].filter(
    (network) =>
      builtInNetworkId(network.name) === undefined &&
      (foreignToo || [...network.on.values()].some(({ hint }) => hint !== undefined)) &&
      isAnswered(cluster, network) &&
      filters.accepts(prunable(network)),
  );
  const gone = await mapAtMost(PRUNED_AT_ONCE, wanted, (network) => removeUnused(cluster, network));
  const names = wanted.filter((_, i) => gone[i]).map(({ name }) => name);
  return { NetworksDeleted: names.length > 0 ? names : null };
}

function isAnswered(cluster: Cluster, { on }: ClusterObject<NodeNetwork>): boolean {
  return [...on.keys()].every((id) => cluster.nodes.get(id)?.reachable);
}

function prunable({ on }: ClusterObject<NodeNetwork>): { created: number; labels: Readonly<Record<string, string>> } {
  const [first] = on.values();
  const raw = first?.text === undefined ? undefined : rawAt(first.text, ["Created"]);
  const created = raw === undefined ? 0 : Date.parse(JSON.parse(raw) as string) / 1000;
  return { created, labels: first?.labels ?? {} };
}

/** False for one that is in use, or that somebody else removes: a prune passes it over. */
async function removeUnused(cluster: Cluster, { key }: ClusterObject<NodeNetwork>): Promise<boolean> {
  try {
    await removeNetwork(cluster, key, undefined);
    return true;
  } catch (error) {
    if (error instanceof DockerError && error.status < 500) return false;
    throw error;
  }
}
