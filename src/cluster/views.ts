/** What shoal's own commands show: nodes with reserved, total and used resources, and kept decisions. */
import { notFound } from "../docker/errors.ts";
import type { Cluster } from "./cluster.ts";
import { containerCounts, stateWord } from "./info.ts";
import { usageOf } from "./usage.ts";

const AVAILABILITY = {
  active: "Healthy",
  cordoned: "Cordoned",
  draining: "Draining",
  forced: "Draining",
  removed: "Removed",
} as const;

/** One object a node, in the order of their names. CPUs × 10⁹ and bytes; used is null where nobody can tell. */
export async function nodesView(cluster: Cluster, withUsage: boolean): Promise<Record<string, unknown>[]> {
  const nodes = [...cluster.nodes.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  return Promise.all(
    nodes.map(async (node) => {
      const sums = cluster.ledger.sums(node.id);
      const counts = containerCounts(node);
      const usage = withUsage ? await usageOf(cluster, node) : undefined;
      return {
        ID: node.id,
        Name: node.name,
        Address: node.address,
        State: node.reachable && node.cordoned ? AVAILABILITY[node.availability] : stateWord(node),
        Availability: node.availability,
        Fence: cluster.fences.stateOf(node),
        Error: node.reachable ? (node.distress ?? null) : node.whyUnreachable,
        EngineID: node.facts?.engineId ?? "",
        EngineVersion: node.facts?.serverVersion ?? "",
        APIVersion: node.facts?.apiVersion ?? "",
        Containers: counts.all,
        Running: counts.running,
        ReservedCPUs: sums.nanoCpus,
        TotalCPUs: (node.facts?.cpus ?? 0) * 1e9,
        UsedCPUs: usage?.nanoCpus ?? null,
        ReservedMemory: sums.memory,
        TotalMemory: node.facts?.memory ?? 0,
        UsedMemory: usage?.memory ?? null,
        Labels: Object.fromEntries(node.facts?.labels ?? []),
      };
    }),
  );
}

/** The kept decision of a container, by its name or any reference. Throws 404. */
export function decisionView(cluster: Cluster, ref: string): Record<string, unknown> {
  const kept = cluster.decisions.named(ref) ?? cluster.decisions.named(cluster.inventory.find(ref)?.name ?? "");
  if (!kept)
    throw notFound(
      `No placement decision is kept for ${ref}: it was not created through this manager, or too long ago`,
    );
  const { decision } = kept;
  return {
    Name: kept.name,
    ID: kept.id ?? null,
    Time: new Date(kept.time).toISOString(),
    Strategy: decision.strategy,
    Node: kept.node ?? null,
    Refusal: decision.refusal ?? null,
    Filters: decision.filters.map(({ filter, excluded }) => ({
      Filter: filter,
      Excluded: excluded.map(({ node, why }) => ({ Node: node, Why: why })),
    })),
    Scores: decision.scores.map(({ node, weight, softBroken }) => ({
      Node: node,
      Weight: weight,
      SoftBroken: softBroken,
    })),
  };
}
