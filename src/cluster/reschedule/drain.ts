/**
 * A container leaves a node that is to be emptied: when another node has room for it, it is stopped and pending until
 * that one has made its next copy. The copy that it leaves is kept aside. What may not leave is said, with the reason.
 */
import { CREATE_MS } from "../../kit/limits.ts";
import type { Cluster } from "../cluster.ts";
import { refusalOf } from "../create.ts";
import { isForeign } from "../foreign.ts";
import type { ClusterNode } from "../node.ts";
import type { ContainerRecord } from "../record.ts";
import { whyItStays } from "./may-leave.ts";
import { orderOf } from "./move-on.ts";
import { release } from "./pending.ts";

/** Rejects with why it stays where it is. */
export async function leaveNode(cluster: Cluster, record: ContainerRecord): Promise<void> {
  const { node, engineId } = record;
  const order = await orderOf(cluster, record);
  const refusal = refusalOf(cluster, order, new Map([[node.id, "it is being drained"]]));
  if (refusal !== undefined) throw new Error(refusal);
  if (record.removed || record.node !== node || !node.draining) return;
  await node.engine.text("POST", `/containers/${engineId}/stop`, undefined, { deadlineMs: CREATE_MS });
  await release(cluster, record, "drained");
  cluster.refresher.markAll(node);
}

/** What is still on a node that is to be emptied. */
export interface Remaining {
  readonly name: string;
  readonly why: string;
}

/** Containers of ours that run there, by name. */
export function remainingOn(cluster: Cluster, node: ClusterNode): readonly Remaining[] {
  const left: Remaining[] = [];
  for (const record of node.containers.values()) {
    if (record.state !== "running" && record.state !== "paused" && record.state !== "restarting") continue;
    const why = isForeign(record) ? "it was not made through shoal" : whyItStays(record);
    left.push({ name: record.name, why: why ?? cluster.rescheduler.reasonOf(record) ?? "it is about to leave" });
  }
  return left.sort((a, b) => (a.name < b.name ? -1 : 1));
}
