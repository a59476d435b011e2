/** What leaves a drained node without a gap: started elsewhere before it is stopped, or not at all, or as everything else. */
import { afterEach, describe, expect, it } from "vitest";
import { remainingOn } from "../../src/cluster/reschedule/drain.ts";
import {
  DRAIN_REST_MS,
  REPLACEMENT_HEALTHY_MS,
  REPLACEMENT_LATE_MS,
  REPLACEMENT_LOOK_MS,
  REPLACEMENT_STEADY_MS,
  RESCHEDULE_EVERY_MS,
} from "../../src/kit/limits.ts";
import { StoreError } from "../../src/store/store.ts";
import { isRunning, type SimContainer } from "../engine/container.ts";
import { type ApiFace, openApi } from "./api-face.ts";
import { expectTrueLedger } from "./truth.ts";
import { type Body, GB, World, type WorldOptions } from "./world.ts";

let world: World;
let api: ApiFace;
const open = async ({ nodes = 2, ...options }: Omit<WorldOptions, "nodes"> & { readonly nodes?: number } = {}) => {
  world = await World.open({ ...options, nodes: Array.from({ length: nodes }, () => ({ memory: 2 * GB })) });
  api = await openApi(world);
};
afterEach(async () => {
  await api.close();
  await world.close();
});

const LABELS = { "com.docker.swarm.constraints": '["node==~node-2"]', "shoal.drain": "start-first" };
const always = { RestartPolicy: { Name: "always" } };
const CHECKED: Body = { Healthcheck: { Test: ["CMD", "true"] } };
const web = (more: Body = {}, host: Body = {}): Body => ({
  Labels: LABELS,
  HostConfig: { ...always, Memory: GB, ...host },
  ...more,
});
const post = async (path: string): Promise<number> => (await api.call("POST", path).over).status;
const until = (what: string, holds: () => boolean | Promise<boolean>): Promise<void> =>
  world.until(what, () => {
    for (const ms of [RESCHEDULE_EVERY_MS, REPLACEMENT_STEADY_MS, REPLACEMENT_LOOK_MS]) world.clock.hurry(ms);
    return holds();
  });
const places = async (): Promise<string[]> =>
  (await world.list()).map(({ Names, State, Labels }) => `${Names[0]} ${State} ${Labels["shoal.NODE"] ?? "nowhere"}`);
const copyOn = (node: string, name = "web"): SimContainer | undefined =>
  world
    .engine(node)
    .daemon.containers.all()
    .find((one) => one.name === name);
const runsOn = (node: string, name = "web"): boolean => {
  const copy = copyOn(node, name);
  return copy !== undefined && isRunning(copy);
};
const onEngine = (node: string): string[] =>
  world
    .engine(node)
    .daemon.containers.all()
    .map((one) => `${one.name}${isRunning(one) ? " runs" : ""}`)
    .sort();
const left = () => remainingOn(world.cluster, world.node("node-2"));
const why = (): string => left()[0]?.why ?? "";
const check = (node: string, health: "healthy" | "unhealthy"): void => {
  const copy = copyOn(node);
  if (!copy) throw new Error(`no copy on ${node}`);
  world.engine(node).daemon.lifecycle.check(copy, health);
};
/** All that a client hears of containers from now on. */
function hear(): () => string[] {
  const reader = world.cluster.events.subscribe();
  const heard: string[] = [];
  void (async () => {
    for (let events = await reader.next(); events; events = await reader.next()) {
      for (const { type, action, actorId, attributes } of events) {
        if (type === "container") heard.push(`${action} ${attributes["node.name"]} ${actorId}`);
      }
    }
  })();
  return () => [...heard];
}
async function nothingIsLeft(): Promise<void> {
  await until("the next copy is gone", () => onEngine("node-1").length === 0);
  await world.cluster.writer.idle();
  await until("its mark is gone", async () => (await world.store.list("replacements/")).length === 0);
  expect(await world.store.list("tombstones/")).toEqual([]);
  expect(await places()).toEqual(["/web running node-2"]);
  expect(onEngine("node-2")).toEqual(["web runs"]);
  expectTrueLedger(world);
}
/** A container with a healthcheck whose next copy has been started and is not healthy yet. */
async function halfway(): Promise<string> {
  const { id } = await world.run("web", web(CHECKED));
  await halfwayOf("web");
  return id;
}
async function halfwayOf(name: string): Promise<void> {
  await world.names();
  await post("/shoal/nodes/node-2/drain");
  await until("the next copy runs", () => runsOn("node-1", name));
}

