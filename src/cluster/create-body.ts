/**
 * What shoal changes in a create request on its way to a node: a list of splices into the client's own text. Every byte
 * that placement does not need passes unread, so that new engine features work without us.
 */
import { type Edit, goGet, rawAt, splice } from "../docker/json-text.ts";
import { compareVersions } from "../docker/version.ts";
import { takenFromEnv } from "../scheduler/request.ts";
import type { Cluster } from "./cluster.ts";
import { engineContainerRef, engineLink, rewritten } from "./container-refs.ts";
import { HINT_LABEL } from "./hint.ts";
import type { Shape } from "./judge.ts";
import { engineShares } from "./needs.ts";
import { engineNetworkRef } from "./networks/network.ts";
import type { ClusterNode } from "./node.ts";
import { engineVolumeName } from "./volumes/places.ts";

/** Several endpoints in one create: engines below this version take one, and the others by connect. */
const MANY_ENDPOINTS = "1.44";

/** Keys that must not stand twice, in any letter case: Go would read another one than we did. */
export const GUARDED_PATHS: readonly (readonly string[])[] = [
  ["Image"],
  ["Hostname"],
  ["Labels"],
  ["Env"],
  ...[
    "CpuShares",
    "NetworkMode",
    "IpcMode",
    "PidMode",
    "UTSMode",
    "Links",
    "VolumesFrom",
    "Binds",
    "Mounts",
    "PortBindings",
    "RestartPolicy",
  ].map((key) => ["HostConfig", key]),
  ["HostConfig", "RestartPolicy", "Name"],
  ["NetworkingConfig", "EndpointsConfig"],
];

/** What we read by its type: another one would pass for absent, and the container for one that needs nothing. */
export const BODY_SHAPE: Shape = [
  ["object"],
  ["object", "Labels"],
  ["array", "Env"],
  ["object", "HostConfig"],
  ["int64", "HostConfig", "Memory"],
  ["int64", "HostConfig", "MemoryReservation"],
  ["int64", "HostConfig", "NanoCpus"],
  ["int64", "HostConfig", "CpuShares"],
  ["object", "NetworkingConfig"],
  ["object", "NetworkingConfig", "EndpointsConfig"],
];

export interface EngineBody {
  readonly text: string;
  /** Networks to connect after the create, before it is answered; each with its endpoint settings as JSON. */
  readonly connects: readonly { readonly network: string; readonly endpoint: string }[];
  /** The `-c N` that stands for whole CPUs, to be shown by inspect. */
  readonly cpuShares: number | undefined;
}

export interface BodyOptions {
  readonly hint: string;
  /** Short cluster ID when it differs from the engine's: what an unset host name becomes. */
  readonly hostname: string | undefined;
  /** Engine API version that the request is sent with. */
  readonly version: string;
  readonly cpuShares: number | undefined;
}

export function engineBody(
  cluster: Cluster,
  node: ClusterNode,
  text: string,
  body: unknown,
  options: BodyOptions,
): EngineBody {
  const edits: Edit[] = [{ path: ["Labels", HINT_LABEL], json: JSON.stringify(options.hint) }];
  const taken = takenFromEnv(body);
  if (taken.env) edits.push({ path: ["Env"], json: JSON.stringify(taken.env) });
  for (const [label, value] of Object.entries(taken.labels))
    edits.push({ path: ["Labels", label], json: JSON.stringify(value) });
  if (options.cpuShares !== undefined) {
    edits.push({ path: ["HostConfig", "CpuShares"], json: String(engineShares(node, options.cpuShares)) });
  }
  if (options.hostname !== undefined && takesHostname(body)) {
    edits.push({ path: ["Hostname"], json: JSON.stringify(options.hostname) });
  }
  edits.push(...referenceEdits(cluster, node, body));
  const { edits: endpointEdits, connects } = endpoints(cluster, node, text, body, options.version);
  edits.push(...endpointEdits);
  return { text: splice(text, edits), connects, cpuShares: options.cpuShares };
}

