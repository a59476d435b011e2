/** Start, stop, rename and update over simulated engines: what asks the ledger, and what is given back on a refusal. */
import { afterEach, describe, expect, it } from "vitest";
import { remeasure } from "../../src/cluster/measure.ts";
import { agrees, expectTrueLedger, expectTrueList } from "./truth.ts";
import { GB, MB, refusal, World, type WorldOptions } from "./world.ts";

let world: World;
const open = async (options?: WorldOptions): Promise<World> => {
  world = await World.open(options);
  return world;
};
afterEach(() => world.close());

const mem = (bytes: number, more: object = {}): { HostConfig: object } => ({ HostConfig: { Memory: bytes, ...more } });

describe("start", () => {
  it("asks the ledger again for what an ended container gave back", async () => {
    await open({ nodes: [{ memory: GB }] });
    await world.run("one", mem(700 * MB));
    await world.stop("one");
    await world.until("it is seen to have ended", () => world.record("one").state === "exited");
    await world.run("two", mem(700 * MB));
    const { status, message } = await refusal(world.start("one"));
    expect(status).toBe(409);
    expect(message).toMatch(/^no resources available to schedule container\nnode-1: with it/);
    await world.remove("two");
    expect(await world.start("one")).toBe(true);
    expectTrueLedger(world);
    await expectTrueList(world);
  });

  it("asks the ledger also when an ended container is restarted", async () => {
    await open({ nodes: [{ memory: GB }] });
    await world.run("one", mem(700 * MB));
    await world.stop("one");
    await world.run("two", mem(700 * MB));
    expect((await refusal(world.change("one", "restart"))).status).toBe(409);
    expectTrueLedger(world);
    await world.remove("two");
    await world.change("one", "restart");
    expectTrueLedger(world);
    await expectTrueList(world);
  });

  it("asks the ledger again for a port", async () => {
    await open({ nodes: 1 });
    const port = { PortBindings: { "80/tcp": [{ HostPort: "80" }] } };
    await world.run("one", { HostConfig: port });
    await world.stop("one");
    await world.until("it is seen to have ended", () => world.record("one").state === "exited");
    await world.run("two", { HostConfig: port });
    const { status, message } = await refusal(world.start("one"));
    expect({ status, message }).toEqual({
      status: 409,
      message: "no resources available to schedule container\nnode-1: port 80/tcp is held by two",
    });
    expectTrueLedger(world);
  });

  it("keeps what a starting container was promised, whatever is read meanwhile", async () => {
    await open({ nodes: [{ memory: GB }] });
    await world.run("one", mem(700 * MB));
    await world.stop("one");
    await world.until("it is seen to have ended", () => world.record("one").state === "exited");
    await world.list();
    world.engine("node-1").calls.reset();
    const answered = world.meddle("node-1").hold(/^GET \/containers\/json/);
    const record = world.record("one");
    world.cluster.refresher.mark(record, true);
    const reading = world.cluster.refresher.settled();
    await world.until("the list is made", () => world.engine("node-1").calls.of("GET /containers/json") > 0);
    world.engine("node-1").faults.hung();
    const starting = world.start("one");
    // The list says that it has ended, and it is true: it is not started yet.
    answered();
    await reading;
    const { status } = await refusal(world.create("two", mem(700 * MB)));
    world.engine("node-1").faults.hung(false);
    expect(await starting).toBe(true);
    expect(status).toBe(409);
    expect(world.record("one").state).toBe("running");
    expectTrueLedger(world);
  });

  it("leaves no trace of a container that is gone before its start is answered", async () => {
    await open({ nodes: 1 });
    const { record } = await world.create("short", { Cmd: ["true"], HostConfig: { AutoRemove: true } });
    const answer = world.meddle("node-1").hold(/\/start$/);
    const starting = world.start("short");
    await world.until("it is gone", () => world.cluster.inventory.byId(record.id) === undefined);
    answer();
    expect(await starting).toBe(true);
    await expectTrueList(world);
    expectTrueLedger(world);
  });

  it("keeps the end that an event told before the start was answered", async () => {
    await open({ nodes: 1 });
    const { record } = await world.create("short", { Cmd: ["true"], ...mem(100 * MB) });
    const answer = world.meddle("node-1").hold(/\/start$/);
    const starting = world.start("short");
    await world.until("its end is known", () => record.state === "exited");
    answer();
    await starting;
    expect(record.state).toBe("exited");
    expectTrueLedger(world);
  });

  it("lets a container that restarts always keep what it holds after its end", async () => {
    await open({ nodes: [{ memory: GB }] });
    await world.run("kept", mem(700 * MB, { RestartPolicy: { Name: "always" } }));
    await world.stop("kept");
    await world.until("it is seen to have ended", () => world.record("kept").state === "exited");
    expect((await refusal(world.create("other", mem(700 * MB)))).status).toBe(409);
    expectTrueLedger(world);
    expect(await world.start("kept")).toBe(true);
    expect(await world.start("kept")).toBe(false);
  });

  it("keeps what a container holds that was stopped before it ever ran", async () => {
    await open({ nodes: [{ memory: GB }] });
    await world.create("one", mem(700 * MB));
    await world.stop("one");
    expect((await refusal(world.create("two", mem(700 * MB)))).status).toBe(409);
    expect(await world.start("one")).toBe(true);
    expectTrueLedger(world);
  });

  it("finds what a stopped container held free at once, before any event tells", async () => {
    await open({ nodes: [{ memory: GB }] });
    await world.run("one", mem(700 * MB));
    await world.list();
    // The engine's event stream stands still, as one does that is read slowly.
    const { events } = world.engine("node-1").daemon;
    const { emit } = events;
    events.emit = () => undefined;
    await world.stop("one");
    events.emit = emit;
    const { record } = await world.create("two", mem(700 * MB));
    expect(record.node.name).toBe("node-1");
    expectTrueLedger(world);
    await expectTrueList(world);
  });
});

