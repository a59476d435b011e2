/**
 * Seed 000's rebalancing story and its `reschedule` examples, as they are typed: the stock docker CLI with a NODE column,
 * over three real engines of 1 CPU and 2 GB, of which node-1 alone has storage=ssd. node-1 is powered off; what ran there
 * goes on elsewhere, waits, or stays; node-1 returns, one copy of each runs, and no data are lost. SHOAL_FULL=1 tells it with
 * both CLIs.
 */
import { mkdtempSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CliName } from "./support/docker.ts";
import { docker, shell } from "./support/docker.ts";
import { machinesIn } from "./support/engines.ts";
import { until } from "./support/exec.ts";
import { at, clis, emptyFleet, fleet } from "./support/fleet.ts";
import { call } from "./support/http.ts";
import { type Manager, startManager } from "./support/manager.ts";

const SHOAL = resolve(import.meta.dirname, "../../bin/shoal");
/** Far more than it ever takes: what it took is printed. */
const PATIENCE = 120_000;
const COLUMNS = ["CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS", "NODE", "NAMES"] as const;
type Row = Readonly<Record<(typeof COLUMNS)[number], string>>;
/** Of this run alone: both declare a volume, as the real ones do. */
const IMAGES = ["redis:2.8", "mysql:latest"];
const ON_NODE_1 = "-e 'constraint:node==~node-1'";

/** The rows of docker's table, which has the first documents' columns. */
function rowsOf(table: string): Row[] {
  const [head = "", ...lines] = table.split("\n");
  const starts = COLUMNS.map((column) => head.indexOf(column));
  expect(starts, head).toEqual(starts.filter((start) => start >= 0).sort((a, b) => a - b));
  return lines.map((line) => {
    const cells = COLUMNS.map((column, index) => [column, line.slice(starts[index], starts[index + 1]).trim()]);
    return Object.fromEntries(cells) as Row;
  });
}

const engines = () => fleet().nodes.map(({ name, host, address }) => ({ name, address, target: at(host) }));
function node(name: string) {
  const found = engines().find((one) => one.name === name);
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
}

/** On every engine, past any manager: the same IDs everywhere, so that no move has to pull. */
async function provideImages(): Promise<void> {
  const [first, ...others] = engines();
  if (first === undefined) throw new Error("no engine");
  const [redis, mysql] = IMAGES;
  await docker(first.target, "docker create --name base redis:latest");
  await docker(first.target, `docker commit -c 'VOLUME /data' base ${redis} && docker rm base`);
  await docker(first.target, `docker tag ${redis} ${mysql}`);
  for (const { target } of others) {
    await docker(first.target, `docker save ${IMAGES.join(" ")} | docker -H ${target.host} load`);
  }
}

const real = describe.runIf(fleet().subject === "shoal");
const chosen: readonly CliName[] = fleet().full ? clis() : ["28"];

