/**
 * Seed 000's rebalancing, on real engines: a host is powered off, and what ran there goes on elsewhere under the same ID
 * and name; while no node has room it is pending; the host returns, and one copy runs. And a node that is drained without a
 * gap.
 */
import { resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { docker, shell } from "./support/docker.ts";
import { machinesIn } from "./support/engines.ts";
import { output, until } from "./support/exec.ts";
import { at, emptyFleet, fleet } from "./support/fleet.ts";
import { type Manager, startManager } from "./support/manager.ts";

const SHOAL = resolve(import.meta.dirname, "../../bin/shoal");
/** Far more than it ever takes: what it took is printed. */
const PATIENCE = 120_000;
const PREFERS = "-e 'constraint:node==~node-3'";
const FORMAT = `--format '{{.ID}} {{.Names}} {{.Label "shoal.NODE"}} {{.Status}} {{.Ports}}'`;

describe.runIf(fleet().subject === "shoal")("rebalancing", () => {
  let manager: Manager;
  beforeAll(async () => {
    await emptyFleet();
    manager = await startManager({ flags: ["--reschedule", "on"] });
    // Declares a volume, as redis does; the same on every node.
    const target = at(manager.host);
    await docker(target, "docker run --name base -e constraint:node==node-3 busybox true");
    await docker(target, "docker commit -c 'VOLUME /data' base stateful:latest && docker rm base");
    for (const { name, host } of fleet().nodes) {
      if (name !== "node-3") await docker(target, `docker save stateful | docker -H ${host} load`);
    }
  });
  afterAll(async () => {
    await machinesIn(fleet().folder).start("node-3");
    await manager?.stop();
    await emptyFleet();
    for (const { host } of fleet().nodes) await docker(at(host), "docker rmi -f stateful");
  });

  const row = async (name: string): Promise<string> =>
    docker(at(manager.host), `docker ps -a --no-trunc --filter name=^${name}$ ${FORMAT}`);
  const shows = (name: string, what: RegExp): Promise<string> =>
    until(`${name}: ${what}`, PATIENCE, async () => {
      const shown = await row(name);
      return what.test(shown) ? shown : undefined;
    });
  const atNode3 = async (): Promise<string> => {
    const host = fleet().nodes.find(({ name }) => name === "node-3")?.host ?? "";
    return docker(at(host), "docker ps -a --format '{{.Names}} {{.Status}}'");
  };

  it("brings what a lost host ran to another one, or lets it wait", async ({ onTestFailed }) => {
    onTestFailed(() => manager.printLog());
    const target = at(manager.host);
    const id = await docker(target, `docker run -d --name redis -P --expose 6379 ${PREFERS} stateful sleep 3600`);
    await docker(target, `docker run -d --name never -e reschedule:never ${PREFERS} busybox sleep 3600`);
    await docker(target, `docker run -d --name large -m 1g ${PREFERS} busybox sleep 3600`);
    for (const node of ["node-1", "node-2"]) {
      await docker(target, `docker run -d --name full-${node} -m 1500m -e constraint:node==${node} busybox sleep 3600`);
    }
    for (const name of ["redis", "never", "large"]) await shows(name, / node-3 Up/);
    await machinesIn(fleet().folder).kill("node-3");
    const from = Date.now();
    await shows("redis", / node-[12] Up .*10\./);
    console.log(`powered off: runs elsewhere after ${((Date.now() - from) / 1000).toFixed(1)} s`);
    expect((await row("redis")).split(" ")[0]).toBe(id);
    expect(await shows("large", /pending/)).toMatch(/ large {2}pending $/);
    expect(await row("never")).toMatch(/ node-3 Host Down/);
    const refused = await shell(target, "docker start large");
    expect(refused.stderr).toContain("container large is pending: no resources available to schedule container");
    expect(await docker(target, "docker inspect -f '{{.State.Status}}' large")).toBe("pending");
    await docker(target, "docker rm -f full-node-2");
    await shows("large", / node-2 Up/);
    expect(await docker(target, "docker exec large echo on")).toBe("on");
  });

  it("leaves one running copy when the host is back, the old ones kept aside", async () => {
    const target = at(manager.host);
    await machinesIn(fleet().folder).start("node-3");
    const from = Date.now();
    await shows("never", / node-3 (Up|Exited)/);
    await until("the old copies at rest", PATIENCE, async () => {
      const copies = (await atNode3()).split("\n").filter((line) => !line.startsWith("never "));
      const aside = copies.filter((line) => /^(redis|large)\.kept-[0-9a-f]{12} (Exited|Created)/.test(line));
      return copies.length === 2 && aside.length === 2 ? true : undefined;
    });
    console.log(`powered on: one copy after ${((Date.now() - from) / 1000).toFixed(1)} s`);
    const names = (await docker(target, "docker ps -a --format '{{.Names}}'")).split("\n").sort();
    expect(names).toEqual(["full-node-1", "large", "never", "redis"]);
    expect(await row("redis")).toMatch(/ node-[12] Up/);
  });

  it("drains without a gap what asks for that: one row at any moment, always up", async () => {
    const target = at(manager.host);
    const asks = "--label shoal.drain=start-first --restart always --health-cmd true --health-interval 1s";
    const id = await docker(target, `docker run -d --name web ${asks} ${PREFERS} busybox sleep 3600`);
    await shows("web", / node-3 Up .*\(healthy\)/);
    const node = (verb: string): Promise<string> => output(SHOAL, ["-H", manager.host, "node", verb, "node-3"]);
    await node("drain");
    const seen = new Set<string>();
    await until("web on another node", PATIENCE, async () => {
      const shown = await row("web");
      seen.add(shown);
      return / node-[12] Up/.test(shown) ? true : undefined;
    });
    for (const shown of seen) expect(shown).toMatch(new RegExp(`^${id} web node-[123] Up `));
    await until("the copy that it left at rest", PATIENCE, async () =>
      /^web\.kept-[0-9a-f]{12} Exited/m.test(await atNode3()) ? true : undefined,
    );
    expect(await row("never")).toMatch(/ node-3 /);
    await node("activate");
  });
});