describe.each([false, true])("a container that asks to be started first (minted IDs: %s)", (mintIds) => {
  it("runs on until its next copy is healthy: one row at any moment, told as a restart", async () => {
    await open({ mintIds });
    const told = hear();
    const { id } = await world.run("web", web(CHECKED));
    await until("it is told", () => told().length === 2);
    await halfwayOf("web");
    await until("some looks were taken", async () => (await places()).join() === "/web running node-2");
    expect(world.record("web")).toMatchObject({ id, epoch: 1 });
    check("node-1", "healthy");
    const seen = new Set<string>();
    await until("the next copy has taken over", async () => {
      const now = (await places()).join();
      seen.add(now);
      return now === "/web running node-1";
    });
    expect([...seen].filter((row) => row !== "/web running node-2" && row !== "/web running node-1")).toEqual([]);
    expect(world.record("web")).toMatchObject({ id, epoch: 2, name: "web" });
    expect((await world.inspect("web")).Id).toBe(id);
    await until("the copy that it left is kept aside", () =>
      onEngine("node-2").every((name) => /^web\.kept-\w+$/.test(name)),
    );
    await until("it is told", () => told().some((line) => line.startsWith("kept ")));
    expect(told()).toEqual([
      `create node-2 ${id}`,
      `start node-2 ${id}`,
      `die node-2 ${id}`,
      `start node-1 ${id}`,
      `reschedule node-1 ${id}`,
      `kept node-2 ${id}`,
    ]);
    expect(left()).toEqual([]);
    expect(world.cluster.decisions.named("web")?.node).toBe("node-1");
    expectTrueLedger(world);
    await world.cluster.writer.idle();
    expect(await world.store.list("replacements/")).toEqual([]);
    await world.restartManager();
    expect(await places()).toEqual(["/web running node-1"]);
    expect(world.record("web").id).toBe(id);
  });

  it("needs no healthcheck, and takes its fixed port along", async () => {
    await open({ mintIds });
    const { id } = await world.run("web", web({}, { PortBindings: { "80/tcp": [{ HostPort: "8080" }] } }));
    await world.names();
    await post("/shoal/nodes/node-2/drain");
    await until("it has left", async () => (await places()).join() === "/web running node-1");
    expect(world.record("web").id).toBe(id);
    await until("it is at rest", () => !runsOn("node-2", "web") && onEngine("node-2").join().startsWith("web.kept-"));
    expectTrueLedger(world);
  });
});

describe("a container whose next copy does not do well", () => {
  it("runs on untouched when that cannot be started, and says so; and tries again later", async () => {
    await open();
    await world.run("web", web());
    await world.names();
    const { startedAt } = copyOn("node-2") ?? {};
    world.engine("node-1").faults.failNext("start", 500, "no space left on device");
    const told = hear();
    await post("/shoal/nodes/node-2/drain");
    await until("it is said", () => why().includes("its next copy on node-1 could not be started: no space left"));
    await nothingIsLeft();
    expect(copyOn("node-2")?.startedAt).toBe(startedAt);
    expect(told()).toEqual([]);
    world.clock.skip(DRAIN_REST_MS);
    await until("it has left", async () => (await places()).join() === "/web running node-1");
  });

  it.each([
    ["is unhealthy", () => check("node-1", "unhealthy")],
    ["was not healthy within 5 minutes", () => world.clock.skip(REPLACEMENT_HEALTHY_MS)],
    [
      "ended with exit code 137",
      () => {
        const copy = copyOn("node-1");
        if (copy) world.engine("node-1").daemon.lifecycle.kill(copy, "SIGKILL");
      },
    ],
  ])("runs on untouched when that %s", async (words, happen) => {
    await open();
    await halfway();
    happen();
    await until("it is said", () => why() === `its next copy on node-1 ${words}`);
    await nothingIsLeft();
  });

  it("runs on when no answer tells whether that was made", async () => {
    await open();
    await world.run("web", web());
    await world.names();
    world.meddle("node-1").loseAnswer(/^POST \/containers\/create/);
    await post("/shoal/nodes/node-2/drain");
    await until("it is said", () => why().includes("could not be started"));
    await nothingIsLeft();
  });

  it("runs on when the store does not take the change of places", async () => {
    await open();
    await halfway();
    const { txn } = world.store;
    world.store.txn = () => Promise.reject(new StoreError("no space left on device"));
    check("node-1", "healthy");
    await until("it is said", () => why().includes("the store does not take changes"));
    expect(await places()).toEqual(["/web running node-2"]);
    expect(onEngine("node-1")).toEqual(["web runs"]);
    world.store.txn = txn;
    world.clock.skip(DRAIN_REST_MS);
    await until("it is tried again", () => copyOn("node-1")?.health === "starting");
    check("node-1", "healthy");
    await until("it has left", async () => (await places()).join() === "/web running node-1");
  });
});

