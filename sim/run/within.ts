/** Rules about the manager's own state, looked at from inside at any moment. */
import type { Cluster } from "../../src/cluster/cluster.ts";
import type { History } from "./history.ts";
import type { Host } from "./host.ts";
import { OVERCOMMIT } from "./open-cluster.ts";
import type { Things } from "./things.ts";
import type { Complain, Witness } from "./witness.ts";

/** At every moment: a name has one container of ours, and nothing is booked over a node's size. */
export function checkState(cluster: Cluster, witness: Witness, hosts: readonly Host[], complain: Complain): void {
  for (const [name, records] of cluster.inventory.names()) {
    const ours = [...records].filter((record) => record.nonce !== undefined && record.name === name && !record.removed);
    if (ours.length > 1) complain("name", `the manager knows ${ours.length} containers of ours called ${name}`);
  }
  for (const node of cluster.nodes.values()) {
    const host = hosts.find(({ entry }) => entry === node.address);
    const capacity = cluster.ledger.capacity(node.id, OVERCOMMIT);
    // What an earlier manager knew may have ended since, and is held until the engine says so.
    if (!host || !capacity || !witness.accounts(host) || node.unconfirmed.size > 0) continue;
    const sums = cluster.ledger.sums(node.id);
    if (sums.memory > capacity.memory || sums.nanoCpus > capacity.nanoCpus) {
      complain("capacity", `${sums.memory} bytes and ${sums.nanoCpus / 1e9} CPUs are booked on ${host.name}`);
    }
  }
}

/** Some time after a restart: what earlier managers made is the new one's own, or gone. */
export function checkOwners(
  cluster: Cluster,
  history: History,
  hosts: readonly Host[],
  before: number,
  complain: Complain,
): void {
  for (const made of history.made) {
    for (const { host, container, bornAt } of made.living()) {
      if (!hosts.includes(host) || bornAt > before) continue;
      const node = [...cluster.nodes.values()].find(({ address }) => address === host.entry);
      const record = node?.containers.get(container.id);
      if (node?.ignored.has(container.id) || made.meddled) continue;
      if (!record) complain("owner", `${made.token} on ${host.name} is not known 10 s after the restart`);
      else if (record.nonce === undefined) complain("owner", `${made.token} on ${host.name} is taken for a stranger`);
    }
  }
}

/** The same of networks and volumes. */
export function checkObjectOwners(
  cluster: Cluster,
  things: Things,
  hosts: readonly Host[],
  before: number,
  complain: Complain,
): void {
  for (const { kind, host, key, name, token, bornAt, foreign } of [
    ...things.living("network"),
    ...things.living("volume"),
  ]) {
    if (foreign || token === undefined || !hosts.includes(host) || bornAt > before) continue;
    const node = [...cluster.nodes.values()].find(({ address }) => address === host.entry);
    const known = node && (kind === "network" ? cluster.networks : cluster.volumes).get(node.id, key);
    if (!known) complain("owner", `the ${kind} ${name} on ${host.name} is not known 10 s after the restart`);
    else if (!known.hint) complain("owner", `the ${kind} ${name} on ${host.name} is taken for a stranger's`);
  }
}
