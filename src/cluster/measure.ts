/**
 * Background inspects: what a container reserves that no create of ours told, or may have changed since. Bounded over the
 * whole cluster; a node takes nothing new until its strangers are measured.
 */
import { DockerError } from "../docker/errors.ts";
import { goGet } from "../docker/json-text.ts";
import { Limit, QueueFull } from "../kit/limit.ts";
import { ENGINE_CALL_MS, INSPECTS_AT_ONCE, INSPECTS_WAITING } from "../kit/limits.ts";
import type { Cluster } from "./cluster.ts";
import { measured } from "./forget.ts";
import { settle } from "./holdings.ts";
import { dependenciesOfInspect, needsOfInspect, wholeCpusOf } from "./needs.ts";
import type { ClusterNode } from "./node.ts";
import type { ContainerRecord } from "./record.ts";
import { rememberRow } from "./remembered.ts";
import { tiesTo } from "./ties.ts";

const limits = new WeakMap<Cluster, Limit>();

/** Inspects under way; `again` when the container was changed since one was asked for. */
const measuring = new WeakMap<ContainerRecord, { again: boolean }>();

/** A container's updates: those under way, and how many have ended. What was inspected meanwhile may be old, or not true yet. */
const updates = new WeakMap<ContainerRecord, { underWay: number; ended: number }>();

export async function whileUpdating<T>(record: ContainerRecord, work: () => Promise<T>): Promise<T> {
  const count = updates.get(record) ?? { underWay: 0, ended: 0 };
  updates.set(record, count);
  count.underWay++;
  try {
    return await work();
  } finally {
    count.underWay--;
    count.ended++;
  }
}

export function isUpdating(record: ContainerRecord): boolean {
  return (updates.get(record)?.underWay ?? 0) > 0;
}

/** Starts inspecting what is unknown on a node, then what only hints told; returns at once. */
export function measure(cluster: Cluster, node: ClusterNode): void {
  if (!node.reachable) return;
  if (node.unmeasured > 0) {
    for (const record of node.containers.values()) {
      if (!record.needsKnown && !measuring.has(record)) begin(cluster, record);
    }
  }
  for (const record of node.unconfirmed) remeasure(cluster, record);
  node.unconfirmed.clear();
}

/** Its limits may be others than we know: somebody updated it. Returns at once. */
export function remeasure(cluster: Cluster, record: ContainerRecord): void {
  const underWay = measuring.get(record);
  if (underWay) underWay.again = true;
  else begin(cluster, record);
}

function begin(cluster: Cluster, record: ContainerRecord): void {
  let limit = limits.get(cluster);
  if (!limit) {
    limit = new Limit(INSPECTS_AT_ONCE, INSPECTS_WAITING);
    limits.set(cluster, limit);
  }
  const state = { again: false };
  measuring.set(record, state);
  const work = async (): Promise<void> => {
    do {
      state.again = false;
      await inspect(cluster, record);
    } while (state.again);
  };
  const postpone = (error: unknown): void => {
    if (!(error instanceof QueueFull)) throw error;
    record.node.unconfirmed.add(record);
  };
  void limit
    .run(work)
    .catch(postpone)
    .finally(() => measuring.delete(record));
}

async function inspect(cluster: Cluster, record: ContainerRecord): Promise<void> {
  const { node } = record;
  if (record.removed || record.engineId === "") return;
  if (!node.reachable) {
    node.unconfirmed.add(record);
    return;
  }
  const ended = updates.get(record)?.ended ?? 0;
  try {
    const text = await node.engine.text("GET", `/containers/${record.engineId}/json`, undefined, {
      deadlineMs: ENGINE_CALL_MS,
    });
    if (record.removed) return;
    if (isUpdating(record) || (updates.get(record)?.ended ?? 0) !== ended) {
      // An update that is under way asks again itself if it has to.
      if (!isUpdating(record)) remeasure(cluster, record);
      return;
    }
    const known = (): string => JSON.stringify([record.needs, record.cpuShares, record.ties]);
    const before = known();
    learn(cluster, record, JSON.parse(text));
    if (known() !== before) cluster.registry.remember(record);
  } catch (error) {
    cluster.log.debug("a container could not be inspected", {
      node: node.name,
      container: record.name,
      error: String(error),
    });
    if (record.removed) return;
    // Trouble with the engine: its next lists try again. What the engine itself cannot tell must not close the node.
    if (!(error instanceof DockerError)) {
      node.unconfirmed.add(record);
      return;
    }
  }
  const told = !record.needsKnown;
  measured(record);
  if (told) rememberRow(cluster, record);
  settle(cluster, record);
}

/** @param inspect the engine's parsed answer */
function learn(cluster: Cluster, record: ContainerRecord, inspect: unknown): void {
  const told = needsOfInspect(inspect);
  const { replaces } = record.needs;
  record.tty = goGet(inspect, "Config", "Tty") === true;
  // They never change, and what its create told is known better than what a node that is being read can tell.
  if (record.ties.length === 0) record.ties = tiesTo(cluster, record.node, dependenciesOfInspect(inspect));
  if (record.cpuShares !== undefined) {
    record.cpuShares = wholeCpusOf(record.node, Number(goGet(inspect, "HostConfig", "CpuShares")));
  }
  record.needs = {
    ...told,
    nanoCpus: told.nanoCpus || (record.cpuShares ?? 0) * 1e9,
    ...(replaces !== undefined && { replaces }),
  };
}
