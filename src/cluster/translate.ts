/**
 * The one translator between the cluster's identities and an engine's: in answers, error texts and references.
 * Edits are splices: whatever it does not know passes byte for byte.
 */
import { type Edit, goGet, splice } from "../docker/json-text.ts";
import { isHexPrefix } from "../docker/references.ts";
import type { Cluster } from "./cluster.ts";
import { HINT_LABEL } from "./hint.ts";
import { clusterNetworkId } from "./networks/network-ids.ts";
import type { ClusterNode } from "./node.ts";
import type { ContainerRecord } from "./record.ts";

const CONTAINER_MODES = ["NetworkMode", "IpcMode", "PidMode"] as const;

/**
 * What to call a container when asking its engine: the name as typed, so that its errors say it so, where the engine can
 * read it as nothing else; else the engine's ID.
 */
export function engineRef(record: ContainerRecord, typed: string): string {
  const isName = typed === record.engineName || typed === `/${record.engineName}`;
  return isName && !beginsAnotherId(record, typed) ? typed : record.engineId;
}

/** With the container of that name just removed, an engine takes `c3` for the beginning of an ID. */
function beginsAnotherId({ node, engineId }: ContainerRecord, typed: string): boolean {
  if (!isHexPrefix(typed)) return false;
  for (const ids of [node.containers.keys(), node.ignored]) {
    for (const id of ids) if (id !== engineId && id.startsWith(typed)) return true;
  }
  return false;
}

/** An engine's error text in the cluster's words: its container and network IDs become the cluster's. */
export function clusterText(cluster: Cluster, node: ClusterNode, text: string): string {
  return text.replace(/\b[0-9a-f]{64}\b|\b[0-9a-f]{12}\b/g, (id) => {
    if (id.length === 64) return node.containers.get(id)?.id ?? clusterNetworkId(cluster, node, id);
    if (!cluster.options.mintIds) return id;
    for (const [engineId, record] of node.containers) if (engineId.startsWith(id)) return record.id.slice(0, 12);
    return id;
  });
}

/** The engine's answer to inspect, as the cluster's. */
export function clusterInspect(cluster: Cluster, record: ContainerRecord, text: string): string {
  const { node } = record;
  const inspect: unknown = JSON.parse(text);
  record.tty = goGet(inspect, "Config", "Tty") === true;
  // The client is told something newer than the cache knows: its next list waits until that is read back.
  if (goGet(inspect, "State", "Status") !== record.state) cluster.refresher.mark(record, true);
  const edits: Edit[] = [
    { path: ["Id"], json: JSON.stringify(record.id) },
    { path: ["Node"], json: nodeObject(node) },
  ];
  const shown = cluster.options.nodeNames ? `${node.name}/${record.name}` : cluster.inventory.shownName(record);
  if (shown !== record.engineName) edits.push({ path: ["Name"], json: JSON.stringify(`/${shown}`) });
  if (goGet(inspect, "Config", "Labels", HINT_LABEL) !== undefined) {
    edits.push({ path: ["Config", "Labels", HINT_LABEL], json: undefined });
  }
  if (record.cpuShares !== undefined) edits.push({ path: ["HostConfig", "CpuShares"], json: String(record.cpuShares) });
  for (const key of CONTAINER_MODES) {
    const mode = goGet(inspect, "HostConfig", key);
    if (typeof mode === "string" && mode.startsWith("container:")) {
      const target = node.containers.get(mode.slice("container:".length));
      if (target) edits.push({ path: ["HostConfig", key], json: JSON.stringify(`container:${target.id}`) });
    }
  }
  edits.push(...networkEdits(cluster, node, inspect));
  return splice(text, edits);
}

function networkEdits(cluster: Cluster, node: ClusterNode, inspect: unknown): Edit[] {
  const edits: Edit[] = [];
  const ports = goGet(inspect, "NetworkSettings", "Ports");
  if (ports && node.ip !== "") {
    for (const [port, bindings] of Object.entries(ports as Record<string, unknown>)) {
      if (!Array.isArray(bindings)) continue;
      edits.push({ path: ["NetworkSettings", "Ports", port], json: JSON.stringify(nodeBindings(bindings, node.ip)) });
    }
  }
  const networks = goGet(inspect, "NetworkSettings", "Networks");
  for (const [name, network] of Object.entries((networks ?? {}) as Record<string, { NetworkID?: string } | null>)) {
    if (!network?.NetworkID) continue;
    const id = clusterNetworkId(cluster, node, network.NetworkID);
    if (id !== network.NetworkID) {
      edits.push({ path: ["NetworkSettings", "Networks", name, "NetworkID"], json: JSON.stringify(id) });
    }
  }
  return edits;
}

interface Binding {
  readonly HostIp: string;
  readonly HostPort: string;
}

/** Like `nodePorts`, for inspect's bindings. */
function nodeBindings(bindings: readonly Binding[], nodeIp: string): Binding[] {
  const seen = new Set<string>();
  return bindings
    .map((binding) => (isUnspecified(binding.HostIp) ? { ...binding, HostIp: nodeIp } : binding))
    .filter(({ HostIp, HostPort }) => {
      const key = `${HostIp}|${HostPort}`;
      if (seen.has(key)) return false;
      seen.add(key);
      return true;
    });
}

function isUnspecified(ip: string): boolean {
  return ip === "" || ip === "0.0.0.0" || ip === "::";
}

/** Classic Swarm's object: what scripts read as `.Node`. */
export function nodeObject(node: ClusterNode): string {
  return JSON.stringify({
    ID: node.id,
    IP: node.ip,
    Addr: node.address,
    Name: node.name,
    Cpus: node.facts?.cpus ?? 0,
    Memory: node.facts?.memory ?? 0,
    Labels: Object.fromEntries(node.facts?.labels ?? []),
  });
}
