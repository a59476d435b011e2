/** The cluster's event stream over simulated engines: order, none twice, none lost, identities; and its history. */
import { afterEach, describe, expect, it } from "vitest";
import { matches } from "../../src/api/events.ts";
import { eventHistory } from "../../src/cluster/event-history.ts";
import type { ClusterEvent } from "../../src/cluster/event-hub.ts";
import { removeLost } from "../../src/cluster/tombstones.ts";
import { parseFilters } from "../../src/docker/filters.ts";
import { EVENT_QUEUE, EVENTS_LATE_MS } from "../../src/kit/limits.ts";
import type { SimEngine } from "../engine/engine.ts";
import { World, type WorldOptions } from "./world.ts";

let world: World;
let stop = (): void => {};
const seen: ClusterEvent[] = [];

async function open(options?: WorldOptions): Promise<World> {
  world = await World.open(options);
  follow();
  return world;
}

/** Collects what a reader of the live stream is told. */
function follow(): void {
  seen.length = 0;
  const { events } = world.cluster;
  const reader = events.subscribe();
  stop = () => events.unsubscribe(reader);
  void (async () => {
    for (let some = await reader.next(); some; some = await reader.next()) seen.push(...some);
  })();
}

afterEach(async () => {
  stop();
  await world.close();
});

const of = (name: string): string[] =>
  seen.filter((event) => event.type === "container" && event.attributes.name === name).map(({ action }) => action);

/** What was told of networks and volumes that came and went. */
const ofObjects = (): ClusterEvent[] =>
  seen.filter(({ type, action }) => type !== "container" && ["create", "destroy"].includes(action));

