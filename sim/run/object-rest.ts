/**
 * When everything has come to rest: the networks, volumes and groups that the manager knows are what the engines have, and
 * nothing is held, passed over or kept for what is not there.
 */
import type { Cluster } from "../../src/cluster/cluster.ts";
import type { ClusterNode } from "../../src/cluster/node.ts";
import { groupKey } from "../../src/scheduler/group.ts";
import { labelsOf } from "../engine/container.ts";
import type { History } from "./history.ts";
import type { Host } from "./host.ts";
import type { ObjectKind } from "./object-items.ts";
import type { Thing, Things } from "./things.ts";

interface Scene {
  readonly hosts: readonly Host[];
  readonly history: History;
  readonly things: Things;
}

/** What does not agree yet, in words; empty at rest. */
export function objectDifferences({ hosts, history, things }: Scene, cluster: Cluster): string[] {
  const found: string[] = [];
  for (const host of hosts) {
    const node = [...cluster.nodes.values()].find(({ address }) => address === host.entry);
    if (node) found.push(...nodeDifferences(host, things, cluster, node));
  }
  found.push(...heldNames(things, cluster), ...groupDifferences(history, things, cluster));
  for (const [token, { kind, name, refused }] of things.asks) {
    const there = refused !== undefined && things.living(kind).find((thing) => thing.token === token);
    if (there) found.push(`the ${kind} ${name} was refused with ${refused}, and is on ${there.host.name}`);
  }
  return found;
}

function nodeDifferences(host: Host, things: Things, cluster: Cluster, node: ClusterNode): string[] {
  const found: string[] = [];
  const { networks, volumes } = host.engine.daemon;
  const compare = (kind: ObjectKind, real: readonly string[], known: readonly string[]): void => {
    for (const key of real) if (!known.includes(key)) found.push(`${host.name}: the ${kind} ${key} is not known`);
    for (const key of known) if (!real.includes(key)) found.push(`${host.name}: the ${kind} ${key} is known, and gone`);
  };
  const keys = (objects: Iterable<{ readonly engineKey: string }>): string[] => [...objects].map((o) => o.engineKey);
  compare(
    "network",
    networks.all().map(({ id }) => id),
    keys(cluster.networks.on(node.id)),
  );
  compare(
    "volume",
    volumes.all().map(({ name }) => name),
    keys(cluster.volumes.on(node.id)),
  );
  const isOwn = ({ kind, key }: Thing): boolean =>
    (kind === "network" ? cluster.networks : cluster.volumes).get(node.id, key)?.hint !== undefined;
  for (const thing of [...things.living("network"), ...things.living("volume")]) {
    if (thing.host !== host || (thing.kind === "volume" && thing.token === undefined)) continue;
    if (isOwn(thing) === thing.foreign) found.push(`${host.name}: whose ${thing.name} is, is not known`);
  }
  const free = networks.pools - networks.all().filter(({ pooled }) => pooled).length;
  if (!node.hasPools && free > 0) found.push(`${host.name} is passed over, and has ${free} pools`);
  return found;
}

/** Names of creates that are over are free. */
function heldNames(things: Things, cluster: Cluster): string[] {
  const found: string[] = [];
  for (const [kind, name] of new Set([...things.asks.values()].map(({ kind, name }) => [kind, name] as const))) {
    const isThere = things.living(kind).some((thing) => thing.name === name);
    const isHeld =
      kind === "network"
        ? !isThere && cluster.networks.isTaken(name)
        : [...cluster.placements.upcomingVolumes(name)].length > 0;
    if (isHeld) found.push(`the name of the ${kind} ${name} is held`);
  }
  return found;
}

/** A group that has a home has members there; a packed one all of them. */
function groupDifferences(history: History, things: Things, cluster: Cluster): string[] {
  const found: string[] = [];
  for (const { key, home, policy = "pack" } of cluster.groups.all()) {
    const belongs = (labels: Readonly<Record<string, string>>): boolean =>
      groupKey(labels, cluster.options.groups) === key;
    const own = [...things.living("network"), ...things.living("volume")].filter(
      ({ labels, foreign }) => !foreign && belongs(labels),
    );
    const copies = history.made
      .flatMap((made) => made.living())
      .filter(({ container }) => belongs(labelsOf(container)));
    const hosts = [...own, ...copies].map(({ host }) => host.entry);
    const at = cluster.nodes.get(home)?.address;
    if (hosts.length === 0) found.push(`group ${key} has a home and no members`);
    else if (policy === "pack" && at !== undefined && !hosts.includes(at))
      found.push(`group ${key} has its home where nobody lives`);
  }
  return found;
}
