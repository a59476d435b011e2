/**
 * Creating a network: a bridge on one node, its home, or by its label one on every node. The engine's own words are the
 * answer; a node that cannot take it for its own reason hands over to the next.
 */
import { conflict, DockerError, unavailable } from "../../docker/errors.ts";
import { assertNoVariants, type Edit, goGet, rawAt, splice } from "../../docker/json-text.ts";
import { splitNodePrefix } from "../../docker/references.ts";
import { isNodesOwnFault, isPoolExhausted } from "../../engine/quirks.ts";
import { WireError } from "../../engine/wire/wire.ts";
import { CREATE_MS, NODES_TRIED } from "../../kit/limits.ts";
import { groupKey, readGroup } from "../../scheduler/group.ts";
import { livesAt } from "../../scheduler/node-view.ts";
import type { Cluster } from "../cluster.ts";
import { nodeFailure } from "../exchange.ts";
import { candidates } from "../find-object.ts";
import { groupStanding } from "../groups/standing.ts";
import { encodeObjectHint, HINT_LABEL, type ObjectHint } from "../hint.ts";
import { atHome, homeFor } from "../home.ts";
import { readShaped } from "../judge.ts";
import type { ClusterNode } from "../node.ts";
import { type ObjectCreate, settleCreates, whileCreating } from "../object-creates.ts";
import { LIMBO } from "../reschedule/limbo.ts";
import { settling } from "../settling.ts";
import { isNowhere, isPerNode, NETWORKS, type NodeNetwork, toldNetwork, toldRow } from "./network.ts";
import { builtInNetworkId } from "./network-ids.ts";

/** By request, a network on each node instead of on one. */
export const PER_NODE_LABEL = "shoal.network";
export const PER_NODE = "per-node";

export interface MadeNetwork {
  readonly id: string;
  readonly name: string;
  /** The node, or one of them. */
  readonly node: ClusterNode;
  /** The engine's answer with the cluster's ID. */
  readonly text: string;
}

/** What a client asks for, read once. */
interface Wish {
  readonly text: string;
  readonly version: string | undefined;
  /** Without the node's name. */
  readonly name: string;
  readonly driver: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The name of the node that the client named. */
  readonly node: string | undefined;
  /** Its addresses come from the client, not from the node's pools. */
  readonly hasSubnet: boolean;
}

/** Throws DockerError. */
export async function createNetwork(cluster: Cluster, text: string, version: string | undefined): Promise<MadeNetwork> {
  const wish = readWish(text, version);
  const { networks } = cluster;
  // What no engine takes is left to an engine to refuse, and with `node/name` the name is that node's business.
  if (wish.node !== undefined || wish.name === "" || builtInNetworkId(wish.name)) return make(cluster, wish);
  if (!networks.isTaken(wish.name)) {
    // On a node that is being read there may be one of the name, or one that nobody was told of.
    await settling(cluster);
    await settleCreates(cluster, "networks", wish.name);
  }
  // From the look for the name to the held name nothing waits: that is the lock.
  if (networks.isTaken(wish.name)) throw conflict(`network with name ${wish.name} already exists`);
  const [open] = cluster.objectCreates.nodesOf("networks", wish.name);
  if (open !== undefined) throw mayBeThere(cluster, wish.name, open);
  networks.hold(wish.name);
  try {
    return await make(cluster, wish);
  } finally {
    networks.release(wish.name);
  }
}

/** An earlier create was not answered, and its node cannot be asked. */
function mayBeThere(cluster: Cluster, name: string, nodeId: string): DockerError {
  const node = cluster.nodes.get(nodeId)?.name ?? nodeId;
  return unavailable(
    `network ${name} may have been made on node ${node}, which has not answered since: try again when it does`,
  );
}

function readWish(text: string, version: string | undefined): Wish {
  const body = readShaped(text, [["object"], ["object", "Labels"], ["object", "IPAM"], ["array", "IPAM", "Config"]]);
  assertNoVariants(text, [["Name"], ["Driver"], ["Labels"], ["IPAM"], ["IPAM", "Config"]]);
  const { node, rest } = splitNodePrefix(String(goGet(body, "Name") ?? ""));
  const given = (goGet(body, "Labels") ?? {}) as Readonly<Record<string, unknown>>;
  const labels = Object.fromEntries(
    Object.entries(given).flatMap(([key, value]) => (key === HINT_LABEL ? [] : [[key, String(value ?? "")]])),
  );
  const config = (goGet(body, "IPAM", "Config") ?? []) as readonly unknown[];
  return {
    text,
    version,
    name: rest,
    driver: String(goGet(body, "Driver") ?? "") || "bridge",
    labels,
    node,
    hasSubnet: config.some((part) => Boolean(goGet(part, "Subnet"))),
  };
}