describe("live events", () => {
  it("tell a container's life in order, once, with its cluster ID and its node", async () => {
    await open({ mintIds: true });
    const record = await world.run("web", { Labels: { app: "shop" } });
    await world.stop("web");
    await world.remove("web");
    await world.until("its end is told", () => of("web").includes("destroy"));
    expect(of("web")).toEqual(["create", "start", "kill", "die", "stop", "destroy"]);
    for (const event of seen.filter(({ type }) => type === "container")) {
      const text = JSON.parse(event.text);
      expect(event.actorId).toBe(record.id);
      expect(text.id).toBe(record.id);
      expect(text.Actor.ID).toBe(record.id);
      expect(text.Actor.Attributes).toMatchObject({
        app: "shop",
        name: "web",
        "node.name": "node-1",
        "node.ip": "10.0.0.1",
        "node.addr": "10.0.0.1:2375",
      });
      expect(text.Actor.Attributes).not.toHaveProperty("shoal.hint");
      expect(event.text).toContain(`"timeNano":${event.timeNano}`);
    }
    const network = seen.find(({ type, action }) => type === "network" && action === "connect");
    expect(network?.attributes.container).toBe(record.id);
  });

  it("tell nothing of what an engine makes after all of a create that was given up", async () => {
    await open({ nodes: 1, mintIds: true });
    world.meddle("node-1").loseRequest(/^POST \/containers\/create/);
    const bodies = world.meddle("node-1").record(/^POST \/containers\/create/);
    await expect(world.create("web")).rejects.toMatchObject({ status: 503 });
    await world.until("it is given up", () => world.cluster.inventory.named("web").size === 0);
    const { containers } = world.engine("node-1").daemon;
    containers.create("late", JSON.parse(bodies[0] ?? ""), "1.51");
    await world.until("it is removed", () => containers.size === 0);
    await world.run("next");
    await world.until("what came later is told", () => of("next").includes("start"));
    expect(of("late")).toEqual([]);
  });

  it("are neither lost nor told twice when the stream breaks", async () => {
    await open({ nodes: 1 });
    const { faults } = world.engine("node-1");
    for (let i = 0; i < 12; i++) {
      if (i % 3 === 2) faults.cutEvents();
      await world.run(`c${i}`);
    }
    await world.until("the last is told", () => of("c11").includes("start"));
    for (let i = 0; i < 12; i++) expect(of(`c${i}`)).toEqual(["create", "start"]);
  });

  it("are not told after later ones when a stream that left some out breaks", async () => {
    await open({ nodes: 1 });
    const engine = world.engine("node-1");
    await world.run("web");
    await world.until("it runs", () => of("web").includes("start"));
    const meddler = world.meddle("node-1");
    meddler.loseEvents(/"Action":"(pause|create)"/);
    await world.create("db");
    const { containers, lifecycle } = engine.daemon;
    lifecycle.pause(containers.get("web"));
    lifecycle.unpause(containers.get("web"));
    lifecycle.start(containers.get("db"));
    await world.until("it is told", () => of("db").includes("start"));
    meddler.loseEvents(/^none$/);
    engine.faults.cutEvents();
    await world.clock.sleep(2 * EVENTS_LATE_MS);
    lifecycle.kill(containers.get("db"), "KILL");
    await world.until("the end is told", () => of("db").includes("die"));
    expect(of("web")).toEqual(["create", "start", "pause", "unpause"]);
    expect(of("db").filter((action) => action !== "kill")).toEqual(["create", "start", "die"]);
  });

  it("tell nothing of the time before when the first stream breaks", async () => {
    await open({ nodes: 1 });
    await world.run("before");
    await world.until("it is told", () => of("before").includes("start"));
    stop();
    await world.restartManager();
    follow();
    await world.run("first");
    await world.until("it is told", () => of("first").includes("start"));
    world.engine("node-1").faults.cutEvents();
    await world.run("second");
    await world.until("it is told, too", () => of("second").includes("start"));
    expect(of("before")).toEqual([]);
    expect(of("first")).toEqual(["create", "start"]);
  });

  it("keep each engine's order while many things happen", async () => {
    await open({ strategy: "spread" });
    await Promise.all(
      Array.from({ length: 30 }, async (_, i) => {
        await world.run(`c${i}`);
        await world.remove(`c${i}`);
      }),
    );
    await world.until("all are gone", () => seen.filter(({ action }) => action === "destroy").length === 30);
    for (const engine of world.engines) {
      const times = seen
        .filter(({ attributes }) => attributes["node.name"] === engine.name)
        .map((event) => event.timeNano);
      expect(times).toEqual([...times].sort((a, b) => (a < b ? -1 : 1)));
      expect(new Set(times).size).toBe(times.length);
    }
    for (let i = 0; i < 30; i++) expect(of(`c${i}`)).toEqual(["create", "start", "kill", "die", "destroy"]);
  });

  it("tell nothing of the copy that another node replaced", async () => {
    await open();
    const { record } = await world.create("web");
    world.engine("node-1").faults.failNext("start", 500, "no space left on device");
    await world.start("web");
    await world.until("it runs", () => of("web").includes("start"));
    expect(of("web")).toEqual(["create", "create", "start"]);
    expect(new Set(seen.filter(({ type }) => type === "container").map(({ actorId }) => actorId))).toEqual(
      new Set([record.id]),
    );
  });

  it("leave a reader behind that does not read, and nobody else", async () => {
    await open({ nodes: 1 });
    const slow = world.cluster.events.subscribe();
    const container = await world.run("web");
    const { lifecycle, containers } = world.engine("node-1").daemon;
    for (let i = 0; i <= EVENT_QUEUE; i++) {
      lifecycle.note(containers.get("web"), "top");
      if (i % 1_000 === 0) await world.clock.sleep(1);
    }
    await world.until("the slow one is cut off", () => slow.overflowed);
    await world.until(
      "the other one has all",
      () => of("web").filter((action) => action === "top").length > EVENT_QUEUE,
    );
    expect(container.state).toBe("running");
    let left = 0;
    for (let some = await slow.next(); some; some = await slow.next()) left += some.length;
    expect(left).toBe(EVENT_QUEUE);
  });
});

