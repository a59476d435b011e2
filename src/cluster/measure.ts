/**
 * Background inspects: what a container reserves that neither a create of ours nor a hint told. Bounded over the whole
 * cluster; a node takes nothing new until its own are measured.
 */

import { Limit } from "../kit/limit.ts";
import { ENGINE_CALL_MS, INSPECTS_AT_ONCE } from "../kit/limits.ts";
import { measured } from "./absorb.ts";
import type { Cluster } from "./cluster.ts";
import { settle } from "./holdings.ts";
import { needsOfInspect } from "./needs.ts";
import type { ClusterNode } from "./node.ts";
import type { ContainerRecord } from "./record.ts";

const limits = new WeakMap<Cluster, Limit>();

/** Starts inspecting what is unknown on a node; returns at once. */
export function measure(cluster: Cluster, node: ClusterNode): void {
  let limit = limits.get(cluster);
  if (!limit) {
    limit = new Limit(INSPECTS_AT_ONCE);
    limits.set(cluster, limit);
  }
  for (const record of node.containers.values()) {
    if (record.needsKnown || measuring.has(record)) continue;
    measuring.add(record);
    void limit.run(() => inspect(cluster, record)).finally(() => measuring.delete(record));
  }
}

const measuring = new WeakSet<ContainerRecord>();

async function inspect(cluster: Cluster, record: ContainerRecord): Promise<void> {
  if (record.removed || record.needsKnown || !record.node.reachable) return;
  try {
    const text = await record.node.engine.text("GET", `/containers/${record.engineId}/json`, undefined, {
      deadlineMs: ENGINE_CALL_MS,
    });
    if (record.removed) return;
    record.needs = needsOfInspect(JSON.parse(text));
    measured(record);
    settle(cluster, record);
  } catch (error) {
    // Gone meanwhile, or the engine is in trouble: its next lists try again.
    cluster.log.debug("a container could not be inspected", {
      node: record.node.name,
      container: record.name,
      error: String(error),
    });
  }
}