describe("rename", () => {
  it("takes the name over the whole cluster", async () => {
    await open({ strategy: "spread" });
    const one = await world.run("one");
    await world.run("two");
    const taken = await refusal(world.rename("two", "one"));
    expect(taken.status).toBe(409);
    expect(taken.message).toContain(`The container name "/one" is already in use by container "${one.id}"`);
    await world.rename("two", "three");
    expect((await world.names()).sort()).toEqual(["one", "three"]);
    const free = await world.create("two");
    expect(free.record.name).toBe("two");
    await expectTrueList(world);
  });

  it("gives the name back when the engine refuses, and the old one stays", async () => {
    await open({ nodes: 1 });
    await world.run("one");
    world.engine("node-1").faults.failNext("POST /containers/{name}/rename", 500, "disk is gone");
    expect(await refusal(world.rename("one", "two"))).toEqual({ status: 500, message: "disk is gone" });
    expect(await world.names()).toEqual(["one"]);
    await world.create("two");
    expect((await world.names()).sort()).toEqual(["one", "two"]);
  });

  it("comes out with the engine's name when several at once fail", async () => {
    await open({ nodes: 1 });
    await world.run("one");
    world.engine("node-1").faults.failNext("POST /containers/{name}/rename", 500, "disk is gone", 2);
    await Promise.all([refusal(world.rename("one", "two")), refusal(world.rename("one", "three"))]);
    expect(await world.names()).toEqual(["one"]);
  });

  it("that was made although its answer is lost is seen", async () => {
    await open({ nodes: 1 });
    await world.run("one");
    world.meddle("node-1").loseAnswer(/rename/);
    expect((await refusal(world.rename("one", "two"))).status).toBe(502);
    expect(await world.names()).toEqual(["two"]);
  });

  it("that nobody answered keeps both names taken until the engine's list tells", async () => {
    await open({ nodes: 1 });
    await world.run("one");
    await world.names();
    world.meddle("node-1").loseRequest(/rename/);
    const listed = world.meddle("node-1").hold(/^GET \/containers\/json/);
    expect((await refusal(world.rename("one", "two"))).status).toBe(502);
    for (const name of ["one", "two"]) expect((await refusal(world.create(name))).status).toBe(409);
    listed();
    expect(await world.names()).toEqual(["one"]);
    await world.create("two");
    expect((await refusal(world.create("one"))).status).toBe(409);
  });

  it("that nobody answered while another one was under way holds no name for longer than it is uncertain", async () => {
    await open({ nodes: 1 });
    await world.run("one");
    world.meddle("node-1").loseRequest(/rename\?name=two/);
    await Promise.all([refusal(world.rename("one", "two")), world.rename("one", "three")]);
    expect(await world.names()).toEqual(["three"]);
    for (const name of ["one", "two"]) await world.create(name);
    expect((await world.names()).sort()).toEqual(["one", "three", "two"]);
  });

  it("that was told is shown, although the engine is lost before its list could show it", async () => {
    await open({ nodes: 1 });
    await world.run("one");
    await world.names();
    await world.rename("one", "two");
    world.engine("node-1").faults.dead();
    await world.until("it is lost", () => !world.node("node-1").reachable);
    expect(await world.names()).toEqual(["two"]);
  });

  it("refuses empty, same and bad names as dockerd does", async () => {
    await open({ nodes: 1 });
    await world.run("one");
    expect((await refusal(world.rename("one", ""))).status).toBe(400);
    expect((await refusal(world.rename("one", "one"))).status).toBe(400);
    expect((await refusal(world.rename("one", "a/b"))).message).toMatch(/Invalid container name \(\/?a\/b\)/);
  });
});

