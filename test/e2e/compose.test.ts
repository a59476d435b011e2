/**
 * T3: an application of six services under Compose v1 and v2, as on one engine: in place, whole on one node, with nothing left
 * behind; and many projects at once, each whole on one node, all nodes used.
 */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { linkComposeV1, linkComposeV2 } from "./compat/clients.ts";
import { docker, type ShellOptions } from "./support/docker.ts";
import { killGroup, pooled, until } from "./support/exec.ts";
import { at, emptyFleet, fleet } from "./support/fleet.ts";
import { call, get } from "./support/http.ts";
import { type Manager, startManager } from "./support/manager.ts";

/** The database takes more than half of a node, so it can only be replaced in place. */
const APPLICATION = `
version: "2.4"
services:
  db:
    image: redis
    mem_limit: 1100m
    environment: {COLOR: "\${COLOR:-blue}"}
    volumes: ["data:/data"]
    networks: [back]
    healthcheck: {test: ["CMD-SHELL", "netstat -ltn | grep -q 6379"], interval: 1s, timeout: 20s, retries: 60}
  cache:
    image: redis
    networks: [back]
    volumes: ["scratch:/scratch"]
    healthcheck: {test: ["CMD-SHELL", "netstat -ltn | grep -q 6379"], interval: 1s, timeout: 20s, retries: 60}
  api:
    image: nginx
    mem_limit: 128m
    networks: [front, back]
    depends_on: {db: {condition: service_healthy}, cache: {condition: service_healthy}}
    healthcheck: {test: ["CMD", "wget", "-qO-", "http://127.0.0.1"], interval: 1s, timeout: 20s, retries: 60}
  web:
    image: nginx
    networks: [front]
    ports: ["18080:80"]
    depends_on: {api: {condition: service_healthy}}
  admin:
    image: nginx
    networks: [front, back]
    ports: ["18081:80"]
  worker:
    image: busybox
    command: sh -c 'rm -f /end; until test -e /end; do sleep 0.2; done; exit 1'
    restart: always
    stop_grace_period: 0s
    mem_limit: 16m
    networks: [back]
networks:
  front: {}
  back: {}
volumes:
  data: {}
  scratch: {}
`;

const SMALL = `
version: "2.4"
services:
  one: {image: redis, volumes: ["data:/data"], stop_grace_period: 0s, cpus: 0.05, mem_limit: 32m}
  two: {image: busybox, command: sleep 600, stop_grace_period: 0s, depends_on: [one]}
volumes: {data: {}}
`;

const WIDTH = 4;
const PROJECTS = fleet().full ? 20 : 6;
const VERSIONS = { v1: linkComposeV1, v2: (bin: string) => linkComposeV2(bin) };
/** Where only IDs differ from the run before, `npm run full` alone takes the time. */
const real = describe.runIf(fleet().subject === "shoal" && (!fleet().minted || fleet().full));

let manager: Manager;
beforeAll(async () => {
  await emptyFleet();
  manager = await startManager();
});
afterAll(async () => {
  await manager?.stop();
  await emptyFleet();
});

/** What carries the project's label, by node. */
async function whereIs(project: string): Promise<Record<string, string[]>> {
  const filters = encodeURIComponent(JSON.stringify({ label: [`com.docker.compose.project=${project}`] }));
  const found: Record<string, string[]> = {};
  for (const { name, host } of fleet().nodes) {
    const containers = await get<{ Names: string[] }[]>(host, `/containers/json?all=1&filters=${filters}`);
    const networks = await get<{ Name: string }[]>(host, `/networks?filters=${filters}`);
    const { Volumes } = await get<{ Volumes: { Name: string }[] | null }>(host, `/volumes?filters=${filters}`);
    const all = [
      ...containers.map(({ Names }) => Names.join()),
      ...networks.map(({ Name }) => Name),
      ...(Volumes ?? []).map(({ Name }) => Name),
    ];
    if (all.length > 0) found[name] = all;
  }
  return found;
}

