/** Reading, removing and joining a network: on the node that has it, or on all that do. */
import { conflict, DockerError, noSuchContainer, noSuchNetwork } from "../../docker/errors.ts";
import { type Edit, fields, goGet, rawAt, splice } from "../../docker/json-text.ts";
import { CREATE_MS, ENGINE_CALL_MS } from "../../kit/limits.ts";
import type { Cluster } from "../cluster.ts";
import { engineLink, rewritten } from "../container-refs.ts";
import { nodeFailure } from "../exchange.ts";
import { candidates, type Found, findObject, shownObjectName } from "../find-object.ts";
import { requireOwn, requireOwnObject } from "../foreign.ts";
import { HINT_LABEL } from "../hint.ts";
import { decodeShaped, NOBODY } from "../judge.ts";
import { missing, requireMade, requireReachable } from "../lookup.ts";
import type { ClusterNode } from "../node.ts";
import type { ContainerRecord } from "../record.ts";
import { LIMBO } from "../reschedule/limbo.ts";
import { engineRef, nodeObject } from "../translate.ts";
import { bringNetwork, makeThereToo } from "./create.ts";
import { moveNetwork } from "./move.ts";
import { isNowhere, isPerNode, isSpread, NETWORKS, type NodeNetwork, networkGone } from "./network.ts";
import { builtInNetworkId } from "./network-ids.ts";

/** Throws DockerError 404, 409 or 503. */
export function requireNetwork(cluster: Cluster, ref: string): Found<NodeNetwork> {
  const found = findObject(cluster, NETWORKS, ref);
  if (!found) throw missing(cluster, noSuchNetwork(ref));
  return found;
}

/** The engine's answer, with the containers of all nodes that have the network. @param query as sent */
export async function inspectNetwork(
  cluster: Cluster,
  ref: string,
  query: string,
  version: string | undefined,
): Promise<string> {
  const found = findObject(cluster, NETWORKS, ref);
  // Bad parameters are refused first, and an engine knows which are.
  if (!found) {
    await askAny(cluster, query, version);
    throw missing(cluster, noSuchNetwork(ref));
  }
  const [waiting] = isNowhere(found) ? found.on.values() : [];
  if (waiting?.text !== undefined) return waiting.text;
  const nodes = answering(cluster, found);
  const texts = await Promise.all(
    nodes.map((node) => call(cluster, node, "GET", `${pathOn(found, node)}${query}`, undefined, version)),
  );
  const [first] = nodes;
  const [text = ""] = texts;
  const edits: Edit[] = [];
  const name = found.named ? found.name : shownObjectName(cluster, NETWORKS, found);
  edits.push({ path: ["Id"], json: JSON.stringify(found.key) });
  if (name !== found.name) edits.push({ path: ["Name"], json: JSON.stringify(name) });
  if (goGet(JSON.parse(text), "Labels", HINT_LABEL) !== undefined) {
    edits.push({ path: ["Labels", HINT_LABEL], json: undefined });
  }
  const members = nodes.flatMap((node, i) => membersOf(node, texts[i] ?? ""));
  edits.push({ path: ["Containers"], json: `{${members.join(",")}}` });
  if (first && !isSpread(found)) edits.push({ path: ["Node"], json: nodeObject(first) });
  return splice(text, edits);
}

/** The members of `Containers`, by cluster ID. */
function membersOf(node: ClusterNode, text: string): string[] {
  const containers = rawAt(text, ["Containers"]) ?? "{}";
  return [...fields(containers)].map(([engineId, { start, end }]) => {
    const id = node.containers.get(engineId)?.id ?? engineId;
    return `${JSON.stringify(id)}:${containers.slice(start, end)}`;
  });
}

/** Where an inspect of nothing is refused for its parameters, with what else they are. */
async function askAny(cluster: Cluster, query: string, version: string | undefined): Promise<void> {
  const [node] = cluster.reachable();
  if (!node || query === "") return;
  try {
    await call(cluster, node, "GET", `/networks/-${query}`, undefined, version);
  } catch (error) {
    if (error instanceof DockerError && error.status === 400) throw error;
  }
}

/** Removes it from every node that has it. @returns what it was */
export async function removeNetwork(
  cluster: Cluster,
  ref: string,
  version: string | undefined,
): Promise<Found<NodeNetwork>> {
  const found = requireNetwork(cluster, ref);
  requireOwnNetwork(cluster, found, "remove");
  if (isNowhere(found)) cluster.networks.remove(LIMBO, found.key, cluster.clock.monotonic());
  const nodes = [...found.on.keys()].flatMap((id) => cluster.nodes.get(id) ?? []);
  for (const node of nodes) requireReachable(node);
  await removeFrom(cluster, found, nodes, version);
  return found;
}

/** One that has containers refuses, and is asked before any other has lost it. */
async function removeFrom(
  cluster: Cluster,
  found: Found<NodeNetwork>,
  nodes: readonly ClusterNode[],
  version: string | undefined,
): Promise<void> {
  const busy = nodes.length < 2 ? [] : await Promise.all(nodes.map((node) => isBusy(cluster, found, node)));
  const inOrder = [...nodes.filter((_, i) => busy[i]), ...nodes.filter((_, i) => !busy[i])];
  for (const node of inOrder) {
    await call(cluster, node, "DELETE", pathOn(found, node), undefined, version);
    // Predefined ones stay.
    networkGone(cluster, node, found.on.get(node.id)?.engineKey ?? "");
    cluster.refresher.markList(node, "networks", true);
  }
}

