/**
 * R7: Compose brings an application up through a replica, and the manager that leads is killed at a random moment of it. No
 * request is told more than one error, one to be tried again; and when Compose is run once more all is as it should be:
 * every service once, nothing twice, and nothing left by `down -v`. SHOAL_FULL=1 does so 30 times; SHOAL_SEED=N begins
 * with another round, each round printing its own.
 */
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pick, type Random, seededRandom } from "../../src/kit/random.ts";
import { LEADER_WAIT_MS } from "../../src/kit/replica-limits.ts";
import { linkComposeV2 } from "./compat/clients.ts";
import { shell } from "./support/docker.ts";
import { type Exchange, Exchanges } from "./support/exchanges.ts";
import { type Outcome, sleep, until } from "./support/exec.ts";
import { at, emptyFleet, fleet } from "./support/fleet.ts";
import { get } from "./support/http.ts";
import { belongings } from "./support/projects.ts";
import { Replicas } from "./support/replicas.ts";

const FIRST = Number(process.env.SHOAL_SEED ?? 1);
const SEEDS = Array.from({ length: fleet().full ? 30 : 2 }, (_, index) => FIRST + index);
/** Far more than it ever takes: what it took is printed. */
const PATIENCE = 90_000;
const COMPOSE_MS = 240_000;
const SERVICES = ["s0", "s1", "s2", "s3", "s4", "s5"];
const FILE = `
services:
  s0: { image: nginx, networks: [front, back], stop_grace_period: 0s, ports: ["18090:80"] }
  s1: { image: redis, networks: [back], stop_grace_period: 0s, volumes: ["data:/data"] }
  s2: { image: busybox, command: sleep 3600, networks: [back], stop_grace_period: 0s, depends_on: [s1] }
  s3: { image: busybox, command: sleep 3600, networks: [back], stop_grace_period: 0s, restart: always }
  s4: { image: busybox, command: sleep 3600, networks: [front], stop_grace_period: 0s, depends_on: [s0] }
  s5: { image: busybox, command: sleep 3600, networks: [front], stop_grace_period: 0s }
networks: { front: {}, back: {} }
volumes: { data: {} }
`;
/** Two networks, a volume, and each service made and started. */
const CHANGES = 3 + 2 * SERVICES.length;

/** Families of the store that have nothing while there is no container and no create is under way. */
const OF_PROJECTS = /^(containers|groups|intents|making|recipes|rows|tombstones)\//;

/** When the one that leads is killed: so long after the change of this number was asked for. */
interface Moment {
  readonly change: number;
  readonly afterMs: number;
}

const draw = (random: Random): Moment => ({ change: 1 + random.int(CHANGES), afterMs: random.int(150) });