/** A project's folder, and how commands run in it. */
function projectIn(bin: string, project: string, file: string) {
  const cwd = mkdtempSync(join(fleet().work, `${project}-`));
  writeFileSync(join(cwd, "docker-compose.yml"), file);
  const target = at(manager.host);
  const PATH = `${bin}:${target.cli.bin}:${process.env.PATH ?? ""}`;
  // Parallel pulls and starts have their own limits in each version.
  const env = { PATH, HOME: cwd, COMPOSE_PROJECT_NAME: project, COMPOSE_HTTP_TIMEOUT: "240" };
  const compose = (line: string, options: ShellOptions = {}) =>
    docker(target, `docker-compose ${line}`, { timeout: 240_000, ...options, cwd, env: { ...env, ...options.env } });
  return {
    cwd,
    env: { ...env, DOCKER_HOST: manager.host },
    compose,
    target,
    remove: () => rmSync(cwd, { recursive: true }),
  };
}

type Project = ReturnType<typeof projectIn>;

const idsOf = async ({ compose }: Project, service = ""): Promise<string[]> =>
  (await compose(`ps -q ${service}`)).split("\n").filter(Boolean).sort();

const theOne = async (project: Project, service: string): Promise<string> => {
  const [id = "", ...others] = await idsOf(project, service);
  expect(others).toEqual([]);
  return id;
};

/** Follows the logs until the line is there that `tell` causes. */
async function follow({ cwd, env }: Project, line: string, tell: () => Promise<unknown>): Promise<void> {
  const child = spawn("docker-compose", ["logs", "-f", "--no-color", "worker"], { cwd, env, detached: true });
  let seen = "";
  child.stdout.on("data", (chunk: Buffer) => {
    seen += chunk.toString();
  });
  const ended = new Promise((done) => child.on("close", done));
  try {
    await tell();
    await until(`${line} in ${seen}`, 120_000, () => (seen.includes(line) ? true : undefined));
  } finally {
    killGroup(child);
    await ended;
  }
}