real.for(chosen)("the first seed's rebalancing, docker %s", (cli) => {
  const machines = machinesIn(fleet().folder);
  let manager: Manager;
  let config: string;
  let began: number;
  /** Of redis, as `docker run` printed it. */
  let id: string;

  beforeAll(async () => {
    await emptyFleet();
    await provideImages();
    began = Math.floor(Date.now() / 1000);
    config = mkdtempSync(join(fleet().work, "rebalance-"));
    manager = await startManager({ flags: ["--reschedule", "on"] });
    await run(`${SHOAL} setup-cli --ps-format`);
  });
  afterAll(async () => {
    await machines.start("node-1");
    await manager?.stop();
    await emptyFleet();
    for (const { target } of engines()) await docker(target, `docker rmi -f ${IMAGES.join(" ")}`);
  });

  const target = () => at(manager.host, cli, { DOCKER_CONFIG: config });
  const run = (line: string): Promise<string> => docker(target(), line);
  const ps = async (flags: string): Promise<Row[]> => rowsOf(await run(`docker ps ${flags}`));
  const rowOf = async (name: string): Promise<Row> => {
    const row = (await ps("-a")).find(({ NAMES }) => NAMES === name);
    if (row === undefined) throw new Error(`${name} is not listed`);
    return row;
  };
  const shows = (name: string, what: Partial<Record<keyof Row, RegExp>>): Promise<Row> => {
    let last: Row | undefined;
    const wanted = Object.entries(what) as [keyof Row, RegExp][];
    return until(`${name}: ${wanted.join(" ")}`, PATIENCE, async () => {
      last = await rowOf(name);
      const row = last;
      return wanted.every(([column, words]) => words.test(row[column])) ? row : undefined;
    }).catch((error: unknown) => {
      throw new Error(`${String(error)}; the last row: ${JSON.stringify(last)}`, { cause: error });
    });
  };
  const published = (name: string, port: number): RegExp =>
    new RegExp(`^${node(name).address.replaceAll(".", "\\.")}:\\d+->${port}/tcp$`);

  it("runs containers on node-1", async ({ onTestFailed }) => {
    onTestFailed(() => manager.printLog());
    id = await run("docker run -d -P -m 1g --name redis redis:2.8");
    await run(`${SHOAL} run -d -P --constraint storage=ssd --constraint reschedule=never --name db mysql`);
    await run(`${SHOAL} run -d -P --constraint node=~node-1 --constraint reschedule=always --name front nginx`);
    const labels = `--label 'com.docker.swarm.reschedule-policies=["on-node-failure"]'`;
    await run(`docker run -d --name labelled ${labels} ${ON_NODE_1} busybox sleep 3600`);
    await run(
      "docker run -d --name pinned -e constraint:storage==ssd -e reschedule:on-node-failure busybox sleep 3600",
    );
    // So that neither has room for redis.
    for (const name of ["node-2", "node-3"]) {
      await run(`docker run -d --name full-${name} -m 1500m -e constraint:node==${name} busybox sleep 3600`);
    }
    await run("docker exec redis sh -c 'echo kept >/data/file'");

    const rows = await ps("");
    const redis = rows.find(({ NAMES }) => NAMES === "redis");
    expect(redis).toEqual({
      "CONTAINER ID": id.slice(0, 12),
      IMAGE: "redis:2.8",
      COMMAND: expect.stringMatching(/^"\/bin\/nc/),
      CREATED: expect.stringMatching(/ ago$/),
      STATUS: expect.stringMatching(/^Up /),
      PORTS: expect.stringMatching(published("node-1", 6379)),
      NODE: "node-1",
      NAMES: "redis",
    });
    const placed = rows.map(({ NAMES, NODE }) => `${NAMES} ${NODE}`).sort();
    const there = ["db", "front", "labelled", "pinned", "redis"].map((name) => `${name} node-1`);
    expect(placed).toEqual([...there, "full-node-2 node-2", "full-node-3 node-3"].sort());
    expect(`6379/tcp -> ${redis?.PORTS.split("->", 1)[0]}`).toBe(await run("docker port redis"));
    const first = '{{with index .NetworkSettings.Ports "6379/tcp" 0}}{{.HostIp}}:{{.HostPort}}{{end}}';
    expect(await run(`docker inspect -f '${first}' redis`)).toBe(redis?.PORTS.split("->", 1)[0]);
  });

  it("goes through the seed's states when node-1 is powered off", async ({ onTestFailed }) => {
    onTestFailed(() => manager.printLog());
    await machines.kill("node-1");
    const from = Date.now();
    const states: string[] = [];
    const pending = await until("redis is pending", PATIENCE, async () => {
      const row = await rowOf("redis");
      const state = `${row.STATUS.split(" ", 2)
        .join(" ")
        .replace(/^Up .*/, "Up")} ${row.NODE}`.trim();
      if (states.at(-1) !== state) states.push(state);
      return row.STATUS === "pending" ? row : undefined;
    });
    console.log(`powered off: ${states.join(", ")} after ${((Date.now() - from) / 1000).toFixed(1)} s`);
    // Between two looks one of them may have come and gone.
    expect(["Up node-1", "Host Down node-1", "pending"].filter((state) => states.includes(state))).toEqual(states);
    expect(pending).toMatchObject({ "CONTAINER ID": id.slice(0, 12), IMAGE: "redis:2.8", NAMES: "redis" });
    expect([pending.PORTS, pending.NODE]).toEqual(["", ""]);
    expect((await ps("")).map(({ NAMES }) => NAMES)).not.toContain("redis");

    await shows("labelled", { STATUS: /^Up /, NODE: /^node-[23]$/ });
    const front = await shows("front", { STATUS: /^Up /, NODE: /^node-[23]$/, PORTS: /./ });
    expect(front.PORTS).toMatch(published(front.NODE, 80));
    const page = await until("its page", PATIENCE, () => call(`tcp://${front.PORTS.split("->", 1)[0]}`, "/"));
    expect(page.text).toBe("hello from busybox\n");
    const db = await rowOf("db");
    expect(db).toMatchObject({ STATUS: "Host Down", NODE: "node-1" });
    expect(db.PORTS).toMatch(published("node-1", 6379));
    expect(await shows("pinned", { STATUS: /^pending$/ })).toMatchObject({ PORTS: "", NODE: "" });

    const reason = (name: string, words: RegExp): Promise<string> =>
      until(`${name}: ${words}`, PATIENCE, async () => {
        const said = await run(`docker inspect -f '{{.State.Status}}: {{.State.Error}}' ${name}`);
        return words.test(said) ? said : undefined;
      });
    await reason("redis", /^pending: no resources available to schedule container/);
    console.log(await reason("pinned", /^pending: \S/));
    const refused = await shell(target(), "docker start redis");
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringContaining("container redis is pending: no resources available to schedule container"),
    ]);
    await until("both are shown as waiting", PATIENCE, async () => {
      const waiting = (await run(`${SHOAL} ps --pending --format '{{.Name}} {{.Left}}'`)).split("\n").sort();
      return waiting.join() === "pinned node-1,redis node-1" || undefined;
    });
  });

  it("runs on node-2 as soon as there is room, under the same ID and name", async ({ onTestFailed }) => {
    onTestFailed(() => manager.printLog());
    await run("docker rm -f full-node-2");
    const from = Date.now();
    const redis = await shows("redis", { STATUS: /^Up /, NODE: /^node-2$/, PORTS: /./ });
    console.log(`room: runs after ${((Date.now() - from) / 1000).toFixed(1)} s`);
    expect(redis).toMatchObject({ "CONTAINER ID": id.slice(0, 12), IMAGE: "redis:2.8", NAMES: "redis" });
    expect(redis.PORTS).toMatch(published("node-2", 6379));
    expect(await run("docker port redis")).toBe(`6379/tcp -> ${redis.PORTS.split("->", 1)[0]}`);
    expect(await run("docker inspect -f '{{.Id}} {{.Name}} {{.Node.Name}}' redis")).toBe(`${id} /redis node-2`);
    // What it kept on its node stayed there.
    expect(await run("docker exec redis ls /data")).toBe("");
  });

  it("leaves one running copy of each when node-1 is back, and its data", async ({ onTestFailed }) => {
    onTestFailed(() => manager.printLog());
    await machines.start("node-1");
    const from = Date.now();
    // What waited for node-1 alone runs there again; what was never to leave it is as its engine left it.
    await shows("pinned", { STATUS: /^Up /, NODE: /^node-1$/ });
    await shows("db", { STATUS: /^Exited /, NODE: /^node-1$/ });
    expect(await run("docker start db")).toBe("db");
    const aside = /^(front|labelled|redis)\.kept-[0-9a-f]{12} (Exited|Created)/;
    await until("the copies that were left are aside", PATIENCE, async () => {
      const rows = await docker(node("node-1").target, "docker ps -a --format '{{.Names}} {{.Status}}'");
      return rows.split("\n").filter((row) => aside.test(row)).length === 3 || undefined;
    });
    console.log(`powered on: as before after ${((Date.now() - from) / 1000).toFixed(1)} s`);
    const running = await Promise.all(engines().map(({ target }) => docker(target, "docker ps --format '{{.Names}}'")));
    const names = ["db", "front", "full-node-3", "labelled", "pinned", "redis"];
    expect(running.join("\n").split("\n").filter(Boolean).sort()).toEqual(names);
    expect((await ps("-a")).map(({ NAMES }) => NAMES).sort()).toEqual(names);
    expect(await rowOf("redis")).toMatchObject({ "CONTAINER ID": id.slice(0, 12), NODE: "node-2" });

    const told = ["pending", "reschedule", "kept"];
    const filters = told.map((event) => `--filter event=${event}`).join(" ");
    const format = "--format '{{.Action}} {{.Actor.Attributes.name}}'";
    await until("all of it is told", PATIENCE, async () => {
      const now = Math.ceil(Date.now() / 1000);
      const events = (await run(`docker events --since ${began} --until ${now} ${filters} ${format}`)).split("\n");
      const ofRedis = events.filter((event) => event.endsWith(" redis"));
      return ofRedis.join() === told.map((action) => `${action} redis`).join() || undefined;
    });

    const kept = (await run(`${SHOAL} kept ls --format '{{.ID}} {{.Name}} {{.Node}}'`)).split("\n");
    expect(kept.map((line) => line.replace(/^[0-9a-f]{64} /, "")).sort()).toEqual([
      "front node-1",
      "labelled node-1",
      "redis node-1",
    ]);
    const copy = kept.find((line) => line.endsWith(" redis node-1"))?.split(" ", 1)[0];
    await run(`${SHOAL} kept restore --name before ${copy}`);
    expect(await run("docker start before && docker exec before cat /data/file")).toBe("before\nkept");
  });
});