describe("update", () => {
  it("books new needs, and refuses what the node has no room for", async () => {
    await open({ nodes: [{ memory: GB }] });
    await world.run("one", mem(300 * MB));
    await world.run("two", mem(300 * MB));
    await world.update("one", { Memory: 600 * MB });
    expectTrueLedger(world);
    const { status, message } = await refusal(world.update("two", { Memory: 700 * MB }));
    expect(status).toBe(409);
    expect(message).toMatch(/^no resources available/);
    expectTrueLedger(world);
  });

  it("gives new needs back when the engine refuses", async () => {
    await open({ nodes: [{ memory: GB }] });
    await world.run("one", mem(300 * MB));
    world.engine("node-1").faults.failNext("POST /containers/{name}/update", 500, "cgroup says no");
    expect((await refusal(world.update("one", { Memory: 600 * MB }))).status).toBe(500);
    expectTrueLedger(world);
  });

  it("learns what was changed past it", async () => {
    await open({ nodes: [{ memory: GB }] });
    await world.run("one", { HostConfig: { CpuShares: 2, Memory: 300 * MB } });
    const { containers, lifecycle } = world.engine("node-1").daemon;
    lifecycle.update(containers.get("one"), { Memory: 500 * MB, RestartPolicy: { Name: "always" } });
    const { ledger } = world.cluster;
    await world.until("it is booked", () => ledger.sums(world.node("node-1").id).memory === 500 * MB);
    expectTrueLedger(world);
    expect((await world.inspect("one")).HostConfig).toMatchObject({ CpuShares: 2 });
    await world.stop("one");
    await world.list();
    expectTrueLedger(world);
  });

  it("learns what became of one whose answer is lost, also when the engine could not be asked at once", async () => {
    await open({ nodes: [{ memory: GB }] });
    await world.run("one", mem(300 * MB));
    const meddler = world.meddle("node-1");
    meddler.loseAnswer(/update$/);
    meddler.loseAnswer(/^GET \/containers\/[0-9a-f]{64}\/json/, 2);
    expect((await refusal(world.update("one", { Memory: 600 * MB }))).status).toBe(502);
    world.engine("node-1").faults.cutEvents();
    const { ledger } = world.cluster;
    await world.until("it is known", () => ledger.sums(world.node("node-1").id).memory === 600 * MB);
    expectTrueLedger(world);
  });

  it("gives room free only when the engine has taken it", async () => {
    await open({ nodes: [{ memory: GB }], overcommit: 0 });
    await world.run("one", mem(600 * MB));
    const release = world.meddle("node-1").hold(/update$/);
    const smaller = world.update("one", { Memory: 100 * MB });
    expect((await refusal(world.create("two", mem(600 * MB)))).status).toBe(409);
    release();
    await smaller;
    await world.create("two", mem(600 * MB));
    expectTrueLedger(world);
  });

  it("holds what it asks for until the engine has refused it, whatever is inspected meanwhile", async () => {
    await open({ nodes: [{ memory: GB }], overcommit: 0 });
    await world.run("one", mem(100 * MB));
    const release = world.meddle("node-1").hold(/update$/);
    world.engine("node-1").faults.failNext("POST /containers/{name}/update", 500, "cgroup says no");
    const greater = refusal(world.update("one", { Memory: 600 * MB }));
    remeasure(world.cluster, world.record("one"));
    // Asked later, hence answered later.
    await world.inspect("one");
    expect((await refusal(world.create("two", mem(600 * MB)))).status).toBe(409);
    release();
    await greater;
    await world.create("two", mem(600 * MB));
    expectTrueLedger(world);
  });

  it("refuses a body whose keys an engine would read differently", async () => {
    await open({ nodes: [{ memory: GB }] });
    await world.run("one", mem(300 * MB));
    const { status } = await refusal(world.update("one", `{"Memory":${400 * MB},"memory":${900 * MB}}`));
    expect(status).toBe(400);
    expectTrueLedger(world);
  });

  it("keeps a whole number of CPUs as the client wrote it", async () => {
    await open({ nodes: [{ cpus: 4 }] });
    await world.run("one", { HostConfig: { CpuShares: 1 } });
    await world.update("one", { CpuShares: 3 });
    expect(world.engine("node-1").daemon.containers.get("one").hostConfig.CpuShares).toBe(768);
    expect((await world.inspect("one")).HostConfig).toMatchObject({ CpuShares: 3 });
    expectTrueLedger(world);
  });
});