/** A container of node-1 ends while there is no manager; the next one, read from now on, does not reach the node yet. */
async function endUnseen(name: string): Promise<SimEngine> {
  const engine = world.engine("node-1");
  await world.cluster.writer.idle();
  engine.faults.dead(true);
  engine.daemon.lifecycle.kill(engine.daemon.containers.get(name), "KILL");
  stop();
  await world.crashManager();
  follow();
  return engine;
}

describe("events that no engine can tell any more", () => {
  it("are told by shoal when the engine was killed: what ended, and what runs again", async () => {
    await open({ nodes: 2, mintIds: true });
    const web = await world.run("web", { HostConfig: { RestartPolicy: { Name: "no" } } });
    await world.run("db", { HostConfig: { RestartPolicy: { Name: "always" } } });
    await world.until("they run", () => of("web").includes("start") && of("db").includes("start"));
    for (const engine of world.engines) engine.powerCycle();
    await world.until("the end is told", () => of("web").includes("die"));
    await world.until("the second start is told", () => of("db").filter((action) => action === "start").length === 2);
    await world.clock.sleep(2 * EVENTS_LATE_MS);
    expect(of("web")).toEqual(["create", "start", "die"]);
    expect(of("db")).toEqual(["create", "start", "die", "start"]);
    const died = seen.find(({ action, attributes }) => action === "die" && attributes.name === "web");
    expect(died?.actorId).toBe(web.id);
    expect(died?.attributes).toMatchObject({ "shoal.missed": "true", image: "busybox", "node.name": "node-1" });
    const { events: past } = await eventHistory(world.cluster, "0", ((world.clock.now() + 5) / 1000).toFixed(9));
    expect(past.filter(({ text }) => text === died?.text)).toHaveLength(1);
  });

  it("are told when a client removes what sits on a lost node, and not once more when that is back", async () => {
    await open({ nodes: 2 });
    const web = await world.run("web");
    await world.until("it runs", () => of("web").includes("start"));
    world.engine("node-1").faults.dead(true);
    await world.until("its node is lost", () => !web.node.reachable);
    await removeLost(world.cluster, web);
    await world.until("its end is told", () => of("web").includes("destroy"));
    world.engine("node-1").faults.dead(false);
    await world.until("its node is back", () => web.node.reachable);
    await world.clock.sleep(2 * EVENTS_LATE_MS);
    // That its copy is kept aside is news of its own.
    const told = ["create", "start", "die", "destroy"];
    expect(of("web").filter((action) => action !== "kept")).toEqual(told);
    // The past is what readers heard: all that was before, and nothing of what became of the copy.
    const { events } = await eventHistory(world.cluster, "0", ((world.clock.now() + 5) / 1000).toFixed(9));
    const past = events.filter(({ type, actorId }) => type === "container" && actorId === web.id);
    expect(past.map(({ action }) => action).filter((action) => action !== "kept")).toEqual(told);
  });

  it("are told once of what an engine, lost by then, was asked to remove and removes after all", async () => {
    await open({ nodes: 1 });
    const web = await world.run("web");
    await world.until("it runs", () => of("web").includes("start"));
    const { faults, daemon } = world.engine("node-1");
    faults.hung(true);
    await world.until("its node is lost", () => !web.node.reachable);
    await removeLost(world.cluster, web);
    daemon.lifecycle.remove(daemon.containers.get("web"), true, false);
    faults.hung(false);
    await world.until("its node is back", () => web.node.reachable);
    await world.clock.sleep(2 * EVENTS_LATE_MS);
    expect(of("web")).toEqual(["create", "start", "die", "destroy"]);
    expect(web.node.ignored.size).toBe(0);
  });

  it("are told of what its client has removed already: of all its end, or of what was lost of it", async () => {
    await open({ nodes: 1 });
    for (const name of ["web", "db"]) await world.run(name);
    await world.until("they run", () => of("web").includes("start") && of("db").includes("start"));
    const meddler = world.meddle("node-1");
    meddler.loseEvents(/"Action":"die".*"name":"web"|"Action":"destroy".*"name":"db"/);
    const release = meddler.holdEvents();
    for (const name of ["web", "db"]) await world.remove(name);
    release();
    await world.until("what came is told", () => of("web").includes("destroy") && of("db").includes("die"));
    world.node("node-1").engine.resync();
    await world.until("all is told", () => of("db").includes("destroy"));
    expect(of("web")).toEqual(["create", "start", "kill", "die", "destroy"]);
    expect(of("db")).toEqual(["create", "start", "kill", "die", "destroy"]);
  });

  it("are told when more happened than the engine remembers, and no event twice", async () => {
    await open({ nodes: 1 });
    const engine = world.engine("node-1");
    await world.run("kept");
    await world.run("ends");
    await world.run("goes");
    await world.until("all run", () => of("goes").includes("start"));
    const { containers, lifecycle, events } = engine.daemon;
    engine.faults.dead(true);
    await world.clock.sleep(20);
    lifecycle.kill(containers.get("ends"), "KILL");
    lifecycle.kill(containers.get("goes"), "KILL");
    await world.clock.sleep(20);
    lifecycle.remove(containers.get("goes"), true, false);
    events.forgetAll();
    engine.faults.dead(false);
    await world.until("the ends are told", () => of("ends").includes("die") && of("goes").includes("destroy"));
    await world.clock.sleep(2 * EVENTS_LATE_MS);
    expect(of("kept")).toEqual(["create", "start"]);
    expect(of("ends")).toEqual(["create", "start", "die"]);
    expect(of("goes")).toEqual(["create", "start", "die", "destroy"]);
  });

  it("are told of what was gone again before anybody had read it", async () => {
    await open({ nodes: 1 });
    const { containers, lifecycle } = world.engine("node-1").daemon;
    world.meddle("node-1").loseEvents(/"Action":"(die|destroy)".*"name":"web"|"Action":"die".*"name":"db"/);
    for (const name of ["web", "db"]) lifecycle.start(containers.create(name, { Image: "busybox" }, "1.51"));
    for (const name of ["web", "db"]) lifecycle.remove(containers.get(name), true, false);
    await world.until("the end of one is told", () => of("db").includes("destroy"));
    world.node("node-1").engine.resync();
    await world.until("the end of the other is told", () => of("web").includes("destroy"));
    await world.clock.sleep(2 * EVENTS_LATE_MS);
    for (const name of ["web", "db"]) {
      expect(of(name).filter((action) => action !== "kill")).toEqual(["create", "start", "die", "destroy"]);
    }
    const ends = seen.filter(({ action, attributes }) => action === "destroy" && attributes.name === "web");
    expect(ends.map(({ actorId }) => actorId)).toEqual([seen.find(({ action }) => action === "create")?.actorId]);
  });

  it("are not told of what somebody made past shoal: its engine tells of that", async () => {
    await open({ nodes: 1 });
    const { containers, lifecycle } = world.engine("node-1").daemon;
    lifecycle.start(containers.create("own", { Image: "busybox" }, "1.51"));
    await world.until("it is known", () => world.cluster.inventory.find("own") !== undefined);
    world.node("node-1").engine.resync();
    await world.clock.sleep(2 * EVENTS_LATE_MS);
    expect(of("own")).toEqual(["create", "start"]);
  });

  it("are not told of what an engine remembers from the time without a manager", async () => {
    await open({ nodes: 1 });
    await world.run("web");
    await world.run("db");
    await world.until("they run", () => of("web").includes("start") && of("db").includes("start"));
    const { faults } = await endUnseen("web");
    faults.dead(false);
    await world.healthy();
    await world.clock.sleep(2 * EVENTS_LATE_MS);
    expect(of("web")).toEqual([]);
    await world.start("web");
    await world.stop("db");
    await world.until("what comes next is told", () => of("web").length > 0 && of("db").includes("stop"));
    expect(of("web")).toEqual(["start"]);
    expect(of("db")).toEqual(["kill", "die", "stop"]);
    const { events: past } = await eventHistory(world.cluster, "0", ((world.clock.now() + 5) / 1000).toFixed(9));
    const ofWeb = past.filter(({ type, attributes }) => type === "container" && attributes.name === "web");
    expect(ofWeb.map(({ action }) => action)).toEqual(["create", "start", "kill", "die", "start"]);
  });

  it("are not told of what an engine has done since its list was read, and is still to tell", async () => {
    await open({ nodes: 1 });
    await world.run("web");
    await world.until("it runs", () => of("web").includes("start"));
    const { faults, daemon } = await endUnseen("web");
    const release = world.meddle("node-1").holdEvents();
    faults.dead(false);
    await world.healthy();
    daemon.lifecycle.start(daemon.containers.get("web"));
    await world.clock.sleep(2 * EVENTS_LATE_MS);
    release();
    await world.until("its start is told", () => of("web").includes("start"));
    expect(of("web")).toEqual(["start"]);
  });

  it("are not told of what had ended without a manager and started again while it was asked", async () => {
    await open({ nodes: 1 });
    await world.run("web");
    await world.list();
    await world.cluster.writer.idle();
    const { containers, lifecycle } = world.engine("node-1").daemon;
    stop();
    world.life.alive = false;
    lifecycle.kill(containers.get("web"), "KILL");
    // The time that its events are asked from is known by then.
    const release = world.meddle("node-1").hold(/^GET \/info/);
    await world.crashManager();
    follow();
    await world.clock.sleep(EVENTS_LATE_MS);
    lifecycle.start(containers.get("web"));
    release();
    await world.healthy();
    await world.until("its start is told", () => of("web").includes("start"));
    await world.clock.sleep(2 * EVENTS_LATE_MS);
    expect(of("web")).toEqual(["start"]);
  });

  it("are told of networks and volumes, too, and not of those that every engine makes for itself", async () => {
    await open({ nodes: 1, mintIds: true });
    const engine = world.engine("node-1");
    const { networks, volumes, events } = engine.daemon;
    const goes = networks.create({ Name: "goes" });
    volumes.create("data", {});
    await world.until("they are told", () => ofObjects().length === 2);
    const told = ofObjects().find(({ type }) => type === "network");
    engine.faults.dead(true);
    await world.clock.sleep(20);
    networks.remove(goes.id);
    volumes.remove("data", []);
    networks.create({ Name: "comes" });
    volumes.create("cache", {});
    events.forgetAll();
    engine.faults.dead(false);
    await world.until("what differs is told", () => ofObjects().length === 6);
    await world.clock.sleep(2 * EVENTS_LATE_MS);
    const words = ofObjects().map(({ type, action, attributes, actorId }) => {
      return `${type} ${attributes.name ?? actorId} ${action} ${attributes["shoal.missed"] ?? "false"}`;
    });
    expect(words.sort()).toEqual([
      "network comes create true",
      "network goes create false",
      "network goes destroy true",
      "volume cache create true",
      "volume data create false",
      "volume data destroy true",
    ]);
    const gone = ofObjects().find(({ type, action }) => type === "network" && action === "destroy");
    expect(gone?.actorId).toBe(told?.actorId);
    expect(gone?.attributes).toMatchObject({ name: "goes", type: "bridge", "node.name": "node-1" });
  });
});

