/** An agent under a clock that is moved by hand: when it beats, what it does when it cannot, who it stays. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Identity } from "../src/agent/identity.ts";
import type { AgentOptions } from "../src/agent/options.ts";
import { beat } from "../src/agent/run.ts";
import type { Registration, Registry } from "../src/discovery/discovery.ts";
import { silentLog } from "../src/kit/log.ts";
import { seededRandom, systemRandom } from "../src/kit/random.ts";
import { SimClock } from "./clock.ts";

let directory: string;
let identity: Identity;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "shoal-agent-"));
  identity = Identity.open(directory, systemRandom);
});
afterEach(() => {
  identity.close();
  rmSync(directory, { recursive: true });
});

describe("an agent", () => {
  const options: AgentOptions = {
    discovery: "token://x",
    discoveryOptions: {},
    hub: {},
    advertise: "10.0.0.1:2375",
    heartbeatMs: 60_000,
    ttlMs: 180_000,
    delayMs: 0,
    name: undefined,
    labels: {},
    stateDir: "",
  };
  let clock: SimClock;
  let beats: { at: number; registration: Registration }[];
  let withdrawn: string[];
  let isDown: boolean;
  let stops: (() => Promise<void>)[];
  beforeEach(() => {
    clock = new SimClock();
    beats = [];
    withdrawn = [];
    isDown = false;
    stops = [];
  });
  afterEach(async () => {
    for (const stop of stops) await stop();
    expect(clock.timers).toBe(0);
  });

  const registry: Registry = {
    async register(registration) {
      if (isDown) throw new Error("down");
      beats.push({ at: clock.monotonic() / 1000, registration });
    },
    withdraw: async (address) => void withdrawn.push(address),
  };
  const start = (more: Partial<AgentOptions> = {}): (() => Promise<void>) => {
    const stopping = new AbortController();
    const context = { clock, random: seededRandom(1), log: silentLog };
    const done = beat({ ...options, ...more }, { url: "token://…" }, registry, identity, context, stopping.signal);
    const stop = async (): Promise<void> => {
      stopping.abort();
      await done;
    };
    stops.push(stop);
    return stop;
  };
  const times = () => beats.map(({ at }) => at);

  it("registers at once and with each heartbeat, and every beat differs", async () => {
    start({ labels: { storage: "ssd" }, name: "node-1" });
    await clock.advance(180_000);
    expect(times()).toEqual([0, 60, 120, 180]);
    expect(beats.map(({ registration }) => registration.beat)).toEqual([1, 2, 3, 4]);
    const said = {
      address: "10.0.0.1:2375",
      id: identity.id,
      name: "node-1",
      labels: { storage: "ssd" },
      ttlMs: 180_000,
    };
    expect(beats[0]?.registration).toMatchObject(said);
  });

  it("waits for a random part of its delay", async () => {
    start({ delayMs: 30_000 });
    await clock.advance(30_000);
    expect(times()).toHaveLength(1);
    expect(times()[0]).toBeGreaterThan(0);
  });

  it("tries again soon when it cannot register, and beats as before afterwards", async () => {
    start();
    await clock.advance(1_000);
    isDown = true;
    await clock.advance(120_000);
    expect(times()).toEqual([0]);
    isDown = false;
    await clock.advance(15_000);
    expect(times()).toHaveLength(2);
    const back = times()[1] ?? 0;
    await clock.advance(60_000);
    expect(times()).toEqual([0, back, back + 60]);
  });

  it("takes its registration at a former address away, and stays who it is", async () => {
    await start()();
    const { id } = identity;
    identity.close();
    identity = Identity.open(directory, systemRandom);
    expect(identity.id).toBe(id);
    await start({ advertise: "10.0.0.9:2375" })();
    expect(withdrawn).toEqual(["10.0.0.1:2375"]);
    // Elsewhere it was never registered, and the file holds no token.
    await start({ advertise: "10.0.0.7:2375", discovery: "token://y" })();
    expect(readFileSync(join(directory, "node.json"), "utf8")).not.toContain("token");
    expect(withdrawn).toEqual(["10.0.0.1:2375"]);
    expect(new Set(beats.map(({ registration }) => registration.id))).toEqual(new Set([id]));
  });
});

describe("a state directory", () => {
  it("serves one agent at a time, and the next after one that was killed", () => {
    writeFileSync(join(directory, "pid"), "1\n");
    expect(() => Identity.open(directory, systemRandom)).toThrow(/the agent with process ID 1 uses it; give this one/);
    // A process ID that no process has: above the kernel's highest.
    writeFileSync(join(directory, "pid"), "999999999\n");
    expect(Identity.open(directory, systemRandom).id).toBe(identity.id);
    expect(readFileSync(join(directory, "pid"), "utf8")).toBe(`${process.pid}\n`);
  });

  it("that is damaged is said, never taken for a new node", () => {
    writeFileSync(join(directory, "node.json"), "{");
    expect(() => Identity.open(directory, systemRandom)).toThrow("is damaged: remove it");
  });
});
