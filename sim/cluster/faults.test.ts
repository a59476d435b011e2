/** Nodes that fail: what is tried elsewhere, what is uncertain, and that no engine's trouble reaches the others. */
import { afterEach, describe, expect, it } from "vitest";
import { DISTRESS_MS } from "../../src/kit/limits.ts";
import { agrees, expectTrueLedger, expectTrueList } from "./truth.ts";
import { entryOf, GB, MB, refusal, World, type WorldOptions } from "./world.ts";

let world: World;
const open = async (options?: WorldOptions): Promise<World> => {
  world = await World.open(options);
  return world;
};
afterEach(() => world.close());

const NO_SPACE = "failed to create rwlayer: no space left on device";
const mem = (bytes: number, more: object = {}): { HostConfig: object } => ({ HostConfig: { Memory: bytes, ...more } });

describe("a node that fails a create for its own reason", () => {
  it("hands over to the next one", async () => {
    await open({ strategy: "spread" });
    world.engine("node-1").faults.failNext("create", 500, NO_SPACE);
    const { record } = await world.create("web", mem(GB));
    expect(record.node.name).toBe("node-2");
    await expectTrueList(world);
    expectTrueLedger(world);
  });

  it("is asked last while its disk is full, says so, and is back by itself: 100 of 100 creates succeed", async () => {
    await open({ nodes: 2 });
    const { faults, calls } = world.engine("node-1");
    faults.failNext("create", 500, NO_SPACE, 1_000);
    const preferred = { Labels: { "com.docker.swarm.constraints": '["node==~node-1"]' } };
    for (let i = 0; i < 100; i++) expect((await world.create(`c${i}`, preferred)).record.node.name).toBe("node-2");
    expect(calls.of("POST /containers/create")).toBe(3);
    expect(world.info().nodes["node-1"]).toMatchObject({ Status: "Healthy", Error: NO_SPACE });
    world.clock.hurry(DISTRESS_MS);
    expect(world.info().nodes["node-1"]?.Error).toBeUndefined();
    await world.create("still", preferred);
    expect(calls.of("POST /containers/create")).toBe(4);
    expect(world.info().nodes["node-1"]?.Error).toBe(NO_SPACE);
    faults.clear();
    world.clock.hurry(DISTRESS_MS);
    expect((await world.create("again", preferred)).record.node.name).toBe("node-1");
    expectTrueLedger(world);
  });

  it("hands over at most twice; the last error is the answer and nothing is left", async () => {
    await open({ nodes: 4 });
    for (const engine of world.engines) engine.faults.failNext("create", 500, `${NO_SPACE} of ${engine.name}`);
    const { status, message } = await refusal(world.create("web", mem(GB)));
    expect({ status, message }).toEqual({ status: 500, message: `${NO_SPACE} of node-3` });
    expect(world.engines.map((engine) => engine.calls.of("POST /containers/create"))).toEqual([1, 1, 1, 0]);
    expect(await world.names()).toEqual([]);
    expectTrueLedger(world);
    await world.create("web", mem(GB));
  });

  it("does not hand over what every node would refuse", async () => {
    await open();
    world.engine("node-1").faults.failNext("create", 400, "invalid mount config");
    expect((await refusal(world.create("web"))).message).toBe("invalid mount config");
    expect(world.engines.map((engine) => engine.calls.of("POST /containers/create"))).toEqual([1, 0, 0]);
  });

  it("refuses connections: the next one takes it at once", async () => {
    await open({ timing: { pingEveryMs: 60_000, verdictMs: 60_000 } });
    world.engine("node-1").faults.dead();
    const { record } = await world.create("web");
    expect(record.node.name).toBe("node-2");
  });
});

/** What is written next waits for the store until the function returned is called. */
function holdWrite(): () => void {
  const { writer } = world.cluster;
  const write = writer.write.bind(writer);
  let release = (): void => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  writer.write = async (writes) => {
    writer.write = write;
    await held;
    return write(writes);
  };
  return release;
}

