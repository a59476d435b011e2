/** Creates that were given up and whose engine makes them after all: nobody's, whichever manager is there by then. */
import { afterEach, describe, expect, it } from "vitest";
import { INTENTS } from "../../src/cluster/registry.ts";
import { followStore } from "../../src/cluster/rewrite.ts";
import { UNDONE } from "../../src/cluster/undone.ts";
import { HOST_LOST_MS, OUTCOME_MS, RESCHEDULE_EVERY_MS, UNDONE_MS } from "../../src/kit/limits.ts";
import { StoreError } from "../../src/store/store.ts";
import { expectTrueLedger, expectTrueList } from "./truth.ts";
import { refusal, World, type WorldOptions } from "./world.ts";

let world: World;
afterEach(() => world.close());

const keys = async (prefix: string): Promise<string[]> =>
  (await world.store.list(prefix)).map(({ key }) => key.slice(prefix.length));

const isFree = (name: string): boolean => world.cluster.inventory.named(name).size === 0;

/** A create of `web` that breaks off on its way to node-1. @returns has its engine make it now */
async function breakOff(options: WorldOptions = {}): Promise<() => void> {
  world = await World.open({ nodes: 2, ...options });
  world.meddle("node-1").loseRequest(/^POST \/containers\/create/);
  const bodies = world.meddle("node-1").record(/^POST \/containers\/create/);
  expect((await refusal(world.create("web"))).status).toBe(503);
  const { containers } = world.engine("node-1").daemon;
  return () => void containers.create("web", JSON.parse(bodies[0] ?? ""), "1.51");
}

/** The same, given up. */
async function giveUp(options: WorldOptions = {}): Promise<() => void> {
  const make = await breakOff(options);
  await world.until("it is given up", () => isFree("web"));
  return make;
}

/** Another container has the name, on the other node. */
async function takeName(): Promise<string> {
  return (await world.create("web", { Env: ["constraint:node==node-2"] })).record.id;
}

async function expectRemoved(id: string): Promise<void> {
  const { containers } = world.engine("node-1").daemon;
  await world.until("it is removed", () => containers.size === 0);
  expect((await world.list()).map(({ Id }) => Id)).toEqual([id]);
  await expectTrueList(world);
  expectTrueLedger(world);
  await world.until("nothing is kept of it", async () => (await keys(UNDONE)).length === 0);
}

describe("a create that was given up and is made after all", () => {
  it.each([
    { when: "before", mintIds: false },
    { when: "before", mintIds: true },
    { when: "after", mintIds: false },
    { when: "after", mintIds: true },
  ])("is removed by the next manager, when it is made $when that one starts (minted IDs: $mintIds)", async (plan) => {
    const make = await giveUp({ mintIds: plan.mintIds });
    const id = await takeName();
    world.life.alive = false;
    if (plan.when === "before") make();
    await world.crashManager();
    await world.healthy();
    if (plan.when === "after") make();
    await expectRemoved(id);
  });

  it("is removed by the manager after the next, and when it was restored from an older backup", async () => {
    const make = await breakOff();
    await world.cluster.writer.idle();
    const backup = await world.store.list("");
    expect(await keys(INTENTS)).toHaveLength(1);
    const stop = new AbortController();
    const following = followStore(world.cluster, stop.signal);
    await world.until("it is given up", () => isFree("web"));
    const id = await takeName();
    await world.cluster.writer.idle();
    world.storeData.restore(backup);
    await world.until("it is written again", async () => (await keys(UNDONE)).length === 1);
    await world.until("it is no open create any more", async () => (await keys(INTENTS)).length === 0);
    stop.abort();
    await following;
    for (let life = 0; life < 2; life++) await world.restartManager();
    make();
    await expectRemoved(id);
  });

  it("is removed when its node, lost for so long that the name was given up, is back with it", async () => {
    const make = await breakOff();
    world.engine("node-1").faults.dead();
    await world.until("its node is lost", () => world.cluster.reachable().length === 1);
    world.clock.hurry(OUTCOME_MS);
    await world.until("it is given up", () => isFree("web"));
    const id = await takeName();
    make();
    world.clock.skip(2 * UNDONE_MS);
    await world.crashManager();
    await world.until("the other node is read", () => world.cluster.reachable().length === 1);
    world.engine("node-1").faults.dead(false);
    await world.healthy();
    await expectRemoved(id);
  });

  it("is removed by a later list when its engine did not do so at first", async () => {
    const make = await giveUp();
    const id = await takeName();
    const { faults } = world.engine("node-1");
    faults.failNext("DELETE /containers/{name}", 500, "device busy");
    make();
    await world.until("it could not be removed", () => world.warnings.some((warning) => /never ran/.test(warning)));
    expect(await keys(UNDONE)).toHaveLength(1);
    world.cluster.refresher.markAll(world.node("node-1"));
    await expectRemoved(id);
  });
});

