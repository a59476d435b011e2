/** What goes wrong around the manager: a port in use, signals, who may talk to it. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { shell } from "./support/docker.ts";
import { sleep } from "./support/exec.ts";
import { at, emptyFleet, fleet } from "./support/fleet.ts";
import { call } from "./support/http.ts";
import { freePort, type Manager, spawnManager, startManager } from "./support/manager.ts";

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