describe("a node that cannot start what it made", () => {
  it.each([false, true])(
    "gives it to another node, where it is the same container (minted IDs: %s)",
    async (mintIds) => {
      await open({ mintIds });
      const { record } = await world.create("web", mem(GB));
      world.engine("node-1").faults.failNext("start", 500, NO_SPACE);
      expect(await world.start("web")).toBe(true);
      const moved = world.record("web");
      expect(moved).toMatchObject({ id: record.id, name: "web", epoch: 2, state: "running" });
      expect(moved.node.name).toBe("node-2");
      expect(world.engine("node-1").daemon.containers.size).toBe(0);
      expect(world.engine("node-2").daemon.containers.get("web").config.Hostname).toBe(record.id.slice(0, 12));
      expect((await world.inspect(record.id)).Id).toBe(record.id);
      await expectTrueList(world);
      expectTrueLedger(world);
      await world.restartManager();
      expect(world.record(record.id)).toMatchObject({ id: record.id, name: "web", epoch: 2 });
    },
  );

  it("answers with the first node's words when no other has room, and keeps the container", async () => {
    await open({ nodes: [{ memory: 2 * GB }, { memory: GB }] });
    const { record } = await world.create("web", mem(1900 * MB));
    world.engine("node-1").faults.failNext("start", 500, NO_SPACE);
    expect(await refusal(world.start("web"))).toEqual({ status: 500, message: NO_SPACE });
    expect(world.record("web")).toMatchObject({ id: record.id, epoch: 1, state: "created" });
    await expectTrueList(world);
    expectTrueLedger(world);
    expect(await world.start("web")).toBe(true);
  });

  it("is tried again elsewhere also after a first move that found no place", async () => {
    await open({ nodes: [{ memory: 2 * GB }, { memory: 2 * GB }] });
    await world.create("block", { ...mem(1900 * MB), Labels: { "com.docker.swarm.constraints": '["node==node-2"]' } });
    await world.create("web", mem(1900 * MB));
    world.engine("node-1").faults.failNext("start", 500, NO_SPACE, 2);
    expect((await refusal(world.start("web"))).message).toBe(NO_SPACE);
    await world.remove("block");
    expect(await world.start("web")).toBe(true);
    expect(world.record("web").node.name).toBe("node-2");
    await expectTrueList(world);
    expectTrueLedger(world);
  });

  it("finds what it held there when it has to stay", async () => {
    await open({ nodes: [{ memory: 2 * GB }, { memory: 2 * GB }] });
    await world.create("web", mem(1900 * MB));
    world.engine("node-1").faults.failNext("start", 500, NO_SPACE);
    world.engine("node-2").faults.failNext("create", 500, NO_SPACE);
    const answer = world.meddle("node-2").hold(/create\?/);
    const starting = refusal(world.start("web"));
    await world.until("another node is asked", () =>
      [...world.cluster.inventory.named("web")].some(({ node }) => node.name === "node-2"),
    );
    expect((await refusal(world.create("other", mem(1900 * MB)))).status).toBe(409);
    answer();
    await starting;
    expectTrueLedger(world);
    await expectTrueList(world);
  });

  it("is one container still when nobody knows whether the other node made it", async () => {
    await open({ nodes: 2 });
    const { record } = await world.create("web", mem(GB));
    world.engine("node-1").faults.failNext("start", 500, NO_SPACE);
    world.meddle("node-2").loseRequest(/create\?/);
    expect((await refusal(world.start("web"))).message).toBe(NO_SPACE);
    await world.until("it is back", () => world.cluster.inventory.find("web")?.engineId === record.engineId);
    expect(world.record("web")).toMatchObject({ id: record.id, epoch: 1 });
    await expectTrueList(world);
    world.engine("node-1").faults.failNext("start", 500, NO_SPACE);
    world.meddle("node-2").loseAnswer(/create\?/);
    expect((await refusal(world.start("web"))).message).toBe(NO_SPACE);
    await world.until("it is adopted", () => world.cluster.inventory.find("web")?.node.name === "node-2");
    await world.until("it is adopted", () => world.cluster.inventory.find("web")?.engineId !== "");
    expect(world.record("web")).toMatchObject({ id: record.id, epoch: 2 });
    expect(await world.start("web")).toBe(true);
    await world.until("the first copy is removed", () => world.engine("node-1").daemon.containers.size === 0);
    await expectTrueList(world);
  });

  it("is there all the time while another node makes it", async () => {
    await open({ nodes: 2 });
    const { record } = await world.create("web", mem(GB));
    world.engine("node-1").faults.failNext("start", 500, NO_SPACE);
    const stored = holdWrite();
    const starting = world.start("web");
    await world.until("it is to move", () => world.cluster.inventory.byId(record.id)?.epoch === 2);
    const moving = { status: 503, message: "container web is moving to node node-2: try again in a moment" };
    for (const ref of ["web", record.id, record.id.slice(0, 12)])
      expect(await refusal(world.inspect(ref))).toEqual(moving);
    const inside = { NetworkMode: `container:${record.id}` };
    expect(await refusal(world.create("sidecar", { HostConfig: inside }))).toEqual(moving);
    expect((await refusal(world.create("web"))).status).toBe(409);
    expect((await world.list()).map(({ Id, Names, State }) => `${Id} ${Names} ${State}`)).toEqual([
      `${record.id} /web created`,
    ]);
    stored();
    expect(await starting).toBe(true);
    expect((await world.inspect("web")).Id).toBe(record.id);
    await expectTrueList(world);
    expectTrueLedger(world);
  });

  it("leaves one that has run where it is", async () => {
    await open();
    await world.run("web");
    await world.stop("web");
    await world.list();
    world.engine("node-1").faults.failNext("start", 500, NO_SPACE);
    expect((await refusal(world.start("web"))).message).toBe(NO_SPACE);
    expect(world.record("web").node.name).toBe("node-1");
  });

  it("is not counted twice after a restart of the manager when the first copy could not be removed", async () => {
    await open();
    const { record } = await world.create("web", mem(GB));
    world.engine("node-1").faults.failNext("start", 500, NO_SPACE);
    world.engine("node-1").faults.failNext("DELETE /containers/{name}", 500, "busy");
    await world.start("web");
    expect(world.engine("node-1").daemon.containers.size).toBe(1);
    expect((await world.list()).map(({ Id }) => Id)).toEqual([record.id]);
    await world.restartManager();
    expect((await world.list()).map(({ Id, State }) => ({ Id, State }))).toEqual([{ Id: record.id, State: "running" }]);
    expect(world.record("web").node.name).toBe("node-2");
  });
});