describe("a store that took the change of places without saying so", () => {
  it("says in the end what the manager does: the present copy goes on", async () => {
    await open();
    const id = await halfway();
    const { engineId } = world.record("web");
    const { store } = world;
    const { txn } = store;
    store.txn = async (asked, options) => {
      const answer = await txn.call(store, asked, options);
      if (!asked.writes.some(({ key }) => key.startsWith("tombstones/"))) return answer;
      store.txn = txn;
      throw new StoreError("the connection broke");
    };
    check("node-1", "healthy");
    await until("it is said", () => why().includes("the connection broke"));
    await nothingIsLeft();
    await world.restartManager();
    expect(await places()).toEqual(["/web running node-2"]);
    expect(world.record("web")).toMatchObject({ id, engineId, epoch: 1 });
    expect(onEngine("node-2")).toEqual(["web runs"]);
  });
});

describe("a container that is changed while its next copy is made", () => {
  it("stays when its node is activated", async () => {
    await open();
    await halfway();
    await post("/shoal/nodes/node-2/activate");
    await nothingIsLeft();
  });

  it.each([
    ["removed", () => world.remove("web"), []],
    ["stopped", () => world.stop("web"), ["/web exited node-2"]],
    ["renamed", () => world.rename("web", "www"), ["/www running node-2"]],
  ] as const)("is %s as it was asked for, and the next copy goes", async (_what, change, rows) => {
    await open();
    await halfway();
    await change();
    check("node-1", "healthy");
    await until("the next copy is gone", () => !runsOn("node-1", "web"));
    expect(await places()).toEqual(rows);
    await world.cluster.writer.idle();
    await world.restartManager();
    expect(await places()).toEqual(rows);
  });
});

describe("a container that cannot be started first", () => {
  const stopFirst = (): string[] => left().flatMap(({ name, stopFirst: why }) => (why ? [`${name}: ${why}`] : []));
  const asked = { "com.docker.swarm.reschedule-policies": '["on-node-failure"]' };

  it.each([
    ["it has /data from a volume or path of its node", { Volumes: { "/data": {} }, Labels: { ...LABELS, ...asked } }],
    ["it is paused", {}],
  ])("is stopped first, and that is said: %s", async (words, more) => {
    await open();
    await world.run("web", web(more));
    if (words === "it is paused") await world.change("web", "pause");
    await world.names();
    await post("/shoal/nodes/node-2/drain");
    expect(stopFirst()).toEqual([`web: ${words}`]);
    const remaining = JSON.parse((await api.call("GET", "/shoal/nodes/node-2/remaining").over).text);
    expect(remaining).toMatchObject([{ Name: "web", StopFirst: words }]);
    await until("it has left", async () => (await places()).join() === "/web running node-1");
  });

  it("is stopped first with what it belongs together with", async () => {
    await open();
    await world.run("db", web({}, { Memory: 0 }));
    await world.run("web", web({}, { Memory: 0, Links: ["db"] }));
    await world.names();
    await post("/shoal/nodes/node-2/drain");
    expect(stopFirst()).toEqual(["db: it belongs together with web", "web: it belongs together with db"]);
    await until("both have left", async () => (await places()).every((place) => place.endsWith(" running node-1")));
  });

  it.each([
    ["bridge", {}, "network shop is on one node only, and goes with it"],
    ["overlay", { IPAMConfig: { IPv4Address: "10.1.0.5" } }, "its address 10.1.0.5 is one for the whole cluster"],
    ["overlay", {}, undefined],
  ])("depends on its network: %s %j", async (driver, endpoint, words) => {
    await open();
    await post("/shoal/nodes/node-1/cordon");
    expect((await api.call("POST", "/networks/create", { Name: "shop", Driver: driver }).over).status).toBe(201);
    const networking = { NetworkingConfig: { EndpointsConfig: { shop: endpoint } } };
    await world.run("web", { ...web({}, { NetworkMode: "shop" }), ...networking });
    await world.names();
    await post("/shoal/nodes/node-2/drain");
    expect(left().map(({ stopFirst: why }) => why)).toEqual([words]);
  });

  it("is stopped first where the node is drained by force", async () => {
    await open();
    await world.run("web", web());
    await world.names();
    expect(await post("/shoal/nodes/node-2/drain?force=1")).toBe(204);
    expect(stopFirst()).toEqual(["web: the node is drained by force"]);
    await until("it has left", async () => (await places()).join() === "/web running node-1");
  });
});

