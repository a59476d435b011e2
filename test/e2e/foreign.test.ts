/**
 * K4: three engines that somebody else uses already. Random changes and every prune through shoal leave all that is theirs
 * as it was, and every refusal names the remedy. SHOAL_SEED replays another history than that of every run.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Random, seededRandom } from "../../src/kit/random.ts";
import { docker, shell } from "./support/docker.ts";
import { at, clis, emptyFleet, fleet } from "./support/fleet.ts";
import { type Foreign, makeForeign, removeForeign, stateOf } from "./support/foreign.ts";
import { call, get } from "./support/http.ts";
import { type Manager, startManager } from "./support/manager.ts";

const SEED = Number(process.env.SHOAL_SEED ?? 4);
const STEPS = fleet().full ? 600 : 150;
const MiB = 2 ** 20;

let manager: Manager;
let foreign: Foreign[];
let before: Record<string, unknown>;
/** All of them, by the IDs that the manager gives them. */
let theirs: readonly { readonly id: string; readonly name: string }[];

interface Row {
  readonly Id: string;
  readonly Names: readonly string[];
}

const wholeState = async (): Promise<Record<string, unknown>> =>
  Object.assign({}, ...(await Promise.all(foreign.map(stateOf))));

beforeAll(async () => {
  await emptyFleet();
  await removeForeign();
  foreign = await makeForeign();
  manager = await startManager();
  before = await wholeState();
  const rows = await get<Row[]>(manager.host, "/containers/json?all=1");
  theirs = rows
    .map(({ Id, Names }) => ({ id: Id, name: (Names[0] ?? "").replace(/^.*\//, "") }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
});
afterAll(async () => {
  await manager?.stop();
  await emptyFleet();
  await removeForeign();
});

interface Ask {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
}

/** Everything that would change a container, `REF` being what names it. */
const CHANGES: readonly Ask[] = [
  { method: "POST", path: "/containers/REF/start" },
  { method: "POST", path: "/containers/REF/stop?t=0" },
  { method: "POST", path: "/containers/REF/restart?t=0" },
  { method: "POST", path: "/containers/REF/kill" },
  { method: "POST", path: "/containers/REF/pause" },
  { method: "POST", path: "/containers/REF/unpause" },
  { method: "POST", path: "/containers/REF/rename?name=mine-now" },
  { method: "POST", path: "/containers/REF/update", body: { Memory: 64 * MiB, MemorySwap: 128 * MiB } },
  { method: "POST", path: "/containers/REF/resize?h=10&w=10" },
  { method: "POST", path: "/containers/REF/exec", body: { Cmd: ["rm", "-rf", "/data"] } },
  { method: "POST", path: "/containers/REF/attach?stream=1&stdin=1" },
  { method: "PUT", path: "/containers/REF/archive?path=/" },
  { method: "DELETE", path: "/containers/REF" },
  { method: "DELETE", path: "/containers/REF?force=1&v=1" },
  { method: "DELETE", path: "/containers/REF?link=1" },
];

const send = ({ method, path, body }: Ask) => call(manager.host, path, { method, body });

/** An API error's message. */
const told = (text: string): string => (JSON.parse(text) as { message: string }).message;

const pick = <T>(random: Random, all: readonly T[]): T => {
  const one = all[random.int(all.length)];
  if (one === undefined) throw new Error("nothing to pick from");
  return one;
};

/** Somebody else's container, named in one of the ways that name no node. */
async function touchContainer(random: Random): Promise<void> {
  const { id, name } = pick(random, theirs);
  const ref = pick(random, [name, name, id, id.slice(0, 12)]);
  const change = pick(random, CHANGES);
  const { status, text } = await send({ ...change, path: change.path.replace("REF", ref) });
  const what = `${change.method} ${change.path} of ${name} as ${ref}: ${text}`;
  expect(status, what).toBe(409);
  if (ref === "twin") expect(told(text), what).toMatch(/is on several nodes: say which one, node-1\/twin or/);
  else expect(told(text), what).toMatch(/address it as node-\d\/\S+, or start the manager with --foreign manage$/);
}

async function touchImage(random: Random): Promise<void> {
  const { images } = pick(random, foreign);
  const id = pick(random, images);
  const own = ["busybox", "redis:latest", "nginx", "theirs-image-1:1", "theirs-image-2:1", "theirs-redis-3:1"];
  const ref = pick(random, [id, id.slice(7, 19), pick(random, own)]);
  const ask = pick(random, [
    { method: "DELETE", path: `/images/${ref}` },
    { method: "DELETE", path: `/images/${ref}?force=1` },
    { method: "POST", path: `/images/nginx/tag?repo=${ref === "nginx" ? "busybox" : "redis"}&tag=latest` },
  ]);
  const { status, text } = await send(ask);
  expect(status, `${ask.method} ${ask.path}: ${text}`).toBe(409);
  expect(told(text)).toMatch(/was not pulled or made through shoal: .*start the manager with --foreign manage$/);
}

/** What a client does with containers of its own beside theirs. */
const OWN = [
  "docker run -d --name mine-$N -v /scratch -v mine-data-$N:/data busybox sh -c 'echo own >/data/file; sleep 600' >/dev/null && docker rm -f -v mine-$N",
  "docker run --name mine-$N --volumes-from theirs-run-$K -v mine-more-$N:/more busybox ls /data && docker rm -v mine-$N",
  "docker run --rm --name mine-$N --network container:theirs-run-$K busybox true",
  "docker run --rm --name mine-$N --link theirs-run-$K:them busybox true",
  "docker create --name mine-$N -v /scratch busybox sleep 600 && docker start mine-$N && docker exec mine-$N true && docker rename mine-$N mine-again-$N && docker stop -t 0 mine-again-$N",
  "docker create --name mine-$N busybox && docker commit mine-$N mine-image-$N:1 >/dev/null && docker commit mine-$N >/dev/null",
  "docker commit --pause=false theirs-tty-$K mine-copy-$N:1 >/dev/null && docker rmi mine-copy-$N:1 >/dev/null",
  "docker tag theirs-redis-$K:1 mine-tag-$N:1 && docker rmi mine-tag-$N:1",
  "docker logs theirs-run-$K && docker top theirs-run-$K && docker cp theirs-run-$K:/data - >/dev/null && docker inspect theirs-made-$K >/dev/null && docker diff theirs-ended-$K",
  "! docker run --name theirs-run-$K busybox",
];

const PRUNES = [
  "docker container prune -f",
  "docker container prune -f --filter until=1s --filter 'label!=nosuch'",
  "docker image prune -f",
  "docker image prune -a -f",
  "docker volume prune -f",
  "docker network prune -f",
  "docker system prune -f",
  "docker system prune -a -f --volumes",
];

describe.runIf(fleet().subject === "shoal")("engines that somebody else uses", () => {
  it(`are left alone by ${STEPS} random changes and every prune, seed ${SEED}`, { timeout: 600_000 }, async ({
    onTestFailed,
  }) => {
    onTestFailed(() => {
      console.error(`replay: SHOAL_SEED=${SEED} npx vitest run --project e2e test/e2e/foreign.test.ts`);
      manager.printLog();
    });
    // The files are really looked at, or nothing would be compared.
    expect(before["node-1 files of theirs-data-1"]).toMatchObject({
      file: expect.any(String),
      "dir/file": expect.any(String),
    });
    const random = seededRandom(SEED);
    const run = async (line: string, step: number | string, cli = pick(random, clis())): Promise<void> => {
      const target = at(manager.host, cli);
      const env = { N: `s${step}`, K: String(1 + random.int(3)) };
      const { code, stdout, stderr } = await shell(target, line, { env });
      expect(code, `${line} (docker ${target.cli.name}): ${stdout}${stderr}`).toBe(0);
    };
    for (let step = 0; step < STEPS; step++) {
      const dice = random.int(20);
      if (dice < 10) await touchContainer(random);
      else if (dice < 14) await touchImage(random);
      else if (dice < 19) await run(pick(random, OWN), step);
      else await run(pick(random, PRUNES), step);
    }
    for (const cli of clis()) for (const line of PRUNES) await run(line, "end", cli);
    await run("docker volume prune -a -f", "end", "28");
    expect(await call(manager.host, "/build/prune?all=1", { method: "POST" })).toMatchObject({ status: 200 });
    expect(await wholeState()).toEqual(before);
  });

  it("are rid of all of ours by the same prunes", async () => {
    const target = at(manager.host);
    const names = await docker(target, "docker ps -a --format '{{.Names}}'");
    expect(names.split("\n").filter((name) => name.startsWith("mine"))).toEqual([]);
    for (const { host } of fleet().nodes) {
      const { Volumes } = await get<{ Volumes: { Name: string }[] | null }>(host, "/volumes");
      expect((Volumes ?? []).filter(({ Name }) => Name.startsWith("mine"))).toEqual([]);
      const images = await get<{ RepoTags: string[] | null }[]>(host, "/images/json");
      const tags = images.flatMap(({ RepoTags }) => RepoTags ?? []);
      expect(tags.filter((tag) => tag.startsWith("mine"))).toEqual([]);
    }
  });

  it("keep a container whose image took a hint of ours over", async () => {
    const target = at(manager.host);
    const id = await docker(target, "docker run -d --name mine-source busybox sleep 600");
    await docker(target, "docker commit mine-source mine-hinted:1");
    const where = (await get<{ Node: { Name: string } }>(manager.host, `/containers/${id}/json`)).Node.Name;
    const engine = fleet().nodes.find(({ name }) => name === where);
    if (engine === undefined) throw new Error(`no node ${where}`);
    await docker(at(engine.host), "docker run -d --name theirs-inherited mine-hinted:1");
    await docker(at(engine.host), "docker run --name theirs-inherited-ended mine-hinted:1 true");
    await docker(target, "until docker inspect theirs-inherited-ended >/dev/null 2>&1; do sleep 0.1; done");
    await docker(target, "docker rm -f mine-source && docker system prune -a -f --volumes");
    const refused = await shell(target, "docker rm -f theirs-inherited");
    expect(refused.stderr).toContain(`address it as ${where}/theirs-inherited`);
    await manager.stop();
    manager = await startManager();
    const again = at(manager.host);
    expect((await shell(again, "docker stop theirs-inherited")).code).not.toBe(0);
    await docker(again, "docker system prune -a -f --volumes");
    await docker(again, "docker inspect theirs-inherited theirs-inherited-ended >/dev/null");
    expect(await wholeState()).toEqual(before);
  });

  it("are changed when they are addressed with their node", async () => {
    for (const cli of clis()) {
      const target = at(manager.host, cli);
      await docker(
        target,
        "docker exec node-1/theirs-run-1 true && docker stop -t 0 node-1/twin && docker start node-1/twin",
      );
    }
    await docker(at(manager.host), "docker rm -f node-2/twin node-3/twin && docker rm -f node-1/twin");
    const left = await docker(at(manager.host), "docker ps -a --format '{{.Names}}'");
    expect(left).not.toContain("twin");
  });

  it("are ours under --foreign manage", async () => {
    await manager.stop();
    manager = await startManager({ flags: ["--foreign", "manage"] });
    const target = at(manager.host, "28");
    await docker(
      target,
      "docker rm -f theirs-run-1 && docker stop -t 0 theirs-tty-1 && docker unpause theirs-paused-1",
    );
    // Not -a: the images that every engine of the suite has are unused as well.
    await docker(
      target,
      "docker system prune -f --volumes && docker volume prune -a -f && docker rmi theirs-image-1:1",
    );
    const left = (await docker(target, "docker ps -a --format '{{.Names}}'")).split("\n");
    expect(left).toContain("theirs-run-2");
    expect(left).not.toContain("theirs-ended-1");
    const { Volumes } = await get<{ Volumes: { Name: string }[] }>(fleet().nodes[0]?.host ?? "", "/volumes");
    expect(Volumes.map(({ Name }) => Name)).not.toContain("theirs-empty-1");
  });
});