describe("a create whose answer is lost", () => {
  it("keeps name and needs until the node's list tells, then adopts what was made", async () => {
    await open({ nodes: [{ memory: 2 * GB }] });
    world.meddle("node-1").loseAnswer(/create\?/);
    const list = world.meddle("node-1").hold(/^GET \/containers\/json/);
    const { status } = await refusal(world.create("web", mem(1500 * MB)));
    expect(status).toBe(503);
    expect((await refusal(world.create("web"))).status).toBe(409);
    expect((await refusal(world.create("other", mem(1500 * MB)))).status).toBe(409);
    list();
    await world.until("it is listed", async () => (await world.names()).includes("web"));
    expect(await world.start("web")).toBe(true);
    expect(world.engine("node-1").daemon.containers.size).toBe(1);
    await expectTrueList(world);
    expectTrueLedger(world);
  });

  it("gives name and needs back when it was not made", async () => {
    await open({ nodes: [{ memory: 2 * GB }] });
    world.meddle("node-1").loseRequest(/create\?/);
    expect((await refusal(world.create("web", mem(1500 * MB)))).status).toBe(503);
    expect((await refusal(world.create("web"))).status).toBe(409);
    await world.until("the name is free", () => world.cluster.inventory.named("web").size === 0);
    await world.create("web", mem(1500 * MB));
    await expectTrueList(world);
    expectTrueLedger(world);
  });

  it("is not freed by a list that was begun before the engine broke off", async () => {
    await open({ nodes: 1 });
    const older = world.meddle("node-1").hold(/^GET \/containers\/json/);
    world.engine("node-1").calls.reset();
    world.node("node-1").engine.resync();
    await world.until("a list is under way", () => world.engine("node-1").calls.of("GET /containers/json") === 1);
    const newer = world.meddle("node-1").hold(/^GET \/containers\/json/);
    world.meddle("node-1").loseRequest(/create\?/);
    expect((await refusal(world.create("web"))).status).toBe(503);
    older();
    await world.until("another is asked for", () => world.engine("node-1").calls.of("GET /containers/json") === 2);
    expect((await refusal(world.create("web"))).status).toBe(409);
    newer();
    await world.until("the name is free", () => world.cluster.inventory.named("web").size === 0);
  });

  it.each(["halfAnswer", "badJson"] as const)("comes out right with %s", async (fault) => {
    await open({ nodes: 1 });
    const { faults } = world.engine("node-1");
    faults[fault] = true;
    const { status } = await refusal(world.create("web"));
    expect(status).toBe(503);
    faults[fault] = false;
    await world.until("it is listed", async () => (await world.names()).includes("web"));
    await world.until("the cache agrees", () => agrees(world));
    expect((await refusal(world.create("web"))).status).toBe(409);
  });

  it("comes out right when the engine dies with it and comes back", async () => {
    await open({ nodes: 2 });
    const engine = world.engine("node-1");
    const answer = world.meddle("node-1").hold(/create\?/);
    const creating = refusal(world.create("web"));
    await world.until("it is made", () => engine.daemon.containers.size === 1);
    engine.faults.dead();
    answer();
    expect((await creating).status).toBe(503);
    engine.faults.dead(false);
    await world.healthy();
    await world.until("the cache agrees", () => agrees(world));
    expect(await world.names()).toEqual(["web"]);
  });
});