real.for(Object.keys(VERSIONS) as (keyof typeof VERSIONS)[])("Compose %s", (version) => {
  const bin = join(fleet().work, `bin-compose-app-${version}`);
  const name = `app${version}`;
  let project: Project;
  beforeAll(async () => {
    mkdirSync(bin);
    await VERSIONS[version](bin);
    project = projectIn(bin, name, APPLICATION);
  });
  afterAll(async () => {
    await project?.compose("down -v -t 0").catch(() => {});
    project?.remove();
  });

  it("brings an application of six services up on one node, in the order of health", async ({ onTestFailed }) => {
    onTestFailed(() => manager.printLog());
    await project.compose("up -d");
    expect(await idsOf(project)).toHaveLength(6);
    const where = await whereIs(name);
    expect(Object.keys(where)).toHaveLength(1);
    expect(Object.values(where)[0]).toHaveLength(6 + 2 + 2);
    const started = async (service: string) =>
      Date.parse(
        await docker(project.target, `docker inspect -f '{{.State.StartedAt}}' ${await theOne(project, service)}`),
      );
    expect(await started("api")).toBeGreaterThan(await started("db"));
    expect(await started("web")).toBeGreaterThan(await started("api"));
    expect(await project.compose("exec -T web wget -qO- http://api")).toBe("hello from busybox");
    expect(await project.compose("exec -T api sh -c 'nc db 6379 </dev/null'")).toBe("+PONG");
    const [address] = (await project.compose("port web 80")).split(":");
    expect((await call(`tcp://${address}:18080`, "/")).text).toBe("hello from busybox\n");
  });

  it("recreates nothing when nothing changed", async () => {
    const before = await idsOf(project);
    await project.compose("up -d");
    expect(await idsOf(project)).toEqual(before);
  });

  it("replaces in place what takes more than half of a node when its environment changed", async () => {
    await project.compose("exec -T db sh -c 'echo kept >/data/file'");
    const [db, web, before] = [await theOne(project, "db"), await theOne(project, "web"), await whereIs(name)];
    await project.compose("up -d", { env: { COLOR: "red" } });
    expect(await theOne(project, "db")).not.toBe(db);
    if (version === "v2") expect(await theOne(project, "web")).toBe(web);
    expect(await project.compose("exec -T db sh -c 'echo $COLOR; cat /data/file'")).toBe("red\nkept");
    expect(Object.keys(await whereIs(name))).toEqual(Object.keys(before));
  });

  it("scales to 10 and back, on the same node", async () => {
    const up = (count: number) => project.compose(`up -d --scale worker=${count}`, { env: { COLOR: "red" } });
    await up(10);
    expect(await idsOf(project, "worker")).toHaveLength(10);
    expect(Object.keys(await whereIs(name))).toHaveLength(1);
    await up(1);
    expect(await idsOf(project, "worker")).toHaveLength(1);
  });

  it("restarts what is always to run", async () => {
    const worker = await theOne(project, "worker");
    await project.compose("exec -T worker touch /end");
    await until("the restart", 120_000, async () => {
      const state = await docker(project.target, `docker inspect -f '{{.RestartCount}} {{.State.Running}}' ${worker}`);
      return /^[1-9]\d* true$/.test(state) ? true : undefined;
    });
    expect(await theOne(project, "worker")).toBe(worker);
  });

  it("follows logs, runs commands and copies files", async () => {
    await follow(project, "a line told later", () =>
      project.compose(`exec -T worker sh -c 'echo a line told later >/proc/1/fd/1'`),
    );
    const worker = await theOne(project, "worker");
    writeFileSync(join(project.cwd, "sent"), "there and back");
    const [to, from] =
      version === "v2"
        ? ["docker-compose cp sent worker:/sent", "docker-compose cp worker:/sent back"]
        : [`docker cp sent ${worker}:/sent`, `docker cp ${worker}:/sent back`];
    await docker(project.target, `${to} && ${from}`, { cwd: project.cwd, env: project.env });
    expect(await project.compose("exec -T worker cat /sent")).toBe("there and back");
    expect(await docker(project.target, "cat back", { cwd: project.cwd })).toBe("there and back");
  });

  it("leaves nothing with down -v", async () => {
    await project.compose("down -v -t 0");
    expect(await whereIs(name)).toEqual({});
    const list = (what: string) =>
      docker(project.target, `docker ${what} --filter label=com.docker.compose.project=${name}`);
    expect(`${await list("ps -aq")}${await list("network ls -q")}${await list("volume ls -q")}`).toBe("");
  });

  it(`puts ${PROJECTS} projects at once each on one node, and uses all nodes`, { timeout: 1_200_000 }, async ({
    onTestFailed,
  }) => {
    onTestFailed(() => manager.printLog());
    const names = Array.from({ length: PROJECTS }, (_, index) => `many${version}x${index + 1}`);
    const projects = names.map((one) => ({ one, project: projectIn(bin, one, SMALL) }));
    try {
      await pooled(
        fleet().full ? PROJECTS : WIDTH,
        projects.map(
          ({ project }) =>
            () =>
              project.compose("up -d", { timeout: 900_000 }),
        ),
      );
      const nodes = await pooled(
        WIDTH,
        names.map((one) => async () => {
          const where = await whereIs(one);
          expect(Object.keys(where), one).toHaveLength(1);
          expect(Object.values(where)[0], one).toHaveLength(2 + 1 + 1);
          return Object.keys(where)[0];
        }),
      );
      expect(new Set(nodes).size).toBe(fleet().nodes.length);
    } finally {
      await pooled(
        WIDTH,
        projects.map(
          ({ project }) =>
            () =>
              project.compose("down -v -t 0", { timeout: 600_000 }),
        ),
      );
      for (const { project } of projects) project.remove();
    }
    for (const one of names) expect(await whereIs(one)).toEqual({});
  });
});
