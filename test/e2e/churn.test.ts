/**
 * T6: projects come and go on three nodes, some cut off in the middle of coming up: no network, volume, container, record,
 * booking, descriptor or memory of them is left. With the slow counts an hour of it, with as many at a time as the nodes
 * have addresses for, up to a hundred.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Random, seededRandom } from "../../src/kit/random.ts";
import { linkComposeV2 } from "./compat/clients.ts";
import { shell } from "./support/docker.ts";
import { type EngineWatch, watchEngines } from "./support/engine-watch.ts";
import { machinesIn } from "./support/engines.ts";
import { pooled, until } from "./support/exec.ts";
import { at, emptyFleet, fleet } from "./support/fleet.ts";
import { call, get } from "./support/http.ts";
import { type Manager, startManager, storeKeys } from "./support/manager.ts";
import { descriptorsOf, heapOf, MEASURED, MiB } from "./support/memory.ts";
import {
  type Belongings,
  belongings,
  type Cut,
  down,
  isLinked,
  type Project,
  pruneVolumes,
  Refusal,
  running,
  up,
} from "./support/projects.ts";

const { full } = fleet();
const MINUTE = 60_000;
/** Between rounds everything is gone, and counted. The first one is to fill what is kept of the past. */
const ROUNDS = full ? 3 : 1;
const ROUND = 20 * MINUTE;
/** Projects of a round that does not last a time. */
const COUNT = 12;
const AT_ONCE = full ? 100 : 5;
/** How many come or go at the same moment. */
const WIDTH = full ? 6 : 4;
/** One in so many is the real Compose's. */
const COMPOSED = full ? 20 : 6;
/** Placement decisions are kept for `shoal why`, the last ten thousand. */
const DECISIONS = 10_000;
/** What the heap may grow by: some of itself, and for each project less than any record of one takes. */
const MOST_LEFT = { whole: MiB, each: 512 };
/** Idle connections to engines. */
const MOST_DESCRIPTORS = 6;

/** For anything that has to come to an end on a busy machine. */
const LONG = 5 * MINUTE;

const NO_ADDRESSES = /address pool|fully subnetted/;

/** How one project lives. */
interface Life {
  readonly project: Project;
  readonly composed: boolean;
  readonly cut: Cut | undefined;
  readonly abruptly: boolean;
  /** Volumes go with it, else by a prune afterwards. */
  readonly withVolumes: boolean;
}

function draw(random: Random, index: number): Life {
  const project = {
    name: `churn${index}`,
    networks: 1 + random.int(2),
    hasVolume: random.int(2) === 0,
    containers: 2 + random.int(2),
  };
  return {
    project,
    composed: index % COMPOSED === 0,
    cut: random.int(4) === 0 ? { call: 1 + random.int(8), after: random.int(150) } : undefined,
    abruptly: random.int(2) === 0,
    withVolumes: random.int(2) === 0,
  };
}

/** The same project for the real Compose. */
const composeFile = ({ networks, hasVolume, containers }: Project): string => {
  const names = Array.from({ length: networks }, (_, index) => `net${index + 1}`);
  const services = Array.from({ length: containers }, (_, index) => {
    const joined = index === 0 ? names : names.slice(0, 1);
    return {
      image: "busybox",
      command: "sleep 36000",
      stop_grace_period: "0s",
      networks: joined,
      ...(index === 0 && hasVolume ? { volumes: ["data:/data"] } : {}),
      ...(index > 0 ? { depends_on: ["c1"] } : {}),
    };
  });
  return JSON.stringify({
    services: Object.fromEntries(services.map((service, index) => [`c${index + 1}`, service])),
    networks: Object.fromEntries(names.map((name) => [name, {}])),
    ...(hasVolume ? { volumes: { data: {} } } : {}),
  });
};

let manager: Manager;
let watch: EngineWatch;
let bin: string;
let store: string;
const random = seededRandom(6);
const alive: Life[] = [];
const count = { came: 0, cut: 0, refused: 0, most: 0, troubled: 0 };
/** Whom the clients left in the middle: what they had asked for may still come. */
const cutOff = new Set<string>();

/** Runs the real Compose in a folder of the project's own; a cut kills it. */
async function compose({ project }: Life, line: string, cut?: Cut) {
  const cwd = mkdtempSync(join(fleet().work, `${project.name}-`));
  writeFileSync(join(cwd, "compose.yml"), composeFile(project));
  const target = at(manager.host);
  const env = { PATH: `${bin}:${target.cli.bin}:${process.env.PATH ?? ""}`, HOME: cwd };
  const killed = cut === undefined ? "" : `timeout -s KILL ${0.5 + (cut.call * cut.after) / 400} `;
  const done = await shell(target, `${killed}docker-compose -p ${project.name} ${line}`, { cwd, env, timeout: LONG });
  rmSync(cwd, { recursive: true });
  if (done.code !== 0 && cut === undefined) throw new Refusal(`${project.name}: ${line}: ${done.stdout}${done.stderr}`);
  return done.code === 0;
}