describe("an engine in trouble", () => {
  it.each(["dead", "hung"] as const)("that is %s shows so, and the others serve as ever", async (fault) => {
    await open();
    await world.run("web", { Labels: { "com.docker.swarm.constraints": '["node==node-2"]' } });
    world.engine("node-2").faults[fault]();
    await world.until("it is seen", () => !world.node("node-2").reachable);
    expect(world.info().nodes["node-2"]).toMatchObject({ Status: "Unhealthy", Error: expect.stringMatching(/./) });
    expect(world.info().nodes["node-1"]?.Status).toBe("Healthy");
    expect(await world.list({ all: false })).toEqual([]);
    expect((await world.list())[0]).toMatchObject({ Names: ["/web"], Status: "Host Down" });
    expect((await refusal(world.start("web"))).status).toBe(503);
    expect((await refusal(world.create("web"))).status).toBe(409);
    const made = await Promise.all([1, 2, 3, 4].map((i) => world.run(`c${i}`)));
    expect(new Set(made.map(({ node }) => node.name)).has("node-2")).toBe(false);
    world.engine("node-2").faults.clear();
    await world.healthy();
    expect((await world.list({ filters: { name: ["web"] } }))[0]?.Status).toMatch(/^Up /);
    await expectTrueList(world);
    expectTrueLedger(world);
  });

  it("does not hold up the others' lists", async () => {
    await open({ nodes: 2, strategy: "spread", timing: { pingEveryMs: 40, missEveryMs: 30 } });
    await world.run("one");
    await world.run("two");
    expect(world.record("two").node.name).toBe("node-2");
    world.engine("node-2").faults.hung();
    world.cluster.refresher.mark(world.record("two"), true);
    expect(await world.names()).toEqual(["two", "one"]);
    expect(await world.names({ ancestor: ["busybox"] })).toEqual(["one"]);
  });

  it("that fails a reading is read again soon", async () => {
    await open({ nodes: 1 });
    await world.run("web");
    await world.list();
    const { containers, lifecycle } = world.engine("node-1").daemon;
    world.engine("node-1").faults.failNext("GET /containers/json", 500, "busy");
    lifecycle.start(containers.create("own", { Image: "busybox" }, "1.51"));
    await world.until("it is seen", async () => (await world.names()).includes("own"));
    await expectTrueList(world);
  });

  it("that flaps leaves the truth behind when it stops", async () => {
    await open({ nodes: 2, strategy: "spread" });
    await world.run("one");
    const flapping = world.engine("node-1");
    flapping.faults.flapping({ upMs: 30, downMs: 20 });
    for (let i = 0; i < 10; i++) {
      await world.run(`c${i}`).catch(() => undefined);
      await world.clock.sleep(5);
    }
    flapping.faults.flapping(undefined);
    await world.healthy();
    await world.until("the cache agrees", () => agrees(world));
  });

  it("with bad JSON from the start is shown with its error, and nothing is placed there", async () => {
    world = World.prepare({ nodes: 2 });
    world.engine("node-1").faults.badJson = true;
    world.join();
    await world.until("one is healthy", () => world.cluster.reachable().length === 1);
    const { record } = await world.create("web");
    expect(record.node.name).toBe("node-2");
    const bad = [...world.cluster.nodes.values()].find((node) => !node.reachable);
    await world.until("its error is known", () => bad?.error !== undefined);
    expect(world.info().nodes["(unknown)"]).toMatchObject({
      Status: "Pending",
      Error: expect.stringContaining("not JSON"),
    });
  });

  it("that was cloned with its ID is a node of its own", async () => {
    await open({ nodes: [{ id: "twin" }, { id: "twin", name: "other" }], strategy: "spread" });
    await world.run("one");
    await world.run("two");
    expect(world.cluster.reachable()).toHaveLength(2);
    await expectTrueList(world);
    expectTrueLedger(world);
  });

  it("that is listed under two addresses counts once, and the second address says why", async () => {
    world = World.prepare({ nodes: 2 });
    world.address("10.9.9.9:2375", world.engine("node-1"));
    world.engine("node-1").preload(3);
    world.join();
    await world.until("three addresses were read", () =>
      [...world.cluster.nodes.values()].every((node) => node.facts !== undefined),
    );
    await world.until("two nodes serve", () => world.cluster.reachable().length === 2);
    expect(await world.list()).toHaveLength(3);
    const warnings = (world.info().whole.Warnings as string[]).join();
    expect(warnings).toMatch(/the engine at \S+ is node node-1 \(\S+\) already: remove one of the two addresses/);
  });

  it("keeps its containers' IDs when it moves to a new address", async () => {
    await open({ nodes: 2, mintIds: true, strategy: "spread" });
    const one = await world.run("one", mem(GB));
    const two = await world.run("two", mem(GB));
    const engine = world.engine(one.node.name);
    world.address("10.9.9.9:2375", engine);
    engine.faults.dead();
    await world.until("it is gone", () => !one.node.reachable);
    world.join([entryOf(1), entryOf(2), "10.9.9.9:2375"]);
    engine.faults.dead(false);
    await world.until("it serves at one of the addresses", () =>
      world.cluster.reachable().some(({ facts }) => facts?.name === engine.name),
    );
    await world.until("its containers are there", async () => (await world.names()).length === 2);
    expect(world.record("one").id).toBe(one.id);
    expect(world.record("two").id).toBe(two.id);
    expect(world.cluster.inventory.size).toBe(2);
  });
});
