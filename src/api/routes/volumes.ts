/** Volumes: listed over all nodes, made on one, read and changed where they are. */
import { inspectVolume, removeVolume, updateVolume } from "../../cluster/volumes/change.ts";
import { createVolume } from "../../cluster/volumes/create.ts";
import { listVolumes } from "../../cluster/volumes/list.ts";
import { queryOf } from "../forward.ts";
import { type Answer, sendEmpty, sendJson } from "../listener/answer.ts";
import { readJsonBody } from "../listener/request.ts";
import type { Context, Route } from "../route.ts";
import { flag } from "./containers.ts";

async function list({ cluster, request }: Context, answer: Answer): Promise<void> {
  sendJson(answer, 200, await listVolumes(cluster, request.query.get("filters")));
}

async function create({ audit, cluster, request }: Context, answer: Answer): Promise<void> {
  const made = await createVolume(cluster, await readJsonBody(request, cluster.clock), request.version);
  audit.made(made);
  sendJson(answer, 201, made.text);
}

async function inspect({ cluster, request, params }: Context, answer: Answer): Promise<void> {
  sendJson(answer, 200, await inspectVolume(cluster, params.name ?? "", request.version));
}

async function update({ cluster, request, params }: Context, answer: Answer): Promise<void> {
  const text = await readJsonBody(request, cluster.clock);
  await updateVolume(cluster, params.name ?? "", queryOf(request), text, request.version);
  sendEmpty(answer, 200);
}

async function remove({ cluster, request, params }: Context, answer: Answer): Promise<void> {
  await removeVolume(cluster, params.name ?? "", flag(request, "force"), request.version);
  sendEmpty(answer, 204);
}

export const VOLUME_ROUTES: readonly Route[] = [
  {
    method: "GET",
    path: "/volumes",
    how: "cached",
    note: "In the order of names; `node/name` where several nodes have the name; filter `node` as well; a label `shoal.NODE` names the node.",
    handle: list,
  },
  {
    method: "POST",
    path: "/volumes/create",
    how: "scheduled",
    note: "On one node; `node/name` chooses it. A name that a node has already is answered as it is there; 409 when several have it.",
    mutates: { action: "volume.create" },
    handle: create,
  },
  {
    method: "GET",
    path: "/volumes/{name}",
    how: "proxied",
    note: "With `Node`; 409 when several nodes have the name.",
    handle: inspect,
  },
  {
    method: "PUT",
    path: "/volumes/{name}",
    how: "proxied",
    note: "Volumes of swarm mode only: an engine says so.",
    mutates: { action: "volume.update", options: ["version"] },
    handle: update,
  },
  {
    method: "DELETE",
    path: "/volumes/{name}",
    how: "proxied",
    note: "409 when several nodes have the name, except caches, which all go; a foreign volume is protected.",
    mutates: { action: "volume.remove", options: ["force"] },
    handle: remove,
  },
];