describe.runIf(fleet().subject === "shoal" && !fleet().minted)("Compose while the leader is killed", () => {
  let replicas: Replicas;
  let cwd: string;
  beforeAll(async () => {
    await emptyFleet();
    cwd = mkdtempSync(join(fleet().work, "replica-compose-"));
    mkdirSync(join(cwd, "bin"));
    await linkComposeV2(join(cwd, "bin"));
    writeFileSync(join(cwd, "docker-compose.yml"), FILE);
    replicas = await Replicas.start(3);
  });
  afterAll(async () => {
    await replicas?.close();
    await emptyFleet();
  });

  const compose = (host: string, project: string, line: string): Promise<Outcome> => {
    const target = at(host);
    const PATH = `${join(cwd, "bin")}:${target.cli.bin}:${process.env.PATH ?? ""}`;
    const env = { PATH, HOME: cwd, COMPOSE_PROJECT_NAME: project };
    return shell(target, `docker-compose ${line}`, { timeout: COMPOSE_MS, cwd, env });
  };

  it.for(SEEDS)("seed %i", { timeout: 900_000 }, async (seed, { onTestFailed }) => {
    const random = seededRandom(seed);
    const moment = draw(random);
    const old = await replicas.leader();
    onTestFailed(() => {
      for (const replica of [old, ...replicas.all]) replica.printLog();
    });
    const asked = pick(random, await replicas.followers());
    const project = `lives${seed}`;
    const exchanges = await Exchanges.with(asked.host);
    try {
      const first = compose(exchanges.host, project, "up -d");
      // Should it make fewer changes, it is over by then.
      await Promise.race([exchanges.asked(moment.change), first]);
      await sleep(moment.afterMs);
      await replicas.kill(old);
      const { code, stderr } = await first;
      tell(seed, moment, code, exchanges.failed);
      expectOneErrorEach(exchanges.failed);
      if (code !== 0 && exchanges.failed.length === 0) throw new Error(`it failed by itself: ${stderr}`);

      await replicas.leader();
      exchanges.forget();
      const second = await compose(exchanges.host, project, "up -d");
      expect(second.code, `${second.stderr}\n${JSON.stringify(exchanges.failed)}`).toBe(0);
      expect(exchanges.failed).toEqual([]);
      await expectOnce(project);

      const down = await compose(exchanges.host, project, "down -v -t 0");
      expect(down.code, down.stderr).toBe(0);
    } finally {
      exchanges.stop();
    }
    await expectNothingLeft(project);
    await replicas.add();
  });

  /** All of a project on one node, once, running, whoever is asked. */
  async function expectOnce(project: string): Promise<void> {
    const wanted = SERVICES.map((service) => `/${project}-${service}-1 running`);
    // What the one that was killed had asked of an engine may still be under way there.
    const homes = await agreeing(
      () => Promise.all(fleet().nodes.map(({ host }) => rowsOf(host, project))),
      (found) => found.flat().length === wanted.length,
    );
    expect(homes.flat().sort()).toEqual(wanted);
    expect(homes.filter((rows) => rows.length > 0)).toHaveLength(1);
    const others = await Promise.all(fleet().nodes.map(({ host }) => belongings(host, project)));
    const ofAll = (kind: "networks" | "volumes") => others.flatMap((one) => one[kind]).sort();
    expect(ofAll("networks")).toEqual([`${project}_back`, `${project}_front`]);
    expect(ofAll("volumes")).toEqual([`${project}_data`]);
    for (const { host } of replicas.all) expect((await rowsOf(host, project)).sort(), host).toEqual(wanted);
  }

  async function expectNothingLeft(project: string): Promise<void> {
    const nothing = { containers: [], networks: [], volumes: [] };
    for (const { host } of [...fleet().nodes, ...replicas.all]) {
      const left = await agreeing(
        () => belongings(host, project),
        (found) => Object.values(found).flat().length === 0,
      );
      expect(left, host).toEqual(nothing);
    }
    const records = await agreeing(
      async () => (await replicas.store.list("")).map(({ key }) => key).filter((key) => OF_PROJECTS.test(key)),
      (found) => found.length === 0,
    );
    expect(records).toEqual([]);
  }
});

/** Names and states of a project's containers, by the list of one address. */
async function rowsOf(host: string, project: string): Promise<string[]> {
  const filters = encodeURIComponent(JSON.stringify({ label: [`com.docker.compose.project=${project}`] }));
  const rows = await get<{ Names: string[]; State: string }[]>(host, `/containers/json?all=1&filters=${filters}`);
  return rows.map(({ Names, State }) => `${Names.join()} ${State}`);
}

/** What is found once it is as wanted; what was found last when it never is, so that its difference is told. */
async function agreeing<T>(find: () => Promise<T>, isWanted: (found: T) => boolean): Promise<T> {
  let last: T | undefined;
  await until("agreement", PATIENCE, async () => {
    last = await find();
    return isWanted(last) || undefined;
  }).catch(() => undefined);
  return last ?? find();
}

function tell(seed: number, { change, afterMs }: Moment, code: number, failed: readonly Exchange[]): void {
  const errors = failed.map(({ method, path, status }) => `${method} ${path.split("?", 1)[0]} ${status}`);
  const when = `killed ${afterMs} ms after change ${change}`;
  console.log(`SHOAL_SEED=${seed}: ${when}; up ended with ${code}, ${errors.length} errors: ${errors.join(", ")}`);
}

/**
 * Each error asks to try again. It is told to who was under way when it was noticed that nobody leads: whoever asked when
 * that had been told to the first waits for the next leader, and is refused only when there is none for so long.
 */
function expectOneErrorEach(failed: readonly Exchange[]): void {
  const noticed = Math.min(...failed.map(({ to = Number.POSITIVE_INFINITY }) => to));
  for (const exchange of failed) {
    // Compose breaks off what it asked for beside the first that failed.
    expect(exchange).toMatchObject({ end: expect.stringMatching(/^(answered|left)$/), status: 503, retryAfter: "1" });
    const { from, to = 0, text } = exchange;
    const hasWaited = text.includes("No primary manager elected") && to - from >= LEADER_WAIT_MS / 2;
    expect(from <= noticed || hasWaited, JSON.stringify({ noticed, ...exchange })).toBe(true);
  }
}
