import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DockerError } from "../docker/errors.ts";
import { systemClock } from "../kit/clock.ts";
import { Limit } from "../kit/limit.ts";
import { silentLog } from "../kit/log.ts";
import { seededRandom } from "../kit/random.ts";
import { Engine } from "./engine.ts";
import type { EngineTiming } from "./timing.ts";
import { openWire } from "./wire/http-wire.ts";
import { FakeEngine } from "./wire/testing/fake-engine.ts";

/** Short, but with room for a busy machine; a test that waits for a deadline shortens that one. */
const FAST: Partial<EngineTiming> = {
  callMs: 10_000,
  pingMs: 2_000,
  pingEveryMs: 400,
  missEveryMs: 200,
  verdictMs: 1_000,
  verdictTryMs: 350,
  resyncEveryMs: 60_000,
  shortSessionMs: 0,
  reconnect: { first: 10, longest: 40 },
};

let fake: FakeEngine;
let seen: string[];
let engines: Engine[];

beforeEach(async () => {
  fake = new FakeEngine();
  seen = [];
  engines = [];
  await fake.start();
});
afterEach(async () => {
  await Promise.all(engines.map((engine) => engine.stop()));
  await until(() => fake.connections === 0);
  await fake.stop();
});

function connect(timing: Partial<EngineTiming> = {}, limit = new Limit(8, 100)): Engine {
  const engine = new Engine({
    wire: openWire(fake.address, undefined),
    clock: systemClock,
    random: seededRandom(1),
    log: silentLog,
    reading: limit,
    timing: { ...FAST, ...timing },
    observer: {
      facts: (facts) => seen.push(`facts ${facts.engineId}`),
      inventory: ({ containers, told }) => {
        for (const { action, actorId } of told) seen.push(`told ${action} ${actorId}`);
        seen.push(`inventory ${containers}`);
      },
      event: (event) => {
        if (event.attributes.poison) throw new Error("cannot take it");
        seen.push(`${event.action} ${event.actorId}`);
      },
      state: (state) => seen.push(state),
    },
  });
  engines.push(engine);
  engine.start();
  return engine;
}

const until = (what: () => boolean) => vi.waitUntil(what, { timeout: 50_000, interval: 5 });
const times = (what: string) => seen.filter((one) => one === what).length;

describe("an engine that is well", () => {
  it("tells facts, inventory, healthy, and then events, those from during the lists included", async () => {
    fake.faults.set("/images/json", (_req, res) => {
      fake.emit("create", "during");
      setTimeout(() => res.end("[]"), 20);
    });
    const engine = connect();
    await until(() => seen.includes("create during"));
    fake.emit("start", "after");
    await until(() => seen.includes("start after"));
    expect(seen).toEqual(["facts ENGINE-1", "inventory []", "healthy", "create during", "start after"]);
    expect(engine.state).toBe("healthy");
    expect(engine.error).toBeUndefined();
    expect(engine.facts).toMatchObject({ cpus: 2, memory: 2 ** 31, bridgeId: "bridge-1", apiVersion: "1.41" });
    expect([...(engine.facts?.labels ?? [])]).toEqual([
      ["storage", "ssd"],
      ["bare", ""],
      ["eq", "a=b"],
    ]);
    const paths = fake.requests.map((request) => request.split(" ")[1] ?? "");
    expect(paths.indexOf("/v1.41/events")).toBeLessThan(paths.findIndex((path) => path.includes("/containers/json")));
  });

  it("tells once what it remembers from before, and nothing of it twice", async () => {
    fake.emit("create", "before");
    fake.emit("start", "before");
    connect();
    await until(() => seen.includes("healthy"));
    expect(seen).toEqual(["facts ENGINE-1", "told create before", "told start before", "inventory []", "healthy"]);
    fake.emit("die", "before");
    await until(() => seen.includes("die before"));
    fake.dropStreams("break");
    await until(() => times("inventory []") === 2);
    fake.emit("destroy", "before");
    await until(() => seen.includes("destroy before"));
    expect(seen.filter((one) => one.includes("before"))).toEqual([
      ...["told create before", "told start before", "die before", "destroy before"],
    ]);
  });

  it("is the same podman each time, which makes up another ID for each answer and has one bridge on all hosts", async () => {
    const version = { ApiVersion: "1.41", MinAPIVersion: "1.24", Components: [{ Name: "Podman Engine" }] };
    fake.faults.set("/version", (_req, res) => res.end(JSON.stringify(version)));
    let answers = 0;
    const info = { Name: "host", NCPU: 2, MemTotal: 2 ** 31, DockerRootDir: "/var/lib/containers/storage" };
    fake.faults.set("/info", (_req, res) => res.end(JSON.stringify({ ...info, ID: `made-up-${++answers}` })));
    const engine = connect();
    const facts = "facts podman:host:/var/lib/containers/storage";
    await until(() => times(facts) === 1 && engine.state === "healthy");
    fake.dropStreams("end");
    await until(() => times(facts) === 2);
    expect(engine.facts?.bridgeId).toBe("");
  });

  it("brings the client's version into what the engine speaks", async () => {
    const engine = connect();
    await until(() => engine.state === "healthy");
    for (const version of ["1.30", "1.51", undefined]) {
      (await engine.call({ method: "GET", path: "/volumes?x=1", version })).body.resume();
    }
    expect(fake.requests.filter((request) => request.includes("x=1"))).toEqual([
      "GET /v1.30/volumes?x=1",
      "GET /v1.41/volumes?x=1",
      "GET /v1.41/volumes?x=1",
    ]);
  });

  it("turns an engine's refusal into its status and words, and gives up at a deadline", async () => {
    const engine = connect();
    await until(() => engine.state === "healthy");
    await expect(engine.json("GET", "/nothing")).rejects.toEqual(new DockerError(404, "no route /nothing"));
    fake.faults.set("/plain", (_req, res) => res.writeHead(500).end("plain words\n"));
    await expect(engine.text("POST", "/plain", { a: 1 })).rejects.toEqual(new DockerError(500, "plain words"));
    fake.faults.set("/html", (_req, res) => res.end("<html>"));
    await expect(engine.json("GET", "/html")).rejects.toThrow("is not JSON");
    fake.faults.set("/hangs", (_req, res) => res.write("{"));
    await expect(engine.json("GET", "/hangs", undefined, { deadlineMs: 30 })).rejects.toMatchObject({
      fault: "silent",
    });
    expect(engine.state).toBe("healthy");
  });

  it("compares again at intervals and on request, events waiting meanwhile", async () => {
    const engine = connect();
    await until(() => engine.state === "healthy");
    fake.containers = '[{"Id":"x"}]';
    fake.faults.set("/networks", (_req, res) => {
      fake.emit("start", "x");
      setTimeout(() => res.end("[]"), 20);
    });
    engine.resync();
    await until(() => seen.includes("start x"));
    expect(seen.slice(3)).toEqual(["facts ENGINE-1", 'inventory [{"Id":"x"}]', "start x"]);
    const other = connect({ resyncEveryMs: 20 });
    await until(() => times('inventory [{"Id":"x"}]') > 4);
    expect(other.state).toBe("healthy");
  });

  it("survives an observer that throws on an event", async () => {
    const engine = connect();
    await until(() => engine.state === "healthy");
    fake.emit("start", "bad", { poison: "yes" });
    fake.emit("start", "good");
    await until(() => seen.includes("start good"));
    expect(engine.state).toBe("healthy");
  });
});

