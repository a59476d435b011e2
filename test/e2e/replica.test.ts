/**
 * Three managers over one real store: each answers like one, and when the one that leads is killed or stands still,
 * another leads; what was answered stays, and nothing is made twice.
 */
import { existsSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Store } from "../../src/store/store.ts";
import { etcd } from "../stores/support/etcd.ts";
import { open } from "../stores/support/open.ts";
import { etcdProgram } from "../stores/support/packages.ts";
import { Server } from "../stores/support/server.ts";
import { docker } from "./support/docker.ts";
import { sleep, until } from "./support/exec.ts";
import { at, containersOf, emptyFleet, fleet } from "./support/fleet.ts";
import { call } from "./support/http.ts";
import { freePort, type Manager, startManager } from "./support/manager.ts";

/** Far more than it ever takes: what it took is printed. */
const PATIENCE = 90_000;

interface Replica extends Manager {
  /** Where the others reach it. */
  readonly address: string;
}

describe.runIf(fleet().subject === "shoal" && !fleet().minted)("three managers", () => {
  let server: Server;
  let store: Store;
  const replicas: Replica[] = [];

  const add = async (): Promise<void> => {
    const address = `127.0.0.1:${await freePort()}`;
    const flags = ["--replication", "--advertise", address, "-H", `tcp://${address}`];
    const env = { SHOAL_STORE: `etcd://${server.address}/shoal` };
    replicas.push({ ...(await startManager({ flags, env })), address });
  };
  const leaderAddress = async (): Promise<string | undefined> => {
    const record = await store.get("leader");
    return record && (JSON.parse(record.value) as { holder?: string }).holder?.split("#", 1)[0];
  };
  const leader = (): Promise<Replica> =>
    until("a leader", PATIENCE, async () => {
      const address = await leaderAddress();
      return replicas.find((replica) => replica.address === address);
    });
  const followers = async (): Promise<Replica[]> => {
    const { address } = await leader();
    return replicas.filter((replica) => replica.address !== address);
  };

  beforeAll(async () => {
    await emptyFleet();
    server = await Server.start(etcd(await etcdProgram()));
    store = await open(`etcd://${server.address}/shoal`);
    for (let made = 0; made < 3; made++) await add();
  });
  afterAll(async () => {
    for (const replica of replicas) {
      // One that was stopped has to be woken up to end; one that was killed is not there.
      if (existsSync(`/proc/${replica.pid}`)) process.kill(replica.pid, "SIGCONT");
      await replica.stop();
    }
    await store?.close();
    await server?.remove();
    await emptyFleet();
  });

  it("answer alike, streams included, and say who leads", async () => {
    const [one, two] = await followers();
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

  /** Creates through the others, one after another, while `disturb` does its worst to the leader. */
  async function under(disturb: (old: Replica) => Promise<void>, prefix: string): Promise<number> {
    const old = await leader();
    const others = replicas.filter((replica) => replica !== old);
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
    await until("another leader", PATIENCE, async () => ((await leaderAddress()) === old.address ? undefined : true));
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
    await under(async (old) => {
      process.kill(old.pid, "SIGKILL");
    }, "killed");
  });
});