/**
 * What is under way while an engine stands still ends as it may: it counts as cut off, and is swept away when its time comes.
 *
 * @returns undefined when it failed for that reason
 */
async function orTroubled<T>({ project }: Life, work: () => Promise<T>): Promise<T | undefined> {
  const { restarts } = watch;
  try {
    return await work();
  } catch (error) {
    await watch.settled();
    if (watch.restarts === restarts) throw error;
    console.log(`${project.name} met an engine that stood still: ${String(error)}`);
    count.troubled++;
    // It ended what others run there as well.
    for (const { name } of [project, ...alive.map((one) => one.project)]) cutOff.add(name);
    return undefined;
  }
}

/** Brings one up. @returns false when the nodes have no addresses left for it */
async function come(life: Life): Promise<boolean> {
  const { project, cut, composed } = life;
  if (cut !== undefined) cutOff.add(project.name);
  try {
    const whole = composed ? await compose(life, "up -d", cut) : await up(manager.host, project, cut);
    if (whole) await expectWhole(life);
    else count.cut++;
    return true;
  } catch (error) {
    if (!(error instanceof Refusal && NO_ADDRESSES.test(error.message))) throw error;
    count.refused++;
    return false;
  }
}

/** All of it on one node, and nothing of it elsewhere. */
async function expectWhole({ project: { name, networks, hasVolume, containers } }: Life): Promise<void> {
  const everywhere = await Promise.all(fleet().nodes.map(({ host }) => belongings(host, name)));
  const [there, ...others] = everywhere.filter((one) => size(one) > 0);
  expect(others, name).toEqual([]);
  expect(there?.containers, name).toHaveLength(containers);
  expect(there?.networks, name).toHaveLength(networks);
  expect(there?.volumes, name).toHaveLength(hasVolume ? 1 : 0);
}

const size = ({ containers, networks, volumes }: Belongings): number =>
  containers.length + networks.length + volumes.length;

/** Takes one away that is up. */
async function leave(life: Life): Promise<void> {
  const { project, composed, abruptly, withVolumes } = life;
  const { name } = project;
  if (cutOff.has(name)) return sweep(name);
  expect(await running(manager.host, name), name).toBe(project.containers);
  if (composed) {
    await compose(life, `down -t 0${withVolumes ? " -v" : ""}`);
  } else {
    await until(`${name} is linked`, LONG, async () => ((await isLinked(manager.host, project)) ? true : undefined));
    await down(manager.host, name, { volumes: withVolumes, abruptly });
  }
  expect(await pruneVolumes(manager.host, name), name).toHaveLength(project.hasVolume && !withVolumes ? 1 : 0);
}

/** Takes one away, whatever its engine does. */
async function depart(life: Life): Promise<void> {
  const left = await orTroubled(life, async () => {
    await leave(life);
    return true;
  });
  if (left === undefined) await sweep(life.project.name);
}

/** What was removed while its engine stood still is kept aside there. */
async function removeKept(): Promise<void> {
  for (const { ID, Reachable } of await get<{ ID: string; Reachable: boolean }[]>(manager.host, "/shoal/kept")) {
    if (Reachable) await call(manager.host, `/shoal/kept/${ID}`, { method: "DELETE" });
  }
}

/** Takes down what there is and what still comes, until nothing is listed. */
async function sweep(name: string): Promise<void> {
  await until(`${name} is gone`, LONG, async () => {
    if (watch.restarts > 0) await removeKept();
    if (size(await belongings(manager.host, name)) === 0) return true;
    await down(manager.host, name, { volumes: true, abruptly: true });
    return undefined;
  });
}

/** Lets projects come and go until the round is over, and the last one is gone. */
async function churn(): Promise<void> {
  const end = Date.now() + ROUND;
  const last = count.came + COUNT;
  let failed = false;
  const isOver = () => failed || (full ? Date.now() > end : count.came >= last);
  const work = async (): Promise<void> => {
    while (!isOver()) {
      const life = draw(random, ++count.came);
      const hasRoom = (await orTroubled(life, () => come(life))) ?? true;
      if (hasRoom) alive.push(life);
      else await sweep(life.project.name);
      count.most = Math.max(count.most, alive.length);
      // So that there is room for the next.
      const oldest = !hasRoom || alive.length > AT_ONCE ? alive.shift() : undefined;
      if (oldest) await depart(oldest);
    }
  };
  const workers = Array.from({ length: WIDTH }, () =>
    work().catch((error: unknown) => {
      failed = true;
      throw error;
    }),
  );
  await Promise.all(workers);
  await pooled(
    WIDTH,
    alive.splice(0).map((life) => () => depart(life)),
  );
  for (const name of cutOff) await sweep(name);
  cutOff.clear();
  if (watch.restarts > 0) await removeKept();
}