function make(cluster: Cluster, wish: Wish): Promise<MadeNetwork> {
  if (wish.labels[PER_NODE_LABEL] === PER_NODE && wish.node === undefined) return makeEverywhere(cluster, wish);
  return makeAtHome(cluster, wish);
}

async function makeAtHome(cluster: Cluster, wish: Wish): Promise<MadeNetwork> {
  const tried = new Set<string>();
  // Asked last of all: that they have no pools left may be so no longer.
  const spared = new Set(
    wish.hasSubnet ? [] : [...cluster.nodes.values()].filter(({ hasPools }) => !hasPools).map(({ id }) => id),
  );
  let failure: DockerError | undefined;
  for (let tries = 0; tries < NODES_TRIED; ) {
    const at: { node?: ClusterNode } = {};
    const askedAt = cluster.clock.monotonic();
    try {
      const { labels, node } = wish;
      return await atHome(cluster, { labels, node, tried: new Set([...tried, ...spared]) }, (home) => {
        at.node = home;
        return makeOn(cluster, wish, home, hintOf(cluster, wish));
      });
    } catch (error) {
      const { node } = at;
      if (!node) {
        if (spared.size === 0) throw failure ?? error;
        spared.clear();
        continue;
      }
      tries++;
      failure = nodeFailure(cluster, node, error);
      const unsent = error instanceof WireError && !error.sent;
      if (wish.node !== undefined || !(unsent || isNodesOwnFault(failure.status, failure.message))) throw failure;
      if (!wish.hasSubnet && isPoolExhausted(failure.message)) {
        node.poolsEndedAt = askedAt;
        failure = noPoolsLeft(cluster, wish, node, failure);
      }
      cluster.log.warn("a node could not make a network", { node: node.name, error: failure.message });
      tried.add(node.id);
    }
  }
  throw failure ?? new DockerError(500, "no node was tried");
}

/** What its engine said, with what it is about and what would help. */
function noPoolsLeft(cluster: Cluster, { labels }: Wish, node: ClusterNode, failure: DockerError): DockerError {
  const group = readGroup(labels, cluster.options.groups);
  const home = group && groupStanding(cluster, group).home;
  const lives = group && home?.node === node.id ? `, and ${group.key} ${livesAt(home, [node.view])}` : "";
  const remedy = "remove networks there, give a subnet, or enlarge default-address-pools of its engine";
  return new DockerError(failure.status, `${failure.message} (node ${node.name}${lives}): ${remedy}`);
}

function hintOf({ random }: Cluster, { hasSubnet, node }: Wish): ObjectHint {
  return { nonce: random.hex(8), subnet: hasSubnet, pinned: node !== undefined };
}

async function makeEverywhere(cluster: Cluster, wish: Wish): Promise<MadeNetwork> {
  const hint = { ...hintOf(cluster, wish), id: cluster.random.hex(32) };
  // Events tell of it before the engines answer.
  cluster.networks.hold(wish.name, hint.id);
  const nodes = cluster.reachable();
  const results = await Promise.allSettled(nodes.map((node) => makeOn(cluster, wish, node, hint)));
  const failures = results.flatMap((result, i) => {
    const node = nodes[i];
    return result.status === "rejected" && node ? [{ node, failure: nodeFailure(cluster, node, result.reason) }] : [];
  });
  const [made] = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  // Without a node at all the scheduler says why.
  if (!made) throw failures[0]?.failure ?? homeFor(cluster, { ...wish, tried: new Set() });
  if (failures.length === 0) return made;
  const warning = failures.map(({ node, failure }) => `not on node ${node.name}: ${failure.message}`).join("; ");
  return { ...made, text: splice(made.text, [{ path: ["Warning"], json: JSON.stringify(warning) }]) };
}

