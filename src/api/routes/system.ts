/** The endpoint as a whole: ping, version, info, events, login; and shoal's own views. */
import type { Cluster } from "../../cluster/cluster.ts";
import { diskUsage } from "../../cluster/disk-usage.ts";
import { groupsView } from "../../cluster/groups/view.ts";
import { conflictsView, imagesView } from "../../cluster/images-view.ts";
import { clusterInfo } from "../../cluster/info.ts";
import { anyNode } from "../../cluster/lookup.ts";
import { decisionView, nodesView } from "../../cluster/views.ts";
import { MIN_API_VERSION, serverVersion } from "../../docker/version.ts";
import { streamEvents } from "../events.ts";
import { forward } from "../forward.ts";
import { type Answer, sendJson } from "../listener/answer.ts";
import type { Context, Route } from "../route.ts";
import { flag } from "./containers.ts";

const PING_HEADERS = [
  "Builder-Version",
  "1",
  "Swarm",
  "inactive",
  "Cache-Control",
  "no-cache, no-store, must-revalidate",
  "Pragma",
  "no-cache",
];

async function ping({ request }: Context, answer: Answer): Promise<void> {
  const head = request.method === "HEAD";
  const headers = [...PING_HEADERS, "Content-Type", "text/plain; charset=utf-8", "Content-Length", head ? "0" : "2"];
  answer.start(200, headers).end(head ? "" : "OK");
}

async function version({ cluster, host }: Context, answer: Answer): Promise<void> {
  const { apiVersion } = host;
  const details = {
    ApiVersion: apiVersion,
    Arch: host.goArchitecture,
    BuildTime: "",
    Experimental: String(host.experimental),
    GitCommit: "",
    GoVersion: host.runtime,
    KernelVersion: host.kernel,
    MinAPIVersion: MIN_API_VERSION,
    Os: "linux",
  };
  sendJson(answer, 200, {
    Platform: { Name: "Shoal" },
    Components: [{ Name: "Shoal", Version: host.version, Details: details }, ...engineComponents(cluster)],
    Version: serverVersion(host.version),
    ApiVersion: apiVersion,
    MinAPIVersion: MIN_API_VERSION,
    GitCommit: "",
    GoVersion: host.runtime,
    Os: "linux",
    Arch: host.goArchitecture,
    KernelVersion: host.kernel,
    BuildTime: "",
  });
}

/** One entry for each engine version in the cluster. */
function engineComponents(cluster: Cluster): { Name: string; Version: string; Details: Record<string, string> }[] {
  const byVersion = new Map<string, Record<string, string>>();
  for (const { facts } of cluster.nodes.values()) {
    if (!facts) continue;
    byVersion.set(facts.serverVersion, {
      ApiVersion: facts.apiVersion,
      Arch: goArchitecture(facts.architecture),
      KernelVersion: facts.kernelVersion,
      MinAPIVersion: facts.minApiVersion,
      Os: facts.osType,
    });
  }
  return [...byVersion].sort().map(([Version, Details]) => ({ Name: "Engines", Version, Details }));
}

function goArchitecture(machine: string): string {
  return machine === "x86_64" ? "amd64" : machine === "aarch64" ? "arm64" : machine;
}

async function info({ cluster, host }: Context, answer: Answer): Promise<void> {
  await cluster.refresher.settled();
  sendJson(answer, 200, clusterInfo(cluster, host));
}

async function df({ cluster, request }: Context, answer: Answer): Promise<void> {
  sendJson(answer, 200, await diskUsage(cluster, request.query.getAll("type"), request.version));
}

async function auth(context: Context, answer: Answer): Promise<void> {
  await forward(context, answer, anyNode(context.cluster), "/auth");
}

async function nodes({ cluster, request }: Context, answer: Answer): Promise<void> {
  await cluster.refresher.settled();
  sendJson(answer, 200, await nodesView(cluster, flag(request, "usage")));
}

async function images({ cluster, request }: Context, answer: Answer): Promise<void> {
  await cluster.refresher.settled();
  sendJson(answer, 200, flag(request, "conflicts") ? conflictsView(cluster) : imagesView(cluster));
}

async function groups({ cluster }: Context, answer: Answer): Promise<void> {
  await cluster.refresher.settled();
  sendJson(answer, 200, groupsView(cluster));
}

async function decisions({ cluster, params }: Context, answer: Answer): Promise<void> {
  sendJson(answer, 200, decisionView(cluster, params.name ?? ""));
}

export const SYSTEM_ROUTES: readonly Route[] = [
  { method: "GET", path: "/_ping", how: "cached", handle: ping },
  { method: "HEAD", path: "/_ping", how: "cached", handle: ping },
  { method: "GET", path: "/version", how: "cached", handle: version },
  {
    method: "GET",
    path: "/info",
    how: "aggregated",
    note: "With classic Swarm's block of nodes; swarm mode is `inactive`.",
    handle: info,
  },
  {
    method: "GET",
    path: "/system/df",
    how: "aggregated",
    note: "The sum over all nodes: an image that is on three of them is counted three times.",
    handle: df,
  },
  {
    method: "GET",
    path: "/events",
    how: "aggregated",
    note: "Each event with its node's name, ID and address as attributes. What no engine can tell any more (it was killed, or has forgotten) is told by shoal, with the attribute `shoal.missed`. The past of a node that cannot be asked is told when it can be.",
    handle: streamEvents,
  },
  { method: "POST", path: "/auth", how: "proxied", mutates: false, note: "By any node that answers.", handle: auth },
  {
    method: "GET",
    path: "/shoal/nodes",
    how: "aggregated",
    note: "Shoal's own: what `shoal node ls` shows; `usage=1` measures for a second.",
    handle: nodes,
  },
  {
    method: "GET",
    path: "/shoal/images",
    how: "cached",
    note: "Shoal's own: what `shoal images` shows; `conflicts=1` for tags that nodes have different images under.",
    handle: images,
  },
  {
    method: "GET",
    path: "/shoal/groups",
    how: "cached",
    note: "Shoal's own: what `shoal groups` shows.",
    handle: groups,
  },
  {
    method: "GET",
    path: "/shoal/decisions/{name}",
    how: "cached",
    note: "Shoal's own: what `shoal why` shows.",
    handle: decisions,
  },
];