/** What there is when there are no projects. */
interface Quiet {
  readonly keys: readonly string[];
  readonly descriptors: number;
  readonly heap: number;
}

const quiet = async (): Promise<Quiet> => ({
  keys: await storeKeys(store),
  descriptors: descriptorsOf(manager),
  heap: await heapOf(manager),
});

/** Engines, lists, ledger, store and descriptors are as they were before. */
async function expectNothingLeft(before: Quiet): Promise<void> {
  for (const { name, host } of [...fleet().nodes, { name: "the manager", host: manager.host }]) {
    expect(await belongings(host), name).toEqual({ containers: [], networks: [], volumes: [] });
  }
  for (const node of await get<Record<string, unknown>[]>(manager.host, "/shoal/nodes")) {
    expect(node).toMatchObject({ Containers: 0, Running: 0, ReservedCPUs: 0, ReservedMemory: 0 });
  }
  expect(await get<unknown[]>(manager.host, "/shoal/groups")).toEqual([]);
  let keys: readonly string[] = [];
  // A create that broke off is remembered for ten minutes.
  await until("the store's records are gone", LONG, async () => {
    keys = await storeKeys(store);
    return keys.every((key) => before.keys.includes(key) || key.startsWith("undone/")) ? true : undefined;
  }).catch(() => expect(keys).toEqual(before.keys));
  await until("the connections of the manager are closed", LONG, () =>
    descriptorsOf(manager) <= before.descriptors + MOST_DESCRIPTORS ? true : undefined,
  );
}

function tell(what: string, { descriptors, heap }: Omit<Quiet, "keys">): void {
  const { came, cut, refused, most, troubled } = count;
  console.log(
    `${what}: ${came} came (${cut} cut off, ${refused} had no addresses, ${troubled} met an engine that stood still), ${alive.length} there now, ${most} at most; ` +
      `heap ${(heap / MiB).toFixed(2)} MiB, resident ${(manager.rss() / MiB).toFixed(0)} MiB, ${descriptors} descriptors`,
  );
}

/** Fills what is kept of placement decisions, so that it grows no more: with refusals as large as what projects leave. */
async function fillDecisions(): Promise<void> {
  const Labels = { "com.docker.compose.project": "fill" };
  const body = { Image: "busybox", HostConfig: { Memory: 2 ** 50 }, Labels };
  await call(manager.host, "/networks/create", { method: "POST", body: { Name: "fill", Labels } });
  const fill = async (index: number) => {
    const { status } = await call(manager.host, `/containers/create?name=fill${index}`, { method: "POST", body });
    expect(status).toBe(409);
  };
  await pooled(
    WIDTH,
    Array.from({ length: DECISIONS }, (_, index) => () => fill(index)),
  );
  expect((await call(manager.host, "/networks/fill", { method: "DELETE" })).status).toBe(204);
}

// Nothing here depends on the IDs.
describe.runIf(fleet().subject === "shoal" && !fleet().minted)("projects that come and go", () => {
  beforeAll(async () => {
    await emptyFleet();
    bin = join(fleet().work, "bin-churn");
    mkdirSync(bin);
    await linkComposeV2(bin);
    store = join(mkdtempSync(join(fleet().work, "churn-")), "store");
    watch = watchEngines(fleet().nodes, machinesIn(fleet().folder));
    manager = await startManager({ env: { ...MEASURED, SHOAL_STORE: `file://${store}` } });
  });
  afterAll(async () => {
    await manager?.stop();
    await watch?.stop();
    await emptyFleet();
  });

  it("leave nothing behind", { timeout: ROUNDS * ROUND * 2 }, async ({ onTestFailed }) => {
    onTestFailed(() => manager.printLog());
    if (full) await fillDecisions();
    const empty = await quiet();
    tell("before", empty);
    const rounds: { readonly heap: number; readonly came: number }[] = [];
    const every = setInterval(() => {
      heapOf(manager).then(
        (heap) => tell(new Date().toISOString(), { heap, descriptors: descriptorsOf(manager) }),
        (error: unknown) => console.log(String(error)),
      );
    }, MINUTE);
    try {
      for (let round = 1; round <= ROUNDS; round++) {
        await churn();
        await expectNothingLeft(empty);
        const after = await quiet();
        tell(`round ${round}`, after);
        rounds.push({ heap: after.heap, came: count.came });
      }
    } finally {
      clearInterval(every);
    }
    const [first, last] = [rounds[0], rounds.at(-1)];
    if (first === undefined || last === undefined || first === last) return;
    const projects = last.came - first.came;
    const growth = last.heap - first.heap;
    console.log(`the heap grew by ${(growth / 1024).toFixed(0)} KiB over ${projects} projects`);
    expect(growth).toBeLessThan(MOST_LEFT.whole + projects * MOST_LEFT.each);
  });
});