describe("what a client changed, it sees in the next list", () => {
  it("after create, start, stop, pause, rename and rm", async () => {
    await open();
    const state = async (): Promise<string> => (await world.list()).map((row) => `${row.Names[0]} ${row.State}`).join();
    await world.create("web");
    expect(await state()).toBe("/web created");
    await world.start("web");
    expect(await state()).toBe("/web running");
    await world.change("web", "pause");
    expect(await state()).toBe("/web paused");
    await world.change("web", "unpause");
    await world.rename("web", "www");
    expect(await state()).toBe("/www running");
    await world.stop("www");
    expect(await state()).toBe("/www exited");
    expect((await world.list())[0]?.Status).toMatch(/^Exited \(143\) /);
    await world.remove("www");
    expect(await state()).toBe("");
  });

  it("although the reading that is to bring it fails", async () => {
    await open({ nodes: 1 });
    const { faults } = world.engine("node-1");
    const state = async (): Promise<string> => (await world.list()).map((row) => `${row.State} ${row.Status}`).join();
    await world.create("web");
    expect(await state()).toBe("created Created");
    faults.failNext("GET /containers/json", 500, "no memory", 1_000);
    await world.start("web");
    expect(await state()).toMatch(/^running Up /);
    await world.change("web", "pause");
    expect(await state()).toMatch(/^paused Up .* \(Paused\)$/);
    await world.change("web", "unpause");
    expect(await state()).toMatch(/^running Up [^(]*$/);
    await world.stop("web");
    expect(await state()).toMatch(/^exited Exited /);
    await world.change("web", "restart");
    expect(await state()).toMatch(/^running Up /);
    faults.clear();
    await world.until("the cache agrees", () => agrees(world));
    await expectTrueList(world);
  });
});
