/** Prunes of all kinds: what is ours and unused goes, on every node; what is foreign stays. */
import { pruneNetworks } from "../../cluster/networks/prune.ts";
import { pruneContainers } from "../../cluster/prune.ts";
import { pruneBuilds, pruneImages, pruneVolumes } from "../../cluster/prune-own.ts";
import { API_VERSION } from "../../docker/version.ts";
import { queryOf } from "../forward.ts";
import { sendJson } from "../listener/answer.ts";
import type { Context, Route } from "../route.ts";

const prune =
  (work: (context: Context, filters: string | null) => Promise<unknown>): Route["handle"] =>
  async (context, answer) =>
    sendJson(answer, 200, await work(context, context.request.query.get("filters")));

export const PRUNE_ROUTES: readonly Route[] = [
  {
    method: "POST",
    path: "/containers/prune",
    how: "fanned out",
    note: "Only what was created through shoal.",
    mutates: { action: "container.prune" },
    handle: prune(({ cluster }, filters) => pruneContainers(cluster, filters)),
  },
  {
    method: "POST",
    path: "/images/prune",
    how: "fanned out",
    note: "Only what was pulled, loaded, imported or committed through shoal.",
    mutates: { action: "image.prune" },
    handle: prune(({ cluster }, filters) => pruneImages(cluster, filters)),
  },
  {
    method: "POST",
    path: "/volumes/prune",
    how: "fanned out",
    note: "Only what was created through shoal, by itself or on a container's way.",
    mutates: { action: "volume.prune" },
    handle: prune(({ cluster, request }, filters) => pruneVolumes(cluster, filters, request.version ?? API_VERSION)),
  },
  {
    method: "POST",
    path: "/networks/prune",
    how: "fanned out",
    note: "Only what was created through shoal.",
    mutates: { action: "network.prune" },
    handle: prune(({ cluster }, filters) => pruneNetworks(cluster, filters)),
  },
  {
    method: "POST",
    path: "/build/prune",
    how: "fanned out",
    note: "Nothing is built through shoal yet: only under `--foreign manage` does any cache go.",
    mutates: { action: "build.prune" },
    handle: prune(({ cluster, request }) => pruneBuilds(cluster, queryOf(request))),
  },
];