async function isBusy(cluster: Cluster, found: Found<NodeNetwork>, node: ClusterNode): Promise<boolean> {
  const text = await call(cluster, node, "GET", pathOn(found, node));
  return membersOf(node, text).length > 0;
}

const JOIN_SHAPE = [["object"], ["object", "EndpointConfig"]] as const;

/** Connects a container to the network, or takes it out. @returns the container; undefined for one that is nowhere (force) */
export async function joinNetwork(
  cluster: Cluster,
  ref: string,
  action: "connect" | "disconnect",
  text: string,
  version: string | undefined,
): Promise<ContainerRecord | undefined> {
  const question = { method: "POST", path: `/networks/${NOBODY}/${action}`, version };
  const body = await decodeShaped(cluster, text, JOIN_SHAPE, question);
  const typed = String(goGet(body, "Container") ?? "");
  if (candidates(cluster, NETWORKS, ref).length === 0) throw missing(cluster, noSuchNetwork(ref));
  const record = cluster.inventory.find(typed);
  if (!record) {
    // An endpoint that its container has left behind.
    if (action === "connect" || goGet(body, "Force") !== true) throw missing(cluster, noSuchContainer(typed));
    const found = requireNetwork(cluster, ref);
    requireOwnNetwork(cluster, found, action);
    const [node] = answering(cluster, found);
    if (node) await call(cluster, node, "POST", `${pathOn(found, node)}/${action}`, text, version);
    return undefined;
  }
  requireMade(record);
  requireReachable(record.node);
  const found = await onNodeOf(cluster, ref, record, action);
  requireOwnNetwork(cluster, found, action);
  requireOwn(cluster, record, typed, action);
  const edits: Edit[] = [{ path: ["Container"], json: JSON.stringify(engineRef(record, typed)) }];
  const links = rewritten(goGet(body, "EndpointConfig", "Links"), (link) => engineLink(cluster, link));
  if (links) edits.push({ path: ["EndpointConfig", "Links"], json: JSON.stringify(links) });
  const engineBody = splice(text, edits);
  try {
    await call(cluster, record.node, "POST", `${pathOn(found, record.node)}/${action}`, engineBody, version);
  } finally {
    cluster.refresher.mark(record, true);
  }
  return record;
}

/** The network on the container's node. Throws 409 when it is only elsewhere. */
async function onNodeOf(
  cluster: Cluster,
  ref: string,
  record: ContainerRecord,
  action: "connect" | "disconnect",
): Promise<Found<NodeNetwork>> {
  const { node } = record;
  const here = candidates(cluster, NETWORKS, ref).filter(({ on }) => on.has(node.id));
  const [only, ...more] = here;
  if (only && more.length === 0) return only;
  const found = requireNetwork(cluster, ref);
  const [nodeId, network] = [...found.on][0] ?? [];
  if (network && action === "connect" && isNowhere(found)) {
    await bringNetwork(cluster, node, network);
    return requireNetwork(cluster, ref);
  }
  if (network && action === "connect" && isPerNode(network)) {
    await makeThereToo(cluster, network, node);
    return requireNetwork(cluster, ref);
  }
  if (action === "connect" && (await moveNetwork(cluster, found, node))) return requireNetwork(cluster, ref);
  const where = cluster.nodes.get(nodeId ?? "")?.name ?? nodeId;
  if (action === "disconnect") {
    throw new DockerError(500, `container ${record.id} is not connected to network ${found.name}`);
  }
  throw conflict(
    `container ${record.name} is on node ${node.name} and network ${found.name} is on node ${where}: make the container again with --network ${found.name}, or the network with the label shoal.network=per-node`,
  );
}

/** Those that every engine makes for itself are nobody's. */
function requireOwnNetwork(cluster: Cluster, found: Found<NodeNetwork>, action: string): void {
  if (builtInNetworkId(found.name) === undefined) requireOwnObject(cluster, NETWORKS, found, action);
}

/** The nodes that have it and answer. Throws 503 when none does. */
function answering(cluster: Cluster, { on }: Found<NodeNetwork>): readonly ClusterNode[] {
  const nodes = [...on.keys()].flatMap((id) => cluster.nodes.get(id) ?? []);
  const reachable = nodes.filter((node) => node.reachable);
  const [first] = nodes;
  if (reachable.length === 0 && first) requireReachable(first);
  return reachable;
}

function pathOn({ on }: Found<NodeNetwork>, node: ClusterNode): string {
  return `/networks/${encodeURIComponent(on.get(node.id)?.engineKey ?? "")}`;
}

/** Throws DockerError, the engine's own in the cluster's words. */
async function call(
  cluster: Cluster,
  node: ClusterNode,
  method: string,
  path: string,
  body?: string,
  version?: string,
): Promise<string> {
  try {
    const deadlineMs = method === "GET" ? ENGINE_CALL_MS : CREATE_MS;
    return await node.engine.text(method, path, body, { deadlineMs, version });
  } catch (error) {
    throw nodeFailure(cluster, node, error);
  }
}
