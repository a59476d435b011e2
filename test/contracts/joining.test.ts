/** A hub, nodes that join, a list, a manager that watches: the real parts over real sockets, no engine. */
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { runAgent } from "../../src/agent/run.ts";
import { run } from "../../src/cli/main.ts";
import { testIo } from "../../src/cli/test-io.ts";
import type { Entry } from "../../src/discovery/discovery.ts";
import { openDiscovery } from "../../src/discovery/open.ts";
import { openTestHub, type TestHub } from "../../src/hub/testing.ts";
import { systemClock } from "../../src/kit/clock.ts";
import { silentLog } from "../../src/kit/log.ts";

describe("nodes that join", () => {
  let hub: TestHub;
  let states: string;
  const agents: { stop(): Promise<void> }[] = [];
  beforeEach(async () => {
    hub = await openTestHub();
    states = mkdtempSync(join(hub.directory, "agents-"));
  });
  afterEach(async () => {
    await Promise.all(agents.splice(0).map(({ stop }) => stop()));
    await hub.close();
    rmSync(states, { recursive: true, force: true });
  });

  const shoal = async (...args: string[]) => {
    const io = testIo({ SWARM_DISCOVERY_URL: hub.url, SHOAL_HUB_TOKEN: hub.adminToken });
    const code = await run(args, io);
    return { code, out: io.stdout(), err: io.stderr() };
  };
  /** @param state of its directory */
  const start = (discovery: string, advertise: string, state: string, labels: Record<string, string> = {}) => {
    const stopping = new AbortController();
    const running = runAgent(
      {
        discovery,
        discoveryOptions: {},
        hub: { url: hub.url },
        advertise,
        heartbeatMs: 1_000,
        ttlMs: 600_000,
        delayMs: 0,
        name: undefined,
        labels,
        stateDir: join(states, state),
      },
      silentLog,
      stopping.signal,
    );
    const stop = async (): Promise<void> => {
      stopping.abort();
      await running;
    };
    agents.push({ stop });
    return { running, stop };
  };
  const watch = async (url: string) => {
    const stopping = new AbortController();
    const lists: (readonly Entry[])[] = [];
    const access = { url: hub.url, token: hub.adminToken };
    const discovery = await openDiscovery(url, { clock: systemClock, log: silentLog, heartbeatMs: 50, hub: access });
    const done = discovery.watch(
      (entries) => lists.push(entries),
      () => {},
      stopping.signal,
    );
    agents.push({
      async stop() {
        stopping.abort();
        await done;
        await discovery.close();
      },
    });
    return lists;
  };
  const eventually = (check: () => void) => vi.waitFor(check, { timeout: 50_000, interval: 20 });
  const addresses = (list: readonly Entry[] | undefined) => list?.map(({ address }) => address);

  it("by a token are listed, and seen by a manager that watches", async () => {
    const { out } = await shoal("create");
    expect(out).toMatch(/^[0-9a-f]{32}\n$/);
    const url = `token://${out.trim()}`;
    const lists = await watch(url);
    for (const index of [1, 2, 3]) start(url, `10.0.0.${index}:2375`, String(index));
    const three = ["10.0.0.1:2375", "10.0.0.2:2375", "10.0.0.3:2375"];
    await eventually(() => expect(addresses(lists.at(-1))).toEqual(three));
    expect((await shoal("list", url)).out).toBe(three.map((address) => `${address}\n`).join(""));
    expect(new Set(lists.at(-1)?.map(({ id }) => id)).size).toBe(3);
  });

  it("by a cluster's URL keep their ID at another address and with other labels", async () => {
    const { out } = await shoal("create", "cluster-1");
    const url = out.trim();
    expect(url).toMatch(/^http:\/\/[0-9a-f]{32}@127\.0\.0\.1:\d+\/u\/admin\/cluster-1$/);
    const lists = await watch(url);
    const first = start(url, "10.0.0.1:2375", "1", { storage: "ssd" });
    await eventually(() =>
      expect(lists.at(-1)).toMatchObject([{ address: "10.0.0.1:2375", labels: { storage: "ssd" } }]),
    );
    const id = lists.at(-1)?.[0]?.id;
    await first.stop();
    start(url, "10.0.0.9:2375", "1", { storage: "disk" });
    await eventually(() =>
      expect(lists.at(-1)).toMatchObject([{ address: "10.0.0.9:2375", id, labels: { storage: "disk" } }]),
    );
    const json = (await shoal("list", "--format", "json", url)).out;
    expect(JSON.parse(json)).toEqual({ Address: "10.0.0.9:2375", ID: id, Labels: { storage: "disk" } });
  });

  it("are refused where a list is made elsewhere, and when another agent has the state directory", async () => {
    await expect(start("nodes://a", "a:1", "1").running).rejects.toThrow("not implemented in this discovery service");
    agents.splice(0);
    expect((await shoal("list", "token://00")).err).toMatch(/^shoal: hub 127\.0\.0\.1:\d+: no such cluster\n$/);
  });

  it("have accounts made by the admin", async () => {
    const { out } = await shoal("hub", "user", "add", "ann");
    expect(out).toMatch(/^[0-9a-f]{64}\n$/);
    expect((await shoal("hub", "user", "ls")).out).toBe("ann\n");
    expect((await shoal("hub", "user", "add", "ann")).err).toContain("there is a user ann already");
    expect((await shoal("hub", "user", "rm", "ann")).code).toBe(0);
    expect((await shoal("hub", "user", "ls")).out).toBe("");
  });
});