/** Rejects with DockerError, WireError or DeadlineError. */
async function makeOn(cluster: Cluster, wish: Wish, node: ClusterNode, hint: ObjectHint): Promise<MadeNetwork> {
  const { name, driver, labels, version } = wish;
  const edits: Edit[] = [{ path: ["Labels", HINT_LABEL], json: JSON.stringify(encodeObjectHint(hint)) }];
  if (wish.node !== undefined) edits.push({ path: ["Name"], json: JSON.stringify(name) });
  const group = groupKey(labels, cluster.options.groups);
  const create: ObjectCreate = { kind: "networks", nonce: hint.nonce, name, node: node.id, group };
  const { id, text } = await whileCreating(cluster, node, create, async () => {
    const options = { deadlineMs: CREATE_MS, version };
    const answer = await node.engine.text("POST", "/networks/create", splice(wish.text, edits), options);
    const made = goGet(JSON.parse(answer), "Id");
    if (typeof made === "string") return { id: made, text: answer };
    throw new DockerError(500, `node ${node.name} answered the create of a network without an ID`);
  });
  // A list may have told of it already, and of all that it is.
  const listed = cluster.networks.get(node.id, id);
  const network = listed?.hint ? listed : toldNetwork(cluster, node, { id, name, driver, labels, hint });
  if (network !== listed) cluster.networks.add(node.id, network, cluster.clock.monotonic());
  cluster.refresher.markList(node, "networks", true);
  const row = network.row ?? JSON.stringify(toldRow(network, { [HINT_LABEL]: encodeObjectHint(hint) }));
  await cluster.objectCreates.made(create, cluster.rememberedNetworks.keep(node.id, id, { row }));
  return { id: network.key, name, node, text: splice(text, [{ path: ["Id"], json: JSON.stringify(network.key) }]) };
}

/** A node that a container is about to be made on has all of its networks that are on every node. Rejects with DockerError. */
export async function haveNetworks(cluster: Cluster, node: ClusterNode, refs: readonly string[]): Promise<void> {
  for (const ref of refs) {
    const found = candidates(cluster, NETWORKS, ref);
    if (found.some(({ on }) => on.has(node.id))) continue;
    const [network] = found.flatMap(({ on }) => [...on.values()].filter(isPerNode));
    if (network) await makeThereToo(cluster, network, node);
    const [waiting] = found.filter(isNowhere).flatMap(({ on }) => [...on.values()]);
    if (waiting) await bringNetwork(cluster, node, waiting);
  }
}

/** One that is nowhere is on this node from now on. Rejects with DockerError. */
export async function bringNetwork(cluster: Cluster, node: ClusterNode, network: NodeNetwork): Promise<void> {
  await makeThereToo(cluster, network, node);
  cluster.networks.remove(LIMBO, network.key, cluster.clock.monotonic());
}

/** Makes a network of ours on one more node, like it is where it is. Rejects with DockerError. */
export async function makeThereToo(cluster: Cluster, network: NodeNetwork, node: ClusterNode): Promise<void> {
  const { hint, text, name, driver, labels } = network;
  if (!hint || text === undefined) throw conflict(`network ${name} is being made: try again in a moment`);
  const wish = { text: createBodyOf(text, hint), version: undefined, name, driver, labels, node: undefined };
  try {
    await makeOn(cluster, { ...wish, hasSubnet: hint.subnet === true }, node, hint);
  } catch (error) {
    // Another create may have made it there at the same moment.
    cluster.refresher.markList(node, "networks");
    await cluster.refresher.settledOn(node);
    if (!cluster.networks.byKey(network.key)?.on.has(node.id)) throw nodeFailure(cluster, node, error);
  }
}

const COPIED = ["Name", "Driver", "EnableIPv6", "Internal", "Attachable", "Options", "Labels"] as const;

/** A row of an engine's list as the body that makes the same network elsewhere; addresses only where the client gave them. */
function createBodyOf(row: string, hint: ObjectHint): string {
  const parts = [...COPIED, ...(hint.subnet ? ["IPAM"] : [])].flatMap((key) => {
    const raw = rawAt(row, [key]);
    return raw === undefined ? [] : [`${JSON.stringify(key)}:${raw}`];
  });
  return `{"CheckDuplicate":true,${parts.join(",")}}`;
}