describe("an event stream that breaks", () => {
  it.each(["end", "break"] as const)(
    "is reopened (%s) with no event lost and none twice, healthy all the while",
    async (how) => {
      const engine = connect();
      await until(() => fake.streams === 1 && engine.state === "healthy");
      const expected: string[] = [];
      for (let round = 0; round < 4; round++) {
        for (let i = 0; i < 20; i++) {
          fake.emit("start", `${round}-${i}`);
          expected.push(`start ${round}-${i}`);
          if (i === 10) fake.dropStreams(how);
        }
        await until(() => fake.streams === 1 && seen.includes(`start ${round}-19`));
      }
      expect(seen.filter((one) => one.startsWith("start "))).toEqual(expected);
      expect(seen).not.toContain("unhealthy");
      expect(times("inventory []")).toBe(5);
    },
  );

  it("is not reopened in a hot loop", async () => {
    fake.faults.set("/events", (_req, res) => res.writeHead(200).end());
    connect({ shortSessionMs: 10_000, reconnect: { first: 10_000, longest: 10_000 } });
    await until(() => times("healthy") === 2);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const streams = fake.requests.filter((request) => request.includes("/events") && !request.includes("until="));
    expect(streams.length).toBe(2);
    expect(seen).not.toContain("unhealthy");
  });

  it("is broken off when it is not JSON, and the engine is read again", async () => {
    const engine = connect();
    await until(() => fake.streams === 1 && engine.state === "healthy");
    fake.faults.set("/events", (_req, res) => res.writeHead(200).end("<html>oops</html>"));
    fake.dropStreams("end");
    await until(() => times("inventory []") >= 3);
    fake.faults.clear();
    await until(() => fake.streams === 1);
    fake.emit("start", "later");
    await until(() => seen.includes("start later"));
  });
});

