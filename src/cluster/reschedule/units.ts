/**
 * What belongs together on a node: containers that share a network, a group, links or namespaces leave it as a whole or
 * not at all. Owns who belongs to whom, and what keeps a whole where it is.
 */
import type { Cluster } from "../cluster.ts";
import { groupOfRecord, groupStanding } from "../groups/standing.ts";
import { isSpread, type NodeNetwork } from "../networks/network.ts";
import type { ClusterNode } from "../node.ts";
import type { ContainerRecord } from "../record.ts";
import { tiesTo } from "../ties.ts";
import { mayLeave, ran, whyItStays } from "./may-leave.ts";
import { type Row, rowOf } from "./row.ts";

export interface Unit {
  readonly containers: readonly ContainerRecord[];
  /** That live on this node alone, and containers of the unit are in. */
  readonly networks: readonly NodeNetwork[];
}

interface Growing {
  readonly containers: ContainerRecord[];
  /** By their cluster IDs. */
  readonly networks: Map<string, NodeNetwork>;
}

/** Every container of the node is in one. */
export function unitsOn(cluster: Cluster, node: ClusterNode): readonly Unit[] {
  const bonds = new Bonds();
  const joined = new Map<ContainerRecord, readonly NodeNetwork[]>();
  for (const record of node.containers.values()) {
    const row = rowOf(record, "Names", "HostConfig", "NetworkSettings");
    const networks = localNetworks(cluster, node, row);
    joined.set(record, networks);
    bonds.join(record.id, record.id);
    for (const { key } of networks) bonds.join(record.id, `network ${key}`);
    for (const id of [...record.ties, ...tiesTo(cluster, node, referencesIn(row))]) bonds.join(record.id, id);
    const group = packedGroup(cluster, record);
    if (group !== undefined) bonds.join(record.id, `group ${group}`);
  }
  const units = new Map<string, Growing>();
  for (const [record, networks] of joined) {
    const root = bonds.rootOf(record.id);
    const unit: Growing = units.get(root) ?? { containers: [], networks: new Map() };
    units.set(root, unit);
    unit.containers.push(record);
    for (const network of networks) unit.networks.set(network.key, network);
  }
  return [...units.values()].map(({ containers, networks }) => ({ containers, networks: [...networks.values()] }));
}

/** Those that run and would leave with it; none when something keeps the whole there. */
export function leavingOf(unit: Unit): readonly ContainerRecord[] {
  return whyUnitStays(unit) === undefined ? unit.containers.filter(mayLeave) : [];
}

/** A clause; undefined when nothing keeps it. */
export function whyUnitStays({ containers, networks }: Unit): string | undefined {
  for (const record of containers) {
    const why = ran(record) ? whyItStays(record) : undefined;
    if (why !== undefined) return containers.length === 1 ? why : `it belongs to ${record.name}, and ${why}`;
  }
  for (const { name, hint, row } of networks) {
    if (!hint) return `network ${name} was not created through shoal`;
    if (hint.pinned) return `network ${name} was asked for on this node`;
    if (row === undefined) return `network ${name} is not read yet`;
  }
  return undefined;
}

/** Union of sets by their members, found by any of them. */
class Bonds {
  readonly #parent = new Map<string, string>();

  rootOf(one: string): string {
    let root = one;
    for (let next = this.#parent.get(root); next !== undefined && next !== root; next = this.#parent.get(root)) {
      root = next;
    }
    this.#parent.set(one, root);
    return root;
  }

  join(one: string, other: string): void {
    this.#parent.set(this.rootOf(one), this.rootOf(other));
  }
}

function localNetworks(cluster: Cluster, node: ClusterNode, { NetworkSettings }: Row): readonly NodeNetwork[] {
  const found: NodeNetwork[] = [];
  for (const endpoint of Object.values(NetworkSettings?.Networks ?? {})) {
    const network = cluster.networks.byKey(endpoint?.NetworkID ?? "");
    const here = network?.on.get(node.id);
    if (network && here && !isSpread(network)) found.push(here);
  }
  return found;
}

/** Containers that link to it (`/web/db` among its names: web does), and the one whose network it uses. */
function referencesIn({ Names = [], HostConfig }: Row): readonly string[] {
  const links = Names.slice(1).map((name) => name.slice(1).split("/", 1)[0] ?? "");
  const mode = HostConfig?.NetworkMode ?? "";
  return mode.startsWith("container:") ? [...links, mode.slice("container:".length)] : links;
}

function packedGroup(cluster: Cluster, record: ContainerRecord): string | undefined {
  const key = record.nonce === undefined ? undefined : groupOfRecord(cluster, record);
  if (key === undefined) return undefined;
  return groupStanding(cluster, { key, policy: undefined, reserve: undefined }).policy === "spread" ? undefined : key;
}