/** A host name may be set unless the user did, or the network belongs to somebody else. */
function takesHostname(body: unknown): boolean {
  const mode = goGet(body, "HostConfig", "NetworkMode");
  const uts = goGet(body, "HostConfig", "UTSMode");
  const borrowed = typeof mode === "string" && (mode === "host" || mode.startsWith("container:"));
  return !goGet(body, "Hostname") && !borrowed && uts !== "host";
}

/** Containers, networks and volumes that the body names, in the engine's own terms. */
function referenceEdits(cluster: Cluster, node: ClusterNode, body: unknown): Edit[] {
  const edits: Edit[] = [];
  for (const key of ["NetworkMode", "IpcMode", "PidMode"]) {
    const mode = goGet(body, "HostConfig", key);
    if (typeof mode !== "string") continue;
    const engineMode = mode.startsWith("container:")
      ? `container:${engineContainerRef(cluster, mode.slice("container:".length))}`
      : key === "NetworkMode"
        ? engineNetworkRef(cluster, node, mode)
        : mode;
    if (engineMode !== mode) edits.push({ path: ["HostConfig", key], json: JSON.stringify(engineMode) });
  }
  const rewriteList = (path: string[], rewrite: (item: string) => string): void => {
    const list = rewritten(goGet(body, ...path), rewrite);
    if (list) edits.push({ path, json: JSON.stringify(list) });
  };
  rewriteList(["HostConfig", "VolumesFrom"], (item) => {
    const [ref = "", ...mode] = item.split(":");
    return [engineContainerRef(cluster, ref), ...mode].join(":");
  });
  rewriteList(["HostConfig", "Binds"], (bind) => bind.replace(/^[^:]+/, (source) => engineVolumeName(cluster, source)));
  const mounts = goGet(body, "HostConfig", "Mounts");
  for (const [i, mount] of (Array.isArray(mounts) ? mounts : []).entries()) {
    const source = goGet(mount, "Source");
    if (goGet(mount, "Type") !== "volume" || typeof source !== "string") continue;
    const name = engineVolumeName(cluster, source);
    if (name !== source) edits.push({ path: ["HostConfig", "Mounts", i, "Source"], json: JSON.stringify(name) });
  }
  rewriteList(["HostConfig", "Links"], (link) => engineLink(cluster, link));
  return edits;
}

/** Each under the name that the engine knows its network by; those that an old engine does not take are connected later. */
function endpoints(
  cluster: Cluster,
  node: ClusterNode,
  text: string,
  body: unknown,
  version: string,
): { edits: Edit[]; connects: { network: string; endpoint: string }[] } {
  const all = Object.entries((goGet(body, "NetworkingConfig", "EndpointsConfig") ?? {}) as Record<string, unknown>);
  const mode = goGet(body, "HostConfig", "NetworkMode");
  const kept = all.find(([network]) => network === mode)?.[0] ?? all[0]?.[0];
  const takesAll = compareVersions(version, MANY_ENDPOINTS) >= 0;
  const edits: Edit[] = [];
  const connects: { network: string; endpoint: string }[] = [];
  for (const [typed, settings] of all) {
    const path = ["NetworkingConfig", "EndpointsConfig"];
    const network = engineNetworkRef(cluster, node, typed);
    const links = rewritten(goGet(settings, "Links"), (link) => engineLink(cluster, link));
    const linkEdits = links ? [{ path: ["Links"], json: JSON.stringify(links) }] : [];
    const endpoint = splice(rawAt(text, [...path, typed]) ?? "{}", linkEdits);
    const stays = takesAll || typed === kept;
    if (!stays) connects.push({ network, endpoint });
    if (stays && network === typed && !links) continue;
    edits.push({ path: [...path, typed], json: undefined });
    if (stays) edits.push({ path: [...path, network], json: endpoint });
  }
  return { edits, connects };
}

/** The number of whole CPUs that `-c N` means here, or undefined when it is Docker's weight (or not given). */
export function wholeCpus(cluster: Cluster, body: unknown): number | undefined {
  if (cluster.options.cpuShares === "docker") return undefined;
  const shares = goGet(body, "HostConfig", "CpuShares");
  return typeof shares === "number" && shares >= 1 && shares <= 8 ? shares : undefined;
}
