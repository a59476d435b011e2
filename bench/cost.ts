/**
 * What a create + start and a list of all through a manager cost, over a fleet with containers against the same fleet
 * without.
 *
 *   cost [--engines 200] [--containers 50] [--rounds 11] [--count 2000] [--concurrency 16] [--quick]
 *        [--audit | --against PROGRAM]
 *
 * With --audit: with an audit log against without, both over fleets with containers. With --against: this manager against
 * another program that takes the same command line, such as an older build's bin/shoal.
 * Both sides have a fleet and a manager of their own and are measured in alternation, so that what the machine does
 * beside it touches both. What a round made is removed before the next. Also counts the engines' calls.
 */
import { parseArgs } from "node:util";
import { systemClock } from "../src/kit/clock.ts";
import { BenchClient } from "./client.ts";
import { createAndStart, removeAll, repeat } from "./load.ts";
import { cpuMs, type Fleet, type Manager, rssMiB, startFleet, startManager } from "./processes.ts";
import { figure, median, percentile, table } from "./stats.ts";

interface Sizes {
  readonly engines: number;
  readonly containers: number;
  readonly rounds: number;
  readonly count: number;
  readonly concurrency: number;
  readonly audit: boolean;
  readonly against: string | undefined;
}

interface Side {
  readonly name: string;
  readonly fleet: Fleet;
  readonly manager: Manager;
  readonly client: BenchClient;
  /** Medians are taken over these, one value a round. */
  readonly wallMs: number[];
  readonly cpuMs: number[];
  readonly p50Ms: number[];
  readonly p99Ms: number[];
  /** Of one list of all containers. */
  readonly listMs: number[];
}

/** Longer than the manager's delay before it reads a change back. */
const SETTLE_MS = 1_500;
/** No inspect for so long: the manager has read the fleet. */
const QUIET_MS = 500;
const QUIET_TURNS = 120;
const UNASKED_ROW = "(unasked: pings, comparisons)";
const IMAGE = "busybox";
/** Lists of all containers in a round, two at a time. */
const LISTS = 30;

async function openSide(
  name: string,
  { engines, containers, concurrency }: Sizes,
  seed: number,
  { audit = false, executable }: { readonly audit?: boolean; readonly executable?: string | undefined } = {},
): Promise<Side> {
  console.error(`starting ${engines} engines x ${containers} containers and a manager …`);
  const fleet = await startFleet(engines, containers, { seed });
  try {
    const manager = await startManager(
      `file://${fleet.dir}/engines`,
      engines,
      audit ? ["--audit-log", `${fleet.dir}/audit.log`] : [],
      executable,
    );
    await quiet(fleet);
    const client = new BenchClient(manager.address, concurrency);
    return { name, fleet, manager, client, wallMs: [], cpuMs: [], p50Ms: [], p99Ms: [], listMs: [] };
  } catch (error) {
    await fleet.stop();
    throw error;
  }
}

/** Waits until a manager has read what it wants to know of the fleet: some place nothing on an engine before that. */
async function quiet(fleet: Fleet): Promise<void> {
  const inspects = async (): Promise<number> => (await fleet.calls())["GET /containers/{name}/json"] ?? 0;
  let before = await inspects();
  for (let turn = 0; turn < QUIET_TURNS; turn++) {
    await systemClock.sleep(QUIET_MS);
    const now = await inspects();
    if (now === before) return;
    before = now;
  }
  throw new Error("the manager goes on inspecting containers");
}

async function closeSide({ client, manager, fleet }: Side): Promise<void> {
  await client.close();
  await manager.stop();
  await fleet.stop();
}

async function round(side: Side, count: number, concurrency: number, keep: boolean): Promise<void> {
  const made: string[] = [];
  const cpu = cpuMs(side.manager.pid);
  const outcome = await createAndStart(side.client, count, concurrency, { image: IMAGE }, made);
  const used = cpuMs(side.manager.pid) - cpu;
  if (outcome.errors > 0) throw new Error(`${outcome.errors} of ${count} failed, first: ${outcome.firstError}`);
  await removeAll(side.client, made);
  // Without what has just changed: a list waits until that is read back.
  await systemClock.sleep(SETTLE_MS);
  const lists = await repeat(LISTS, 2, () => side.client.call("GET", "/containers/json?all=1"));
  if (!keep) return;
  side.wallMs.push((outcome.seconds * 1000) / count);
  side.cpuMs.push(used / count);
  side.p50Ms.push(percentile(outcome.samples, 0.5));
  side.p99Ms.push(percentile(outcome.samples, 0.99));
  side.listMs.push(percentile(lists.samples, 0.5));
}

