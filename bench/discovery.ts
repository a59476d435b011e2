/**
 * A hub and a manager under many nodes: all join at once, beat for minutes, and some of them vanish at once.
 *
 *   discovery [--nodes 1000] [--minutes 10] [--heartbeat 60] [--ttl 180] [--vanish 40] [--watch 210] [--quick]
 *
 * --heartbeat, --ttl and --watch are seconds. Each node is a simulated engine on a port of loopback, with an agent that runs
 * `shoal join`'s code, and one container that may move. Those that vanish are engines and agents of one process that is
 * stopped: their connections are taken, nothing is answered, nothing beats. Hub and manager are asked every few seconds
 * what they show, which is in their CPU time.
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { systemClock } from "../src/kit/clock.ts";
import { readStore } from "../src/store/drivers/file/maintenance.ts";
import { systemDisk } from "../src/store/drivers/file/system-disk.ts";
import type { AgentsCount } from "./agents.ts";
import { BenchClient } from "./client.ts";
import { createAndStart } from "./load.ts";
import {
  cpuMs,
  type Fleet,
  type Hub,
  healthy,
  type Manager,
  rssMiB,
  startFleet,
  startHub,
  startManager,
} from "./processes.ts";
import { figure, table } from "./stats.ts";

interface Sizes {
  readonly nodes: number;
  readonly minutes: number;
  readonly heartbeatMs: number;
  readonly ttlMs: number;
  readonly vanish: number;
  readonly watchMs: number;
}

interface Setting extends Sizes {
  readonly hub: Hub;
  readonly manager: Manager;
  readonly fleets: readonly Fleet[];
  readonly vanishing: Fleet;
  readonly hubClient: BenchClient;
  readonly client: BenchClient;
  /** Of the cluster at the hub. */
  readonly path: string;
}

/** Between two questions while something is awaited, and between two while the nodes beat. */
const POLL_MS = 250;
const LOOK_MS = 10_000;
/** Longest wait until all is shown. */
const SHOWN_MS = 300_000;
const CREATE = "POST /containers/create";

/** What processes and store have used up to now. */
interface Meters {
  readonly at: number;
  readonly hubCpu: number;
  readonly managerCpu: number;
  readonly transactions: number;
  readonly diskBytes: number;
  readonly beats: number;
}

interface Steady {
  readonly from: Meters;
  readonly to: Meters;
  /** Nodes that ever counted as silent at the hub. */
  readonly expired: number;
  /** Fewest nodes that the manager called healthy. */
  readonly leastHealthy: number;
  readonly rss: { readonly hub: number; readonly manager: number };
  readonly failures: number;
  readonly firstFailure: string | undefined;
}

interface Vanished {
  /** Most nodes that the manager did not call healthy. */
  readonly noticed: number;
  readonly copies: number;
  readonly warning: string | undefined;
  /** Seconds from their return until all are healthy, and copies made then. */
  readonly backIn: number;
  readonly copiesThen: number;
}

async function agentsOf(fleets: readonly Fleet[]): Promise<AgentsCount> {
  const counts = await Promise.all(fleets.map((fleet) => fleet.agents()));
  const sum = (pick: (count: AgentsCount) => number): number => counts.reduce((total, count) => total + pick(count), 0);
  return {
    joined: sum(({ joined }) => joined),
    joinedMs: Math.max(...counts.map(({ joinedMs }) => joinedMs)),
    beats: sum(({ beats }) => beats),
    failures: sum(({ failures }) => failures),
    firstFailure: counts.find(({ firstFailure }) => firstFailure !== undefined)?.firstFailure,
  };
}

async function read({ hub, manager, fleets }: Setting): Promise<Meters> {
  const { revision } = await readStore(hub.store, systemDisk);
  const written = /^write_bytes: (\d+)$/m.exec(readFileSync(`/proc/${hub.pid}/io`, "utf8"))?.[1];
  return {
    at: systemClock.monotonic(),
    hubCpu: cpuMs(hub.pid),
    managerCpu: cpuMs(manager.pid),
    transactions: revision,
    diskBytes: Number(written ?? 0),
    beats: (await agentsOf(fleets)).beats,
  };
}