describe("the next copy of a lost container", () => {
  it("that an earlier manager asked for is nobody's, and is not told of, when a later one has made another", async () => {
    world = await World.open({ nodes: 3 });
    const labels = { "com.docker.swarm.constraints": JSON.stringify(["node==~node-2"]) };
    const { id } = await world.run("web", { Labels: labels, HostConfig: { RestartPolicy: { Name: "always" } } });
    await world.cluster.writer.idle();
    const asked = ["node-1", "node-3"].map((name) => ({
      name,
      over: world.meddle(name).hold(/^POST \/containers\/create/),
      bodies: world.meddle(name).record(/^POST \/containers\/create/),
    }));
    world.engine("node-2").faults.vanished();
    await world.until("it is lost", () => !world.node("node-2").reachable && !world.node("node-2").engine.reached);
    world.clock.skip(HOST_LOST_MS);
    await world.until("another node is asked for it", () => {
      world.clock.hurry(RESCHEDULE_EVERY_MS);
      return asked.some(({ bodies }) => bodies.length > 0);
    });
    const [first] = asked.filter(({ bodies }) => bodies.length > 0);
    const { containers } = world.engine(first?.name ?? "").daemon;
    world.life.alive = false;
    for (const { over } of asked) over();
    for (const container of containers.all()) containers.forget(container, true);
    // The next manager asks the other one.
    world.engine(first?.name ?? "").faults.failNext("create", 500, "no space left on device");
    await world.crashManager();
    await world.until("it runs", async () => {
      world.clock.skip(HOST_LOST_MS);
      world.clock.hurry(RESCHEDULE_EVERY_MS);
      return (await world.list()).some(({ Id, State }) => Id === id && State === "running");
    });
    const reader = world.cluster.events.subscribe();
    containers.create("web", JSON.parse(first?.bodies[0] ?? ""), "1.51");
    await world.until("what was made late is removed", () => containers.size === 0);
    world.cluster.events.unsubscribe(reader);
    expect((await reader.next())?.map(({ action }) => action) ?? []).toEqual([]);
    expect((await world.list()).map(({ Id }) => Id)).toEqual([id]);
  });
});

describe("a create that was given up and is never made", () => {
  it("is forgotten after a while that its node was looked at, over the manager's end too", async () => {
    await giveUp();
    const list = (): Promise<void> => {
      world.cluster.refresher.markAll(world.node("node-1"));
      return world.cluster.refresher.settledOn(world.node("node-1"));
    };
    await list();
    world.clock.skip(UNDONE_MS / 2);
    await list();
    expect(await keys(UNDONE)).toHaveLength(1);
    await world.crashManager();
    await world.healthy();
    world.clock.skip(UNDONE_MS / 2);
    await list();
    expect(await keys(UNDONE)).toHaveLength(1);
    world.clock.skip(UNDONE_MS / 2);
    await list();
    await world.until("it is forgotten", async () => (await keys(UNDONE)).length === 0);
  });

  it("keeps its name until the store knows that it is given up", async () => {
    await breakOff();
    const { store } = world;
    const { txn } = store;
    let refused = 0;
    store.txn = () => {
      refused++;
      return Promise.reject(new StoreError("no space left on device"));
    };
    await world.until("the store refuses that", () => refused > 0);
    await world.cluster.writer.idle();
    expect(isFree("web")).toBe(false);
    store.txn = txn;
    world.cluster.refresher.markAll(world.node("node-1"));
    await world.until("it is given up", () => isFree("web"));
    await world.cluster.writer.idle();
    expect([await keys(UNDONE), await keys(INTENTS)].map(({ length }) => length)).toEqual([1, 0]);
  });
});
