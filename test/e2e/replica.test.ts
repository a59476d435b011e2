/**
 * Three managers over one real store: each answers like one, and when the one that leads is killed or stands still,
 * another leads; what was answered stays, and nothing is made twice.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pick, seededRandom } from "../../src/kit/random.ts";
import { docker } from "./support/docker.ts";
import { sleep, until } from "./support/exec.ts";
import { at, containersOf, emptyFleet, fleet } from "./support/fleet.ts";
import { call, get } from "./support/http.ts";
import { type Replica, Replicas } from "./support/replicas.ts";

/** Far more than it ever takes: what it took is printed. */
const PATIENCE = 90_000;
/** Of a create, changes and lists, each over another connection. */
const ROUNDS = fleet().full ? 1_000 : 15;

describe.runIf(fleet().subject === "shoal" && !fleet().minted)("three managers", () => {
  let replicas: Replicas;
  beforeAll(async () => {
    await emptyFleet();
    replicas = await Replicas.start(3);
  });
  afterAll(async () => {
    await replicas?.close();
    await emptyFleet();
  });
  const leader = (): Promise<Replica> => replicas.leader();

  it("answer alike, streams included, and say who leads", async () => {
    const [one, two] = await replicas.followers();
    const info = await docker(at(one?.host ?? ""), "docker info 2>/dev/null");
    expect(info).toMatch(new RegExp(`Role: replica\\s+Primary: ${(await leader()).address}\\s+Strategy: `));
    expect(await docker(at((await leader()).host), "docker info 2>/dev/null")).toMatch(/Role: primary\s+Strategy: /);
    const first = at(one?.host ?? "");
    const second = at(two?.host ?? "");
    expect(await docker(first, "echo through | docker run --rm -i busybox cat")).toBe("through");
    await docker(first, "docker run -d --name web busybox sh -c 'echo hello; sleep 3600'");
    expect(await docker(second, "docker ps --format '{{.Names}}'")).toBe("web");
    expect(await docker(second, "docker exec web echo in")).toBe("in");
    expect(await docker(second, "docker logs web")).toBe("hello");
    expect(await docker(first, "docker rm -f web")).toBe("web");
    expect(await docker(at((await leader()).host), "docker ps -aq")).toBe("");
  });

  it("behave as one over connections that alternate between them", async () => {
    const random = seededRandom(3);
    const any = (): string => pick(random, replicas.all).host;
    const names = new Set<string>();
    const listed = async (): Promise<Set<string>> => {
      const rows = await get<{ Names: string[] }[]>(any(), "/containers/json?all=1");
      return new Set(rows.map(({ Names }) => (Names[0] ?? "").slice(1)));
    };
    for (let n = 0; n < ROUNDS; n++) {
      const name = `turn-${n}`;
      const made = await call(any(), `/containers/create?name=${name}`, {
        method: "POST",
        body: { Image: "busybox", Cmd: ["sleep", "3600"] },
      });
      expect(made.status).toBe(201);
      names.add(name);
      expect(await listed()).toEqual(names);
      const { Name, Id } = await get<{ Name: string; Id: string }>(any(), `/containers/${name}/json`);
      expect([Name, Id]).toEqual([`/${name}`, (JSON.parse(made.text) as { Id: string }).Id]);
      if (n % 3 === 0) {
        expect((await call(any(), `/containers/${name}/rename?name=turned-${n}`, { method: "POST" })).status).toBe(204);
        names.delete(name);
        names.add(`turned-${n}`);
        expect(await listed()).toEqual(names);
      }
      if (n % 3 !== 1) continue;
      const [first = ""] = names;
      expect((await call(any(), `/containers/${first}?force=1`, { method: "DELETE" })).status).toBe(204);
      names.delete(first);
      expect(await listed()).toEqual(names);
      expect((await call(any(), `/containers/${first}/json`)).status).toBe(404);
    }
    for (const name of names) await call(any(), `/containers/${name}?force=1`, { method: "DELETE" });
    expect(await listed()).toEqual(new Set());
  });

  it("show what they know while there is no store, refuse changes, and go on when it is back", async () => {
    const client = at((await replicas.followers())[0]?.host ?? "");
    await docker(client, "docker run -d --name kept busybox sh -c 'echo hello; sleep 3600'");
    for (const { host } of replicas.all) expect(await docker(at(host), "docker ps --format '{{.Names}}'")).toBe("kept");
    await replicas.server.kill();
    const create = (host: string, name: string) =>
      call(host, `/containers/create?name=${name}`, { method: "POST", body: { Image: "busybox", Cmd: ["true"] } });
    for (const { host } of replicas.all) {
      await until("a clear refusal", PATIENCE, async () => {
        const { status, text } = await create(host, "never");
        if (status !== 503 || !text.includes("No primary manager elected: the store does not answer")) return undefined;
        expect(text).toContain("nothing can be changed until it does");
        return true;
      });
      const target = at(host);
      expect(await docker(target, "docker ps --format '{{.Names}}'")).toBe("kept");
      expect(await docker(target, "docker logs kept")).toBe("hello");
      expect(await docker(target, "docker inspect --format '{{.State.Status}}' kept")).toBe("running");
      expect(await docker(target, "docker info 2>/dev/null")).toMatch(/Role: replica\s+Primary: none/);
    }
    const began = Date.now();
    await replicas.server.startAgain();
    for (const [n, { host }] of replicas.all.entries()) {
      await until("changes again", PATIENCE, async () =>
        (await create(host, `back-${n}`)).status === 201 ? true : undefined,
      );
    }
    console.log(`changes ${((Date.now() - began) / 1000).toFixed(1)} s after the store's start`);
    for (const { host } of replicas.all) {
      expect((await docker(at(host), "docker ps -a --format '{{.Names}}'")).split("\n").sort()).toEqual(
        ["back-0", "back-1", "back-2", "kept"].sort(),
      );
    }
    await docker(client, "docker rm -f kept back-0 back-1 back-2");
  });

  /** Creates through the others, one after another, while `disturb` does its worst to the leader. */
  async function under(disturb: (old: Replica) => Promise<void>, prefix: string): Promise<number> {
    const old = await leader();
    const others = replicas.all.filter((replica) => replica !== old);
    const answered: string[] = [];
    let refused = 0;
    let stop = false;
    let longest = 0;
    const work = others.map(async ({ host }, worker) => {
      let last = Date.now();
      for (let n = 0; !stop; n++) {
        const name = `${prefix}-${worker}-${n}`;
        const made = await call(host, `/containers/create?name=${name}`, {
          method: "POST",
          body: { Image: "busybox", Cmd: ["true"] },
          timeout: PATIENCE,
        }).catch(() => undefined);
        if (made?.status === 201) {
          answered.push(name);
          longest = Math.max(longest, Date.now() - last);
          last = Date.now();
        } else {
          refused++;
          // Whoever was not answered tries again, and may find that it was done.
          await sleep(50);
        }
      }
    });
    await sleep(1_000);
    await disturb(old);
    await until("another leader", PATIENCE, async () =>
      (await replicas.leaderAddress()) === old.address ? undefined : true,
    );
    const before = answered.length;
    await until("creates again", PATIENCE, () => (answered.length > before + 5 ? true : undefined));
    stop = true;
    await Promise.all(work);
    console.log(`${answered.length} created, ${refused} refused; longest pause ${(longest / 1000).toFixed(1)} s`);
    const names = (await Promise.all(fleet().nodes.map(({ host }) => containersOf(host))))
      .flat()
      .flatMap(({ Names }) => Names)
      .filter((name) => name.startsWith(`/${prefix}-`));
    expect(new Set(names).size).toBe(names.length);
    for (const name of answered) expect(names).toContain(`/${name}`);
    const [one] = others;
    const listed = await until("the list to agree", PATIENCE, async () => {
      const shown = (await docker(at(one?.host ?? ""), `docker ps -a --filter name=${prefix}- --format '{{.Names}}'`))
        .split("\n")
        .filter((name) => name !== "");
      return shown.length === names.length ? shown : undefined;
    });
    expect(listed.map((name) => `/${name}`).sort()).toEqual([...names].sort());
    return longest;
  }

  it("go on when the leader stands still, and it leads no more when it wakes up", async () => {
    let old: Replica | undefined;
    await under(async (leading) => {
      old = leading;
      process.kill(leading.pid, "SIGSTOP");
    }, "still");
    process.kill(old?.pid ?? 0, "SIGCONT");
    expect(
      await until("it passes on", PATIENCE, () => docker(at(old?.host ?? ""), "docker run --rm busybox echo on")),
    ).toBe("on");
    expect((await leader()).address).not.toBe(old?.address);
  });

  it("go on when the leader is killed", async () => {
    await under((old) => replicas.kill(old), "killed");
  });
});
