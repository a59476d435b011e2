/** Networks: listed over all nodes, made on one (or by request on all), changed where they are. */
import { inspectNetwork, joinNetwork, removeNetwork } from "../../cluster/networks/change.ts";
import { createNetwork } from "../../cluster/networks/create.ts";
import { listNetworks } from "../../cluster/networks/list.ts";
import { queryOf } from "../forward.ts";
import { type Answer, sendEmpty, sendJson } from "../listener/answer.ts";
import { readJsonBody } from "../listener/request.ts";
import type { Context, Route } from "../route.ts";

async function list({ cluster, request }: Context, answer: Answer): Promise<void> {
  sendJson(answer, 200, await listNetworks(cluster, request.query.get("filters")));
}

async function create({ audit, cluster, request }: Context, answer: Answer): Promise<void> {
  const made = await createNetwork(cluster, await readJsonBody(request, cluster.clock), request.version);
  audit.made(made);
  sendJson(answer, 201, made.text);
}

async function inspect({ cluster, request, params }: Context, answer: Answer): Promise<void> {
  sendJson(answer, 200, await inspectNetwork(cluster, params.name ?? "", queryOf(request), request.version));
}

async function remove({ cluster, request, params }: Context, answer: Answer): Promise<void> {
  await removeNetwork(cluster, params.name ?? "", request.version);
  sendEmpty(answer, 204);
}

const join =
  (action: "connect" | "disconnect"): Route["handle"] =>
  async ({ cluster, request, params }, answer) => {
    const text = await readJsonBody(request, cluster.clock);
    await joinNetwork(cluster, params.name ?? "", action, text, request.version);
    sendEmpty(answer, 200);
  };

export const NETWORK_ROUTES: readonly Route[] = [
  {
    method: "GET",
    path: "/networks",
    how: "cached",
    note: "One row a network, in the order of names: `bridge`, `host` and `none` once; `node/name` where several nodes have the name; filter `node` as well; a label `shoal.NODE` names the node.",
    handle: list,
  },
  {
    method: "POST",
    path: "/networks/create",
    how: "scheduled",
    note: "On one node, or with the label `shoal.network=per-node` one on each; `node/name` chooses the node. A name is one network's in the cluster. A node out of address pools is passed over.",
    mutates: { action: "network.create" },
    handle: create,
  },
  {
    method: "POST",
    path: "/networks/{name}/connect",
    how: "proxied",
    note: "409 when network and container are on two nodes; a foreign network is protected.",
    mutates: { action: "network.connect" },
    handle: join("connect"),
  },
  {
    method: "POST",
    path: "/networks/{name}/disconnect",
    how: "proxied",
    note: "A foreign network is protected.",
    mutates: { action: "network.disconnect" },
    handle: join("disconnect"),
  },
  {
    method: "GET",
    path: "/networks/{name}",
    how: "proxied",
    note: "`Containers` of all nodes that have it; with `Node` where only one has.",
    handle: inspect,
  },
  {
    method: "DELETE",
    path: "/networks/{name}",
    how: "fanned out",
    note: "503 while a node that has it does not answer; a foreign network is protected.",
    mutates: { action: "network.remove" },
    handle: remove,
  },
];