/** Seconds until `isDone`. Throws when it takes too long. */
async function until(what: string, isDone: () => Promise<boolean>): Promise<number> {
  const from = systemClock.monotonic();
  while (!(await isDone())) {
    if (systemClock.monotonic() - from > SHOWN_MS) throw new Error(`not within ${SHOWN_MS / 1000} s: ${what}`);
    await systemClock.sleep(POLL_MS);
  }
  return (systemClock.monotonic() - from) / 1000;
}

/** Seconds until the last join was answered, and until the manager calls all nodes healthy. */
async function joinAll(setting: Setting): Promise<{ readonly answered: number; readonly shown: number }> {
  const { hub, path, heartbeatMs, ttlMs, fleets, nodes, client } = setting;
  const from = systemClock.monotonic();
  await Promise.all(fleets.map((fleet) => fleet.join({ discovery: `${hub.url}${path}`, heartbeatMs, ttlMs })));
  await until("the manager shows all nodes", async () => (await healthy(client)) >= nodes);
  const shown = (systemClock.monotonic() - from) / 1000;
  await until("all joins are answered", async () => (await agentsOf(fleets)).joined >= nodes);
  return { answered: (await agentsOf(fleets)).joinedMs / 1000, shown };
}

async function silentNodes({ hubClient, path }: Setting): Promise<readonly string[]> {
  const { nodes } = await hubClient.json<{ nodes: { address: string; state: string }[] }>("GET", `${path}/status`);
  return nodes.filter(({ state }) => state !== "up").map(({ address }) => address);
}

async function beatOn(setting: Setting): Promise<Steady> {
  const { minutes, client, hub, manager, fleets, nodes } = setting;
  const expired = new Set<string>();
  let leastHealthy = nodes;
  const before = await agentsOf(fleets);
  const from = await read(setting);
  const end = from.at + minutes * 60_000;
  for (let left = end - from.at; left > 0; left = end - systemClock.monotonic()) {
    await systemClock.sleep(Math.min(LOOK_MS, left));
    for (const address of await silentNodes(setting)) expired.add(address);
    leastHealthy = Math.min(leastHealthy, await healthy(client));
  }
  const to = await read(setting);
  const { failures, firstFailure } = await agentsOf(fleets);
  return {
    ...{ from, to, leastHealthy, firstFailure, failures: failures - before.failures, expired: expired.size },
    rss: { hub: rssMiB(hub.pid), manager: rssMiB(manager.pid) },
  };
}

async function copiesMade(fleets: readonly Fleet[]): Promise<number> {
  const counts = await Promise.all(fleets.map((fleet) => fleet.calls()));
  return counts.reduce((total, calls) => total + (calls[CREATE] ?? 0), 0);
}

async function vanish(setting: Setting): Promise<Vanished> {
  const { fleets, vanishing, nodes, watchMs, client } = setting;
  const staying = fleets.filter((fleet) => fleet !== vanishing);
  await Promise.all(fleets.map((fleet) => fleet.reset()));
  let noticed = 0;
  let warning: string | undefined;
  vanishing.freeze();
  const end = systemClock.monotonic() + watchMs;
  while (systemClock.monotonic() < end) {
    await systemClock.sleep(1_000);
    noticed = Math.max(noticed, nodes - (await healthy(client)));
    const { Warnings } = await client.json<{ Warnings?: readonly string[] | null }>("GET", "/info");
    warning ??= Warnings?.find((words) => words.includes("vanished at once"));
  }
  const copies = await copiesMade(staying);
  vanishing.thaw();
  const backIn = await until("all nodes are back", async () => (await healthy(client)) >= nodes);
  await systemClock.sleep(LOOK_MS);
  return { noticed, copies, warning, backIn, copiesThen: (await copiesMade(fleets)) - copies };
}

function reportSteady(
  { from, to, expired, leastHealthy, rss, failures, firstFailure }: Steady,
  { nodes }: Sizes,
): void {
  const minutes = (to.at - from.at) / 60_000;
  const each = (pick: (meters: Meters) => number): number => (pick(to) - pick(from)) / (minutes * 60);
  console.log(
    `\n${table(
      [`${nodes} nodes for ${figure(minutes)} min`, "hub", "manager"],
      [
        ["CPU seconds a minute", figure(each((m) => m.hubCpu) * 0.06), figure(each((m) => m.managerCpu) * 0.06)],
        ["RSS MiB", figure(rss.hub), figure(rss.manager)],
        ["heartbeats answered a second", figure(each((m) => m.beats)), ""],
        ["store transactions a second", figure(each((m) => m.transactions)), ""],
        ["KiB written to disk a second", figure(each((m) => m.diskBytes) / 1024), ""],
        ["heartbeats that failed", String(failures), ""],
        ["nodes that expired wrongly", String(expired), ""],
        ["fewest healthy nodes", "", String(leastHealthy)],
      ],
    )}`,
  );
  if (firstFailure !== undefined) console.log(`\nThe first heartbeat that failed: ${firstFailure}`);
}