/** What a manager asks by itself, in pings and in comparisons with the engines; the latter list containers too. */
const UNASKED = ["_ping", "events", "images/json", "info", "networks", "networks/{id}", "version", "volumes"];
const UNASKED_ROUTES = new Set(UNASKED.map((path) => `GET /${path}`));

/**
 * Engine calls by route for one create + start. A comparison lists containers once and images once, so as many lists
 * of containers as there were of images are counted as unasked.
 */
async function callsPerCreate(side: Side, count: number): Promise<Record<string, number>> {
  await systemClock.sleep(SETTLE_MS);
  await side.fleet.reset();
  const made: string[] = [];
  await createAndStart(side.client, count, 1, { image: IMAGE }, made);
  await systemClock.sleep(SETTLE_MS);
  const counts = await side.fleet.calls();
  await removeAll(side.client, made);
  const comparisons = counts["GET /images/json"] ?? 0;
  const out: Record<string, number> = {};
  let unasked = comparisons;
  for (const [route, calls] of Object.entries(counts)) {
    if (UNASKED_ROUTES.has(route)) unasked += calls;
    else out[route] = (calls - (route === "GET /containers/json" ? comparisons : 0)) / count;
  }
  out[UNASKED_ROW] = unasked / count;
  return out;
}

function report(sides: readonly [Side, Side], calls: Record<string, number>): void {
  const [empty, full] = sides;
  const line = (title: string, of: (side: Side) => readonly number[]): string[] => {
    const [none, some] = [median(of(empty)), median(of(full))];
    return [title, figure(none), figure(some), figure(some / none)];
  };
  console.log(
    table(
      ["create + start, medians", empty.name, full.name, "ratio"],
      [
        line("ms each (wall)", ({ wallMs }) => wallMs),
        line("ms of manager CPU each", (side) => side.cpuMs),
        line("p50 ms", ({ p50Ms }) => p50Ms),
        line("p99 ms", ({ p99Ms }) => p99Ms),
        line("a list of all, p50 ms", ({ listMs }) => listMs),
        ["manager healthy in s", figure(empty.manager.healthyIn), figure(full.manager.healthyIn), ""],
        ["manager RSS MiB", figure(rssMiB(empty.manager.pid)), figure(rssMiB(full.manager.pid)), ""],
      ],
    ),
  );
  const asked = Object.entries(calls).filter(([route]) => route !== UNASKED_ROW);
  const rows = Object.entries(calls)
    .sort(([, a], [, b]) => b - a)
    .map(([route, each]) => [route, figure(each)]);
  const sum = asked.reduce((total, [, each]) => total + each, 0);
  console.log(
    `\n${table(["engine calls for one create + start", "calls"], [...rows, ["all but the unasked", figure(sum)]])}`,
  );
}

function openFirst(sizes: Sizes): Promise<Side> {
  if (sizes.audit) return openSide("without", sizes, 1);
  if (sizes.against !== undefined) return openSide("the other", sizes, 1, { executable: sizes.against });
  return openSide("0 each", { ...sizes, containers: 0 }, 1);
}

async function compare(sizes: Sizes): Promise<void> {
  const { containers, rounds, count, concurrency, audit, against } = sizes;
  const empty = await openFirst(sizes);
  const opened: Side[] = [empty];
  try {
    const name = audit ? "audit log" : against === undefined ? `${containers} each` : "this";
    const full = await openSide(name, sizes, 2, { audit });
    opened.push(full);
    for (let turn = -1; turn < rounds; turn++) {
      console.error(turn < 0 ? "warming up" : `round ${turn + 1} of ${rounds}`);
      // The order changes each round, so that neither side always comes second.
      for (const side of turn % 2 === 0 ? [empty, full] : [full, empty])
        await round(side, count, concurrency, turn >= 0);
    }
    report([empty, full], await callsPerCreate(full, Math.min(count, 100)));
  } finally {
    for (const side of opened) await closeSide(side);
  }
}

export async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      engines: { type: "string", default: "200" },
      containers: { type: "string", default: "50" },
      rounds: { type: "string" },
      count: { type: "string" },
      concurrency: { type: "string", default: "16" },
      quick: { type: "boolean", default: false },
      audit: { type: "boolean", default: false },
      against: { type: "string" },
    },
  });
  await compare({
    engines: Number(values.engines),
    containers: Number(values.containers),
    rounds: Number(values.rounds ?? (values.quick ? 5 : 11)),
    count: Number(values.count ?? (values.quick ? 600 : 2000)),
    concurrency: Number(values.concurrency),
    audit: values.audit,
    against: values.against,
  });
}
