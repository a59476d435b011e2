/** What an operator does with the cluster itself: nodes, lost and kept copies. Shoal's own routes, all below `/shoal`. */
import { type Availability, setAvailability } from "../../cluster/availability.ts";
import { newsOf } from "../../cluster/changes.ts";
import type { ClusterNode } from "../../cluster/node.ts";
import { remainingOn } from "../../cluster/reschedule/drain.ts";
import { keptView, removeKept, restoreKept } from "../../cluster/reschedule/kept.ts";
import { rebalanceView } from "../../cluster/reschedule/rebalance.ts";
import { waitingView } from "../../cluster/reschedule/waiting.ts";
import { badRequest, notFound } from "../../docker/errors.ts";
import { strategyByName } from "../../scheduler/strategies/index.ts";
import { type Answer, sendEmpty, sendJson } from "../listener/answer.ts";
import type { Context, Route } from "../route.ts";
import { flag } from "./containers.ts";

/** By name, ID or address. Throws 404. */
function nodeOf({ cluster, params }: Context): ClusterNode {
  const { name = "" } = params;
  for (const node of cluster.nodes.values()) {
    if (node.name === name || node.id === name || node.address === name) return node;
  }
  throw notFound(`No such node: ${name}`);
}

function makes(one: Availability): Route["handle"] {
  return async (context, answer) => {
    const { cluster, params, request } = context;
    const wanted = one === "draining" && flag(request, "force") ? "forced" : one;
    // One that was removed is in discovery's list alone.
    const listed = wanted === "active" ? cluster.roll.find(params.name ?? "") : undefined;
    await setAvailability(cluster, listed ?? nodeOf(context).id, wanted);
    sendEmpty(answer, 204);
  };
}

async function remaining(context: Context, answer: Answer): Promise<void> {
  const left = remainingOn(context.cluster, nodeOf(context));
  sendJson(
    answer,
    200,
    left.map(({ name, why, stopFirst }) => ({ Name: name, Why: why, StopFirst: stopFirst })),
  );
}

async function pending({ cluster }: Context, answer: Answer): Promise<void> {
  sendJson(answer, 200, waitingView(cluster));
}

async function rebalance({ cluster, request }: Context, answer: Answer): Promise<void> {
  const wanted = request.query.get("strategy") ?? "spread";
  if (wanted !== "spread" && wanted !== "binpack") throw badRequest("strategy: spread or binpack");
  sendJson(answer, 200, await rebalanceView(cluster, strategyByName(wanted)));
}

async function kept({ cluster }: Context, answer: Answer): Promise<void> {
  sendJson(answer, 200, keptView(cluster));
}

async function restore(context: Context, answer: Answer): Promise<void> {
  const { cluster, params, request } = context;
  const record = await restoreKept(cluster, params.id ?? "", request.query.get("name") ?? "");
  context.audit.concerns(record);
  sendJson(answer, 201, { Id: record.id, Name: record.name });
}

async function remove({ cluster, params }: Context, answer: Answer): Promise<void> {
  await removeKept(cluster, params.id ?? "");
  sendEmpty(answer, 204);
}

async function resume({ cluster }: Context, answer: Answer): Promise<void> {
  sendJson(answer, 200, { Nodes: cluster.rescheduler.resume() });
}

/** `since=<leadership>-<number>`, as an earlier answer gave its position. */
async function changes({ cluster, request }: Context, answer: Answer): Promise<void> {
  const [of = "", number = ""] = (request.query.get("since") ?? "").split("-");
  const since = of === "" ? undefined : { of, number: Number(number) };
  sendJson(answer, 200, newsOf(cluster, since));
}

export const OPERATION_ROUTES: readonly Route[] = [
  {
    method: "POST",
    path: "/shoal/nodes/{name}/cordon",
    how: "cached",
    note: "Shoal's own: `shoal node cordon`. It takes nothing new.",
    mutates: { action: "node.cordon" },
    handle: makes("cordoned"),
  },
  {
    method: "POST",
    path: "/shoal/nodes/{name}/drain",
    how: "cached",
    note: "Shoal's own: `shoal node drain`. What may leave it does, a few at a time; with `force` the rest is stopped there.",
    mutates: { action: "node.drain", options: ["force"] },
    handle: makes("draining"),
  },
  {
    method: "POST",
    path: "/shoal/nodes/{name}/activate",
    how: "cached",
    note: "Shoal's own: `shoal node activate`.",
    mutates: { action: "node.activate" },
    handle: makes("active"),
  },
  {
    method: "DELETE",
    path: "/shoal/nodes/{name}",
    how: "cached",
    note: "Shoal's own: `shoal node rm`. It is no part of the cluster any more, whatever discovery lists; all that runs there goes on.",
    mutates: { action: "node.remove" },
    handle: makes("removed"),
  },
  {
    method: "GET",
    path: "/shoal/nodes/{name}/remaining",
    how: "cached",
    note: "Shoal's own: what still runs on a node that is drained, and why; `StopFirst`: why what asks to be started elsewhere first is stopped first.",
    handle: remaining,
  },
  {
    method: "GET",
    path: "/shoal/pending",
    how: "cached",
    note: "Shoal's own: what waits for a node, the node that it left, and why it does not run yet (`shoal ps --pending`).",
    handle: pending,
  },
  {
    method: "GET",
    path: "/shoal/rebalance",
    how: "cached",
    note: "Shoal's own: what would be on another node if it were placed today, `strategy=spread` or `binpack` (`shoal rebalance --dry-run`). Nothing is moved.",
    handle: rebalance,
  },
  {
    method: "GET",
    path: "/shoal/changes",
    how: "cached",
    note: "Shoal's own: what a leading manager tells those that follow it.",
    handle: changes,
  },
  { method: "GET", path: "/shoal/kept", how: "cached", note: "Shoal's own: what `shoal kept ls` shows.", handle: kept },
  {
    method: "POST",
    path: "/shoal/kept/{id}/restore",
    how: "proxied",
    note: "Shoal's own: a kept copy is a container again, stopped, with a new ID.",
    mutates: { action: "kept.restore", options: ["name"] },
    handle: restore,
  },
  {
    method: "DELETE",
    path: "/shoal/kept/{id}",
    how: "proxied",
    note: "Shoal's own: `shoal kept rm`. Its volumes stay.",
    mutates: { action: "kept.remove" },
    handle: remove,
  },
  {
    method: "POST",
    path: "/shoal/reschedule/resume",
    how: "cached",
    note: "Shoal's own: nodes that vanished together are lost indeed, and what ran on them may run elsewhere.",
    mutates: { action: "reschedule.resume" },
    handle: resume,
  },
];