function reportVanished(outcome: Vanished, { vanish, nodes, watchMs }: Sizes): void {
  const { noticed, copies, warning, backIn, copiesThen } = outcome;
  console.log(
    `\n${table(
      [`${vanish} of ${nodes} nodes vanish for ${figure(watchMs / 1000)} s`, ""],
      [
        ["nodes that the manager missed", String(noticed)],
        ["containers made elsewhere", String(copies)],
        ["all healthy again after s", figure(backIn)],
        ["containers made then", String(copiesThen)],
      ],
    )}`,
  );
  console.log(`\ndocker info: ${warning ?? "no word of nodes that vanished at once"}`);
}

async function measure(setting: Setting): Promise<void> {
  const { nodes, minutes, vanish: gone, client, hub, manager } = setting;
  console.error(`${nodes} nodes join …`);
  const cpu = { hub: cpuMs(hub.pid), manager: cpuMs(manager.pid) };
  const { answered, shown } = await joinAll(setting);
  console.log(
    table(
      [`${nodes} nodes join at once`, ""],
      [
        ["all answered after s", figure(answered)],
        ["all healthy at the manager after s", figure(shown)],
        ["CPU seconds of the hub", figure((cpuMs(hub.pid) - cpu.hub) / 1000)],
        ["CPU seconds of the manager", figure((cpuMs(manager.pid) - cpu.manager) / 1000)],
      ],
    ),
  );
  const made = await createAndStart(client, nodes, 16, { image: "busybox", env: ["reschedule:always"] }, []);
  if (made.errors > 0) throw new Error(`${made.errors} of ${nodes} creates failed, first: ${made.firstError}`);
  console.error(`they beat for ${minutes} min …`);
  reportSteady(await beatOn(setting), setting);
  console.error(`${gone} of them vanish …`);
  reportVanished(await vanish(setting), setting);
}

async function run(sizes: Sizes): Promise<void> {
  const { nodes, vanish } = sizes;
  const closing: (() => Promise<void>)[] = [];
  try {
    const opened = async <T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> => {
      const part = await starting;
      closing.unshift(() => part.stop());
      return part;
    };
    const clientOf = (address: string): BenchClient => {
      const client = new BenchClient(address, 16);
      closing.unshift(() => client.close());
      return client;
    };
    const staying = await opened(startFleet(nodes - vanish, 0, { seed: 1, name: "stays", tcp: true }));
    const vanishing = await opened(startFleet(vanish, 0, { seed: 2, name: "vanishes", tcp: true }));
    const hub = await opened(startHub());
    const hubClient = clientOf(hub.url.replace(/^http:/, "tcp:"));
    const path = `/v1/clusters/${await hubClient.call("POST", "/v1/clusters")}`;
    const manager = await opened(startManager(`${hub.url}${path}`, 0));
    const client = clientOf(manager.address);
    await measure({ ...sizes, fleets: [staying, vanishing], vanishing, hub, hubClient, path, manager, client });
  } finally {
    for (const close of closing) await close();
  }
}

export async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      nodes: { type: "string" },
      minutes: { type: "string" },
      heartbeat: { type: "string" },
      ttl: { type: "string" },
      vanish: { type: "string" },
      watch: { type: "string" },
      quick: { type: "boolean", default: false },
    },
  });
  const number = (given: string | undefined, whole: number, quick: number): number =>
    Number(given ?? (values.quick ? quick : whole));
  await run({
    nodes: number(values.nodes, 1_000, 50),
    minutes: number(values.minutes, 10, 0.25),
    heartbeatMs: number(values.heartbeat, 60, 2) * 1000,
    ttlMs: number(values.ttl, 180, 6) * 1000,
    vanish: number(values.vanish, 40, 20),
    watchMs: number(values.watch, 210, 45) * 1000,
  });
}