describe("past events", () => {
  /** A moment later than every event so far, in the form of a query. */
  const now = (): string => ((world.clock.now() + 5) / 1000).toFixed(9);
  const history = async (since = "0", until = now()): Promise<readonly ClusterEvent[]> =>
    (await eventHistory(world.cluster, since, until)).events;

  it("are those of all engines in order of time, with the IDs that they were told with", async () => {
    await open({ mintIds: true, strategy: "spread" });
    const ids = new Map<string, string>();
    for (let i = 0; i < 6; i++) ids.set(`c${i}`, (await world.run(`c${i}`)).id);
    for (let i = 0; i < 6; i += 2) await world.remove(`c${i}`);
    await world.until("the live ones are told", () => seen.filter(({ action }) => action === "destroy").length === 3);
    const past = await history();
    const text = (events: readonly ClusterEvent[]): string[] => events.map((event) => event.text).sort();
    expect(text(past.filter(({ type }) => type === "container"))).toEqual(
      text(seen.filter(({ type }) => type === "container")),
    );
    const times = past.map(({ timeNano }) => timeNano);
    expect(times).toEqual([...times].sort((a, b) => (a < b ? -1 : 1)));
    for (const event of past.filter(({ type }) => type === "container")) {
      expect(event.actorId).toBe(ids.get(event.attributes.name ?? ""));
    }
    await world.restartManager();
    for (const event of (await history()).filter(({ type }) => type === "container")) {
      expect(event.actorId).toBe(ids.get(event.attributes.name ?? ""));
    }
  });

  it("keep within since and until", async () => {
    await open({ nodes: 2 });
    await world.run("web");
    expect((await history()).length).toBeGreaterThan(0);
    expect(await history("1", "2")).toEqual([]);
    const later = now();
    await world.clock.sleep(10);
    expect(await history(later, now())).toEqual([]);
    await world.stop("web");
    expect((await history(later)).map(({ action }) => action)).toEqual(["kill", "die", "disconnect", "stop"]);
  });

  it("are those of nodes that a manager has only begun to read, too", async () => {
    await open({ nodes: 2 });
    await world.run("web");
    await world.crashManager();
    expect((await history()).map(({ attributes }) => attributes.name)).toContain("web");
  });

  it("come from the nodes that answer", async () => {
    await open({ strategy: "spread" });
    await world.run("one");
    await world.run("two");
    world.engine("node-2").faults.failNext("GET /events", 500, "busy");
    const nodes = new Set((await history()).map(({ attributes }) => attributes["node.name"]));
    expect(nodes).toEqual(new Set(["node-1"]));
  });
});

