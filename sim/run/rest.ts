/** When everything has come to rest: the manager's list, ledger and counts are what the engines themselves say. */
import type { Cluster } from "../../src/cluster/cluster.ts";
import type { ClusterNode } from "../../src/cluster/node.ts";
import { isRunning } from "../engine/container.ts";
import { heldOn } from "../engine/held.ts";
import type { History } from "./history.ts";
import type { Host } from "./host.ts";
import { checkList, type Row } from "./lists.ts";
import { objectDifferences } from "./object-rest.ts";
import type { Things } from "./things.ts";
import type { VirtualTime } from "./time.ts";

interface Scene {
  readonly hosts: readonly Host[];
  readonly history: History;
  readonly things: Things;
  readonly time: VirtualTime;
}

/** What does not agree yet, in words; empty at rest. @param list the answer to a client's list */
export function differences(scene: Scene, cluster: Cluster, list: string): string[] {
  const { hosts, history, things, time } = scene;
  const found: string[] = [];
  const rows = JSON.parse(list) as Row[];
  checkList(history, rows, time.now, (rule, what) => found.push(`${rule}: ${what}`));
  const shown = rows.map(({ Labels, Names, State }) => line(Labels["shoal.NODE"], Names[0]?.split("/").at(-1), State));
  const real: string[] = [];
  for (const host of hosts) {
    const node = [...cluster.nodes.values()].find(({ address }) => address === host.entry);
    if (!node?.reachable) {
      found.push(`${host.name} is ${node?.whyUnreachable ?? "unknown"}`);
      continue;
    }
    for (const { id, name, status } of host.engine.daemon.containers.all()) {
      if (!node.ignored.has(id)) real.push(line(host.name, name, status));
    }
    found.push(...ledgerOf(cluster, node, host));
  }
  // All nodes are there: what waits for one has its own.
  for (const { State, Names } of rows) if (State === "pending") found.push(`${Names[0]} is still pending`);
  for (const one of shown) if (!real.includes(one)) found.push(`shown, and not there: ${one}`);
  for (const one of real) if (!shown.includes(one)) found.push(`there, and not shown: ${one}`);
  for (const [name, records] of cluster.inventory.names()) {
    for (const { state, node } of records) {
      if (state === "placing") found.push(`${name} is still being placed on ${node.name}`);
    }
  }
  for (const made of history.made) {
    const living = made.living();
    const counted = living.filter(({ host, container }) => !isAside(cluster, host, container.id));
    if (counted.length > 1) found.push(`${made.token} is ${counted.length} times there`);
    for (const { host, container } of living) {
      if (!counted.some((copy) => copy.container === container) && isRunning(container)) {
        found.push(`${made.token} is kept aside on ${host.name}, and runs`);
      }
    }
    if (made.refused !== undefined && living.length > 0) {
      found.push(`${made.token} was refused with ${made.refused}, and is on ${living[0]?.host.name}`);
    }
  }
  return [...found, ...objectDifferences({ hosts, history, things }, cluster)];
}

/** Another copy of it goes on, or a client removed it while its node was lost. */
function isAside(cluster: Cluster, host: Host, id: string): boolean {
  return [...cluster.nodes.values()].some(({ address, ignored }) => address === host.entry && ignored.has(id));
}

const line = (node = "", name = "", state = ""): string => `${node} ${name} ${state}`;

function ledgerOf(cluster: Cluster, node: ClusterNode, host: Host): string[] {
  // What is kept aside holds nothing.
  const held = heldOn(host.engine, node.ignored);
  const sums = cluster.ledger.sums(node.id);
  const same = sums.memory === held.memory && sums.nanoCpus === held.nanoCpus;
  return same
    ? []
    : [`${host.name}: booked ${sums.memory} bytes, ${sums.nanoCpus} CPUs; in truth ${held.memory}, ${held.nanoCpus}`];
}
