/** Readers of `GET /events` through the API, over simulated engines that cannot always be asked. */
import { afterEach, describe, expect, it } from "vitest";
import { type ApiFace, openApi } from "./api-face.ts";
import { World } from "./world.ts";

let world: World;
let api: ApiFace;

afterEach(async () => {
  await api.close();
  await world.close();
});

/** Of containers, what a reader was told so far. */
const told = (text: string): string[] =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line))
    .filter(({ Type }) => Type === "container")
    .map(({ Action, Actor }) => `${Actor.Attributes.name} ${Action}`);

describe("who reads on from a moment", () => {
  it("hears what a node did since then as soon as a new manager can ask it, once and before what it does next", async () => {
    world = await World.open({ nodes: 2, strategy: "spread" });
    await world.run("one");
    await world.run("two");
    const two = world.engine("node-2");
    two.faults.dead(true);
    await world.crashManager();
    await world.until("the other node is read", () => world.node("node-1").reachable);
    api = await openApi(world);
    const reader = api.call("GET", "/events?since=1");
    await world.until("the other node's past is told", () => told(reader.text()).includes("one start"));
    expect(told(reader.text())).not.toContain("two create");
    two.faults.dead(false);
    await world.until("it can be asked", () => world.node("node-2").reachable);
    await world.stop("two");
    await world.until("its end is told", () => told(reader.text()).includes("two stop"));
    expect(told(reader.text()).filter((line) => line.startsWith("two"))).toEqual([
      "two create",
      "two start",
      "two kill",
      "two die",
      "two stop",
    ]);
  });

  it("hears what a node did while a new manager was reading it", async () => {
    world = await World.open({ nodes: 1 });
    const { engineId } = await world.run("one");
    const { daemon, faults } = world.engine("node-1");
    faults.slow(1_000);
    await world.crashManager();
    api = await openApi(world);
    const reader = api.call("GET", "/events?since=1");
    expect(await reader.begun).toBe(200);
    // More than a second after it asked, and before the manager begins to hear the engine's events.
    world.clock.skip(2_000);
    expect(world.node("node-1").reachable).toBe(false);
    const container = daemon.containers.get(engineId);
    daemon.lifecycle.stop(container);
    daemon.lifecycle.start(container);
    faults.slow(0);
    await world.until("it is told", () => told(reader.text()).length > 2);
    expect(told(reader.text())).toEqual(["one create", "one start", "one kill", "one die", "one stop", "one start"]);
  });

  it("hears it also when discovery names the node only later", async () => {
    world = await World.open({ nodes: 1 });
    await world.run("one");
    await world.restartManager({}, []);
    api = await openApi(world);
    const reader = api.call("GET", "/events?since=1");
    expect(await reader.begun).toBe(200);
    world.join();
    await world.until("its past is told", () => told(reader.text()).includes("one start"));
    expect(told(reader.text())).toEqual(["one create", "one start"]);
  });
});