describe("filters of events", () => {
  it.each([
    [{ type: ["container"], event: ["start"] }, ["one start", "two start"]],
    [{ container: ["two"] }, ["two create", "two start"]],
    [{ label: ["app=a"] }, ["one create", "one start"]],
    [{ node: ["node-2"], type: ["container"] }, ["two create", "two start"]],
    [{ image: ["busybox"], event: ["create"] }, ["one create", "two create"]],
    [{ type: ["image"] }, []],
    [{ scope: ["swarm"] }, []],
  ])("%j", async (wanted, expected) => {
    await open({ strategy: "spread", mintIds: true });
    await world.run("one", { Labels: { app: "a" } });
    await world.run("two", { Labels: { app: "b" } });
    await world.until("both are told", () => of("one").includes("start") && of("two").includes("start"));
    const filters = parseFilters(JSON.stringify(wanted), [
      "type",
      "event",
      "container",
      "label",
      "node",
      "image",
      "scope",
    ]);
    const kept = seen.filter((event) => matches(event, filters)).map((e) => `${e.attributes.name} ${e.action}`);
    expect(kept.sort()).toEqual(expected);
  });

  it("find a container by its cluster ID", async () => {
    await open({ mintIds: true });
    const { id } = await world.run("one");
    await world.run("two");
    await world.until("both are told", () => of("two").includes("start"));
    const filters = parseFilters(JSON.stringify({ container: [id] }), ["container"]);
    expect(seen.filter((event) => matches(event, filters)).map(({ action }) => action)).toEqual(["create", "start"]);
  });
});
