/**
 * A container leaves a node that is to be emptied: when another node has room for it, it is stopped and pending until
 * that one has made its next copy. The copy that it leaves is kept aside. What may not leave is said, with the reason.
 */
import { CREATE_MS } from "../../kit/limits.ts";
import type { Cluster } from "../cluster.ts";
import { decide, placeContext } from "../create.ts";
import type { ClusterNode } from "../node.ts";
import type { ContainerRecord } from "../record.ts";
import { ran } from "./may-leave.ts";
import { orderOf } from "./move-on.ts";
import { release } from "./pending.ts";
import { unitsOn, whyUnitStays } from "./units.ts";

/** Rejects with why it stays where it is. */
export async function leaveNode(cluster: Cluster, record: ContainerRecord): Promise<void> {
  const { node, engineId } = record;
  const order = await orderOf(cluster, record);
  const { refusal } = decide(cluster, order, placeContext(cluster, new Map([[node.id, "it is being drained"]])));
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
  for (const unit of unitsOn(cluster, node)) {
    const kept = whyUnitStays(unit);
    for (const record of unit.containers.filter(ran)) {
      left.push({ name: record.name, why: kept ?? cluster.rescheduler.reasonOf(record) ?? "it is about to leave" });
    }
  }
  return left.sort((a, b) => (a.name < b.name ? -1 : 1));
}
