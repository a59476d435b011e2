/** What goes wrong around the manager: a host that dies and comes back, a port in use, signals, who may talk to it. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { docker, shell } from "./support/docker.ts";
import { machinesIn } from "./support/engines.ts";
import { sleep, until } from "./support/exec.ts";
import { at, emptyFleet, fleet } from "./support/fleet.ts";
import { call } from "./support/http.ts";
import { freePort, type Manager, nodeStatus, spawnManager, startManager } from "./support/manager.ts";

const statusOf = async (host: string, name: string): Promise<Readonly<Record<string, string>>> =>
  (await nodeStatus(host)).find((node) => node.name === name)?.fields ?? {};

describe.runIf(fleet().subject === "shoal")("a host that dies", () => {
  let manager: Manager;
  beforeAll(async () => {
    await emptyFleet();
    manager = await startManager();
  });
  afterAll(async () => {
    await machinesIn(fleet().folder).start("node-3");
    await manager?.stop();
    await emptyFleet();
  });

  it("shows with its error, its containers stay listed, and the others go on", async () => {
    const target = at(manager.host);
    const machines = machinesIn(fleet().folder);
    await docker(target, "docker run -d --name lost --restart no -e constraint:node==node-3 busybox sleep 600");
    await docker(target, "docker run -d --name kept -e constraint:node==node-1 busybox sleep 600");
    await machines.kill("node-3");
    const from = Date.now();
    const fields = await until("node-3 unhealthy in docker info", 60_000, async () => {
      const seen = await statusOf(manager.host, "node-3");
      return seen.Status !== "Healthy" ? seen : undefined;
    });
    expect(Date.now() - from).toBeLessThan(12_000);
    expect(fields.Error ?? "").not.toMatch(/^(\(none\))?$/);
    const listed = await docker(target, "docker ps -a --format '{{.Names}} {{.Status}}'");
    expect(listed).toMatch(/^lost Host Down/m);
    expect(listed).toMatch(/^kept Up/m);
    expect(await docker(target, "docker exec kept echo on")).toBe("on");
    expect(await docker(target, "docker run --rm busybox echo new")).toBe("new");
    const read = await shell(target, "docker exec lost true", { timeout: 90_000 });
    expect(read.code).not.toBe(0);
    expect(read.stderr).toContain("node-3");
    const started = await shell(target, "docker create -e constraint:node==node-3 busybox");
    expect(started.code).not.toBe(0);
    const taken = await shell(target, "docker create --name lost busybox");
    expect(taken.stderr).toContain("already in use");
  });

  it("is healthy again when it is back, and what it ran is told as it is", async () => {
    const target = at(manager.host);
    await machinesIn(fleet().folder).start("node-3");
    await until("node-3 healthy again", 120_000, async () => {
      return (await statusOf(manager.host, "node-3")).Status === "Healthy" || undefined;
    });
    await until("lost told as exited", 60_000, async () => {
      const status = await docker(target, "docker ps -a --filter name=lost --format '{{.Status}}'");
      return status.startsWith("Exited") || undefined;
    });
    await docker(target, "docker start lost");
    expect(await docker(target, "docker exec lost echo back")).toBe("back");
  });
});

describe.runIf(fleet().subject === "shoal")("the process", () => {
  const entry = fleet().nodes[0]?.host.replace("tcp://", "") ?? "";

  it("says so when its port is in use", async () => {
    const manager = await startManager();
    const port = new URL(manager.host).port;
    const second = spawnManager(["-H", `tcp://127.0.0.1:${port}`, entry]);
    expect(await second.ended).not.toBe(0);
    expect(second.log()).toMatch(new RegExp(`${port}`));
    expect(second.log()).toMatch(/in use|already listens/i);
    await manager.stop();
  });

  it("ends gracefully on SIGTERM, what is under way finishes first", async () => {
    const manager = await startManager();
    const running = shell(at(manager.host), "docker run --rm busybox sh -c 'echo begun; sleep 2; echo done'");
    await sleep(1500);
    expect(await manager.stop()).toBe(0);
    const done = await running;
    expect(done.stdout).toMatch(/^begun\n/);
    await expect(call(manager.host, "/_ping")).rejects.toThrow();
    await emptyFleet();
  });

  it("refuses with --require-tls to listen beyond loopback without TLS", async () => {
    const port = await freePort();
    const manager = spawnManager(["-H", `tcp://0.0.0.0:${port}`, "--require-tls", entry]);
    expect(await manager.ended).not.toBe(0);
    expect(manager.log()).toMatch(/tlsverify/);
  });

  it("refuses flags as classic Swarm does", async () => {
    const refusals: readonly (readonly [readonly string[], RegExp])[] = [
      [["--strategy", "nosuch", entry], /strategy not supported/],
      [["--filter", "nosuch", entry], /filter not supported/],
      [["--tlscert", "x", entry], /require the use of either --tls or --tlsverify/],
      [["--heartbeat", "10ms", entry], /--heartbeat should be at least one second/],
    ];
    for (const [args, words] of refusals) {
      const manager = spawnManager(args);
      expect(await manager.ended, args.join(" ")).not.toBe(0);
      expect(manager.log()).toMatch(words);
    }
  });
});

describe.runIf(fleet().subject === "shoal")("who may talk to it", () => {
  let manager: Manager;
  beforeAll(async () => {
    manager = await startManager();
  });
  afterAll(() => manager?.stop());
  const status = async (headers: Record<string, string>): Promise<number> =>
    (await call(manager.host, "/containers/json", { headers })).status;

  it("not a browser's page, not under a foreign host's name", async () => {
    expect(await status({})).toBe(200);
    expect(await status({ origin: "http://evil.example" })).toBe(403);
    expect(await status({ host: "evil.example" })).toBe(403);
    expect(await status({ host: `localhost:${new URL(manager.host).port}` })).toBe(200);
  });

  it("a page after all with CORS on", async () => {
    const open = await startManager({ flags: ["--api-enable-cors"] });
    const answer = await call(open.host, "/containers/json", { headers: { origin: "http://page.example" } });
    expect(answer.status).toBe(200);
    expect(answer.headers["access-control-allow-origin"]).toBe("*");
    await open.stop();
  });
});
