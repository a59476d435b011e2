/**
 * What leaves a node that is to be emptied, as a whole: when another node has room for all of it, the room is held there,
 * its containers are stopped and pending, and its networks with them, until that node has made their next copies. The
 * copies that they leave are kept aside. What may not leave is said, with the reason; by force it is stopped there.
 */
import { CREATE_MS } from "../../kit/limits.ts";
import { PathSearch } from "../bind-paths.ts";
import { changed } from "../changed.ts";
import type { Cluster } from "../cluster.ts";
import { decide, placeContext } from "../create.ts";
import { isForeign } from "../foreign.ts";
import type { ClusterNode } from "../node.ts";
import type { ContainerRecord } from "../record.ts";
import { HeldRoom } from "./held-room.ts";
import { asksStartFirst, whyStopFirst } from "./leaving-order.ts";
import { ran, runs } from "./may-leave.ts";
import { haveImage } from "./move-on.ts";
import { releaseNetwork } from "./networks.ts";
import { release } from "./pending.ts";
import { type Unit, unitsOn, whyUnitStays } from "./units.ts";
import { type Whole, wholeOf } from "./whole.ts";

/** No other node would take it now. */
export class NoRoom extends Error {}

/**
 * @returns where room is held for them; undefined when no node has any, and they are pending all the same (`forced`).
 *   Rejects with why they stay where they are: those that were stopped are started again.
 */
export async function leaveNode(
  cluster: Cluster,
  node: ClusterNode,
  unit: Unit,
  going: readonly ContainerRecord[],
): Promise<HeldRoom | undefined> {
  const whole = await wholeOf(cluster, node, unit, going);
  const { members } = whole;
  const room = await roomFor(cluster, whole);
  try {
    // Whatever may take long is done while they run.
    if (room) for (const { image } of members) await haveImage(cluster, room.to, image);
    await stopAll(cluster, node, members);
    for (const network of unit.networks) await releaseNetwork(cluster, node, network);
    for (const record of members) await release(cluster, record, "drained");
    return room;
  } catch (error) {
    room?.end();
    throw error;
  } finally {
    for (const record of members) if (!record.removed) cluster.rescheduler.restored(record);
    cluster.refresher.markAll(node);
  }
}

/** Held on the node that would take all of it; undefined when none would, and it leaves by force. Rejects with NoRoom. */
export async function roomFor(cluster: Cluster, { from, members, order }: Whole): Promise<HeldRoom | undefined> {
  const excluded = new Map([[from.id, "it is being drained"]]);
  const paths = new PathSearch(cluster, order.request.binds);
  for (;;) {
    const decision = decide(cluster, order, placeContext(cluster, excluded));
    const to = cluster.nodes.get(decision.ranked[0]?.id ?? "");
    if (!to && from.forced) return undefined;
    if (!to || paths.exhausted) throw new NoRoom(paths.refusal(decision)?.message ?? decision.refusal);
    // From the decision to the held room nothing waits.
    const room = new HeldRoom(cluster, to, decision, members);
    const whyNot = await paths.whyNot(to);
    if (whyNot === undefined) return room;
    room.end();
    excluded.set(to.id, whyNot);
  }
}

/** Whatever comes between: that they ran is durable before any is stopped. Youngest first: nobody misses what is gone. */
async function stopAll(cluster: Cluster, node: ClusterNode, members: readonly ContainerRecord[]): Promise<void> {
  for (const record of members) record.startsAgain = true;
  await Promise.all(members.map((record) => cluster.registry.own(record)));
  for (const record of [...members].reverse()) {
    if (!node.draining) throw new Error("its node is not drained any more");
    const askedAt = cluster.clock.monotonic();
    await node.engine.text("POST", `/containers/${record.engineId}/stop`, undefined, { deadlineMs: CREATE_MS });
    changed(cluster, record, "stop", askedAt);
  }
}

/** What may not leave is stopped where it is; it is started again when its node is active. Rejects when it is not stopped. */
export async function stopThere(cluster: Cluster, record: ContainerRecord): Promise<void> {
  try {
    await stopAll(cluster, record.node, [record]);
  } finally {
    cluster.rescheduler.restored(record);
  }
}

/** What is still on a node that is to be emptied. */
export interface Remaining {
  readonly name: string;
  readonly why: string;
  /** It asks to be started elsewhere first, and will be stopped first all the same: why. */
  readonly stopFirst: string | undefined;
}

/** Containers that run there, by name. */
export function remainingOn(cluster: Cluster, node: ClusterNode): readonly Remaining[] {
  const left: Remaining[] = [];
  for (const unit of unitsOn(cluster, node)) {
    const kept = whyUnitStays(unit);
    for (const record of unit.containers.filter(ran)) {
      const why = kept === undefined ? cluster.rescheduler.reasonOf(record) : whyItStaysThere(node, record, kept);
      const asks = kept === undefined && asksStartFirst(record);
      const stopFirst = asks ? whyStopFirst(cluster, unit, record) : undefined;
      left.push({ name: record.name, why: why ?? "it is about to leave", stopFirst });
    }
  }
  return left.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function whyItStaysThere(node: ClusterNode, record: ContainerRecord, kept: string): string {
  if (!node.forced || isForeign(record)) return kept;
  return runs(record) ? "it is about to be stopped" : `it is stopped until ${node.name} is active again: ${kept}`;
}