describe("an engine that goes", () => {
  it("is unhealthy once it refuses, and read again when it is back; another engine there is told", async () => {
    const engine = connect();
    await until(() => engine.state === "healthy");
    fake.emit("start", "before");
    await until(() => seen.includes("start before"));
    await fake.stop();
    await until(() => engine.state === "unhealthy");
    expect([engine.fault, engine.error]).toEqual(["refused", `${fake.address}: connection refused`]);
    await expect(engine.text("GET", "/info")).rejects.toMatchObject({ fault: "refused", sent: false });
    await fake.start();
    await until(() => engine.state === "healthy");
    expect(engine.fault).toBeUndefined();
    await fake.stop();
    await until(() => engine.state === "unhealthy");
    fake.id = "ENGINE-2";
    fake.forgetEvents();
    await fake.start();
    await until(() => engine.state === "healthy");
    expect(engine.facts?.engineId).toBe("ENGINE-2");
    expect(times("start before")).toBe(1);
    expect(seen.slice(-3)).toEqual(["facts ENGINE-2", "inventory []", "healthy"]);
  });

  it("is unhealthy when it hangs with its connections open, and healthy when it answers again", async () => {
    const engine = connect();
    await until(() => engine.state === "healthy");
    fake.faults.set("/_ping", () => {});
    await until(() => engine.state === "unhealthy");
    expect(engine.fault).toBe("silent");
    expect(engine.error).toContain("no answer");
    fake.faults.clear();
    await until(() => engine.state === "healthy");
  });

  it("lets nobody wait for it once it is silent: calls and streams under way end with why", async () => {
    const engine = connect();
    await until(() => engine.state === "healthy");
    fake.faults.set("/never", () => {});
    fake.faults.set("/begun", (_req, res) => res.writeHead(200).write("first words"));
    const never = engine.text("POST", "/never", undefined, { deadlineMs: 3_600_000 });
    never.catch(() => {});
    const begun = await engine.call({ method: "GET", path: "/begun" });
    const broken = new Promise<Error>((resolve) => begun.body.once("error", resolve));
    begun.body.resume();
    fake.faults.set("/_ping", () => {});
    await expect(never).rejects.toMatchObject({ fault: "silent", sent: true });
    expect(await broken).toMatchObject({ fault: "silent", message: expect.stringContaining("no answer") });
    expect(engine.state).toBe("unhealthy");
  });

  it("is asked at once after a call that failed", async () => {
    const engine = connect({ pingEveryMs: 60_000 });
    await until(() => engine.state === "healthy" && fake.streams === 1);
    const pings = () =>
      fake.requests.filter((request) => request === "GET /_ping" || request.endsWith("/_ping")).length;
    const before = pings();
    fake.faults.set("/breaks", (req) => req.socket.destroy());
    await expect(engine.text("GET", "/breaks")).rejects.toMatchObject({ fault: "broken", sent: true });
    await until(() => pings() > before);
    expect(engine.state).toBe("healthy");
  });

  it("is disconnected for good by stop, whatever it is doing", async () => {
    fake.faults.set("/info", () => {});
    const engine = connect();
    await until(() => fake.requests.some((request) => request.includes("/info")));
    await engine.stop();
    expect(engine.state).toBe("disconnected");
    expect(seen).toEqual(["disconnected"]);
  });
});

describe("what is no usable engine", () => {
  it.each([
    ["hangs", "/info", () => {}, "no answer within 0.4 s"],
    ["answers in HTML", "/version", (_req, res) => res.end("<html>login</html>"), "is not JSON"],
    [
      "gives half an answer",
      "/info",
      (_req, res) => res.writeHead(200, { "content-length": 99 }).write("{", () => res.socket?.end()),
      "closed",
    ],
    ["answers with an error", "/info", (_req, res) => res.writeHead(500).end('{"message":"boom"}'), "boom"],
    ["sends a list that is none", "/containers/json", (_req, res) => res.end("<p>"), "is not JSON"],
    ["has no event stream", "/events", (_req, res) => res.writeHead(403).end("no"), "GET /events"],
    ["never begins its event stream", "/events", () => {}, "0.4 s"],
    ["is no API at all", "/version", (_req, res) => res.end('"hi"'), "make sure it is a Docker Engine"],
  ] as [string, string, Parameters<FakeEngine["faults"]["set"]>[1], string][])(
    "%s: pending with the reason, and healthy once that is over",
    async (_name, path, fault, words) => {
      fake.faults.set(path, fault);
      const engine = connect(words.includes("0.4 s") ? { callMs: 400 } : {});
      await until(() => engine.error !== undefined);
      expect(engine.state).toBe("pending");
      expect(engine.error).toContain(words);
      fake.faults.clear();
      await until(() => engine.state === "healthy");
    },
  );

  it.each([{ NCPU: 0 }, { MemTotal: 0 }, { ID: "" }])("lacks %j", async (info) => {
    fake.info = info;
    const engine = connect();
    await until(() => engine.error !== undefined);
    expect(engine.error).toContain("make sure it is a Docker Engine, not a Swarm manager");
  });

  it("does not keep others from being read while it hangs", async () => {
    const dead = new FakeEngine();
    await dead.start();
    dead.faults.set("/_ping", () => {});
    const limit = new Limit(1, 100);
    const wire = openWire(dead.address, undefined);
    const observer = { facts() {}, inventory() {}, event() {}, state() {} };
    const parts = { wire, clock: systemClock, random: seededRandom(2), log: silentLog, reading: limit, observer };
    const hung = Array.from({ length: 3 }, () => new Engine({ ...parts, timing: { ...FAST, pingMs: 60_000 } }));
    for (const engine of hung) engine.start();
    const engine = connect({}, limit);
    await until(() => engine.state === "healthy");
    await Promise.all(hung.map((one) => one.stop()));
    await dead.stop();
  });
});