describe("a manager that dies while a container is started elsewhere", () => {
  it("leaves the present copy the container, however well the next one ran", async () => {
    await open();
    const id = await halfway();
    const { engineId } = world.record("web");
    const next = copyOn("node-1")?.id;
    await world.cluster.writer.idle();
    await api.close();
    await world.crashManager();
    api = await openApi(world);
    await world.healthy();
    await until("the next copy is gone", () => copyOn("node-1")?.id !== next);
    expect(await places()).toEqual(["/web running node-2"]);
    expect(world.record("web")).toMatchObject({ id, engineId, epoch: 1 });
  });

  it("leaves one of the two even where the store has lost the mark", async () => {
    await open();
    const id = await halfway();
    await world.cluster.writer.idle();
    const marks = await world.store.list("replacements/");
    expect(marks).toHaveLength(1);
    await world.store.txn({ conditions: [], writes: marks.map(({ key }) => ({ key, value: undefined })) });
    await api.close();
    await world.crashManager();
    api = await openApi(world);
    await world.healthy();
    await until("the newer one is the container", async () => (await places()).join() === "/web running node-1");
    expect(world.record("web").id).toBe(id);
    await until("the other is kept aside", () => /^web\.kept-\w+$/.test(onEngine("node-2").join()));
  });

  it("leaves one copy running in the end, whichever step was its last", async () => {
    const homes = new Set<string>();
    for (let death = 1, died = true; died; death++) {
      await open({ seed: death });
      const { id } = await world.run("web", web());
      await world.names();
      await world.cluster.writer.idle();
      world.life.dieAt(death);
      await post("/shoal/nodes/node-2/drain");
      await until("it is over, or the manager dead", () => {
        const aside = onEngine("node-2").every((name) => /^web\.kept-\w+$/.test(name));
        return !world.life.alive || aside;
      });
      died = !world.life.alive;
      await api.close();
      await world.crashManager();
      api = await openApi(world);
      await world.healthy();
      const home = world.node("node-2").draining ? "node-1" : "node-2";
      await until("one copy runs, where it should", () => {
        // What the last manager left may have been in the way.
        if (why().includes("its next copy")) world.clock.skip(DRAIN_REST_MS);
        const running = ["node-1", "node-2"].filter((node) => onEngine(node).some((name) => name.endsWith(" runs")));
        return running.join() === home;
      });
      // Of a copy that was not made the mark ends when it cannot be made any more.
      const readAgain = async (): Promise<boolean> => {
        const node = world.node("node-1");
        world.cluster.refresher.markAll(node);
        await world.cluster.refresher.settledOn(node);
        return (await world.store.list("replacements/")).length === 0;
      };
      if (!(await readAgain())) world.clock.skip(REPLACEMENT_LATE_MS);
      await until("no mark is left", readAgain);
      await until("it is known", async () => (await places()).join() === `/web running ${home}`);
      homes.add(home);
      expect(world.record("web").id).toBe(id);
      expectTrueLedger(world);
      if (!died) break;
      await api.close();
      await world.close();
    }
    expect([...homes].sort()).toEqual(["node-1", "node-2"]);
  }, 120_000);
});
