/** What a new manager, or one whose engines were used past it, knows of containers. */
import { afterEach, describe, expect, it } from "vitest";
import { agrees, expectTrueLedger, expectTrueList } from "./truth.ts";
import { GB, MB, refusal, World, type WorldOptions } from "./world.ts";

let world: World;
const open = async (options?: WorldOptions): Promise<World> => {
  world = await World.open(options);
  return world;
};
afterEach(() => world.close());

describe("a new manager over the same engines", () => {
  it.each([false, true])("finds identities and needs again before any inspect (minted IDs: %s)", async (mintIds) => {
    await open({ mintIds, nodes: [{ memory: 2 * GB }, { memory: 2 * GB }] });
    const web = await world.run("web", {
      HostConfig: { CpuShares: 2, Memory: GB, PortBindings: { "80/tcp": [{ HostPort: "80" }] } },
    });
    const kept = await world.run("kept", { HostConfig: { Memory: 300 * MB, RestartPolicy: { Name: "always" } } });
    await world.stop("kept");
    const before = (await world.list()).map(({ Id, Names }) => ({ Id, Names }));
    const inspect = world.meddle("node-1").hold(/^GET \/containers\/[0-9a-f]{64}\/json/, 2);
    await world.restartManager();
    expect((await world.list()).map(({ Id, Names }) => ({ Id, Names }))).toEqual(before);
    expect(world.record(web.id.slice(0, 10)).name).toBe("web");
    expect(world.record("kept").id).toBe(kept.id);
    expectTrueLedger(world);
    inspect();
    expect((await world.inspect("web")).HostConfig).toMatchObject({ CpuShares: 2 });
    expectTrueLedger(world);
  });

  it("learns what an update changed since the hint was written", async () => {
    await open({ nodes: [{ memory: 2 * GB, cpus: 4 }] });
    await world.run("web", { HostConfig: { CpuShares: 2, Memory: GB } });
    await world.update("web", { Memory: 500 * MB, CpuShares: 1, RestartPolicy: { Name: "always" } });
    await world.restartManager();
    await world.until("it is known", () => agrees(world));
    await world.stop("web");
    await world.until("it has ended", () => agrees(world));
    expect(world.cluster.ledger.sums(world.node("node-1").id).memory).toBe(500 * MB);
  });

  it("measures what was there before, and only then places beside it", async () => {
    world = World.prepare({ nodes: [{ memory: 2 * GB }] });
    world.engine("node-1").preload(3, { memory: 600 * MB });
    const inspect = world.meddle("node-1").hold(/^GET \/containers\/[0-9a-f]{64}\/json/);
    world.join();
    const creating = refusal(world.create("big", { HostConfig: { Memory: GB } }));
    await world.until("the list is read", () => world.cluster.inventory.size > 0);
    inspect();
    expect(await creating).toMatchObject({ status: 409 });
    await world.healthy();
    expectTrueLedger(world);
    await world.create("small", { HostConfig: { Memory: 100 * MB } });
  });

  it("does not wait for ever for a container that its engine cannot inspect", async () => {
    world = World.prepare({ nodes: 1 });
    world.engine("node-1").preload(2);
    world.engine("node-1").faults.failNext("GET /containers/{name}/json", 500, "layer does not exist");
    world.join();
    await world.create("web");
    await expectTrueList(world);
  });
});

describe("labels that were inherited through a commit", () => {
  const commit = async (ref: string): Promise<void> => {
    const record = world.record(ref);
    await record.node.engine.text("POST", `/commit?container=${record.engineId}&repo=copy&tag=latest`);
    world.cluster.refresher.markList(record.node, "images");
    await world.cluster.refresher.settledOn(record.node);
  };
  const runPastShoal = (name: string): string => {
    const { containers, lifecycle } = world.engine("node-1").daemon;
    const container = containers.create(name, { Image: "copy", HostConfig: { Memory: 100 * MB } }, "1.51");
    lifecycle.start(container);
    return container.id;
  };

  it.each([false, true])("do not make two containers one (minted IDs: %s)", async (mintIds) => {
    await open({ mintIds, nodes: [{ memory: 2 * GB }] });
    const one = await world.run("one", { HostConfig: { Memory: GB, CpuShares: 2 } });
    await commit("one");
    const engineId = runPastShoal("two");
    await world.until("it is seen", async () => (await world.names()).includes("two"));
    const two = world.record("two");
    expect(two.engineId).toBe(engineId);
    expect(two.id).not.toBe(one.id);
    await world.until("it is measured", () => agrees(world));
    expectTrueLedger(world);
    expect((await world.list()).every((row) => !("shoal.hint" in row.Labels))).toBe(true);
    const ids = { one: one.id, two: two.id };
    for (let i = 0; i < 2; i++) {
      await world.restartManager();
      expect({ one: world.record("one").id, two: world.record("two").id }).toEqual(ids);
      expectTrueLedger(world);
    }
    expect((await world.inspect("two")).HostConfig).toMatchObject({ CpuShares: 0 });
  });

  it("do not give the copy its original's identity when the original is gone", async () => {
    await open({ mintIds: true, nodes: 1 });
    const one = await world.run("one");
    await commit("one");
    await world.remove("one");
    runPastShoal("two");
    await world.until("it is seen", async () => (await world.names()).includes("two"));
    expect(world.record("two").id).not.toBe(one.id);
  });

  it("are overwritten in a container that shoal makes of the image", async () => {
    await open({ mintIds: true, nodes: 1 });
    const one = await world.run("one");
    await commit("one");
    const two = await world.run("two", { Image: "copy" });
    expect(two.id).not.toBe(one.id);
    await world.restartManager();
    expect(world.record("two").id).toBe(two.id);
    await expectTrueList(world);
  });
});

describe("engines that are used past shoal", () => {
  it("show what was made, started, renamed, paused and removed there", async () => {
    await open({ nodes: [{ memory: 2 * GB }] });
    const { containers, lifecycle } = world.engine("node-1").daemon;
    const container = containers.create("own", { Image: "busybox", HostConfig: { Memory: 500 * MB } }, "1.51");
    const shows = (expected: string): Promise<void> =>
      world.until(expected, async () => {
        const rows = await world.list();
        return rows.map((row) => `${row.Names[0]} ${row.State}`).join() === expected && agrees(world);
      });
    await shows("/own created");
    lifecycle.start(container);
    await shows("/own running");
    containers.rename(container, "mine");
    await shows("/mine running");
    lifecycle.pause(container);
    await shows("/mine paused");
    lifecycle.stop(container);
    await shows("/mine exited");
    lifecycle.remove(container, false, false);
    await shows("");
  });

  it("show the truth again after the event stream broke and much was missed", async () => {
    await open({ nodes: [{ memory: 4 * GB }] });
    for (let i = 0; i < 5; i++) await world.run(`c${i}`, { HostConfig: { Memory: 100 * MB } });
    await world.list();
    const { daemon, faults } = world.engine("node-1");
    const { containers, lifecycle } = daemon;
    daemon.events.silently(() => {
      lifecycle.stop(containers.get("c1"));
      lifecycle.remove(containers.get("c2"), true, false);
      containers.rename(containers.get("c3"), "renamed");
      lifecycle.start(containers.create("new", { Image: "busybox", HostConfig: { Memory: 200 * MB } }, "1.51"));
    });
    expect((await world.names()).sort()).toEqual(["c0", "c1", "c2", "c3", "c4"]);
    faults.cutEvents();
    await world.until("the cache agrees", () => agrees(world));
    expect((await world.names()).sort()).toEqual(["c0", "c1", "c4", "new", "renamed"]);
    expectTrueLedger(world);
  });

  it("follow a power cycle: what restarts by itself runs, the rest has ended", async () => {
    await open({ nodes: [{ memory: 4 * GB }] });
    await world.run("always", { HostConfig: { Memory: 100 * MB, RestartPolicy: { Name: "always" } } });
    await world.run("never", { HostConfig: { Memory: 100 * MB } });
    world.engine("node-1").powerCycle();
    await world.until("the cache agrees", () => agrees(world));
    await world.healthy();
    await world.until("the cache agrees", () => agrees(world));
    expect(await world.names({ status: ["running"] })).toEqual(["always"]);
  });
});

describe("names and IDs over several nodes", () => {
  const own = (node: string, name: string): void => {
    const { containers, lifecycle } = world.engine(node).daemon;
    lifecycle.start(containers.create(name, { Image: "busybox" }, "1.51"));
  };

  it("lists a name that several nodes have as node/name, and refuses the bare one naming them", async () => {
    await open();
    own("node-1", "web");
    await world.until("one is seen", async () => (await world.names()).join() === "web");
    own("node-2", "web");
    await world.until("both are seen", async () => (await world.names()).sort().join() === "node-1/web,node-2/web");
    expect(await refusal(world.start("web"))).toEqual({
      status: 409,
      message: 'The container name "web" is on several nodes: say which one, node-1/web or node-2/web',
    });
    expect((await world.inspect("node-2/web")).Name).toBe("/node-2/web");
    expect((await refusal(world.create("web"))).status).toBe(409);
    await world.rename("node-2/web", "www");
    expect((await world.names()).sort()).toEqual(["web", "www"]);
    await world.remove("node-1/web");
    expect(await world.names()).toEqual(["www"]);
  });

  it("shows the plain name again when only one is left", async () => {
    await open();
    own("node-1", "web");
    own("node-2", "web");
    await world.until("both are seen", async () => (await world.names()).sort().join() === "node-1/web,node-2/web");
    await world.remove("node-1/web");
    expect(await world.names()).toEqual(["web"]);
  });

  it("refuses a prefix that several containers have, and finds one that is unambiguous", async () => {
    await open({ nodes: 1 });
    for (let i = 0; i < 40; i++) await world.create(`c${i}`);
    const ids = (await world.list()).map(({ Id }) => Id);
    const first = ids[0] ?? "";
    const shared = ids.find((id) => id !== first && id[0] === first[0]);
    expect(shared).toBeDefined();
    expect(await refusal(world.inspect(first[0] ?? ""))).toEqual({
      status: 400,
      message: `Multiple IDs found with provided prefix: ${first[0]}`,
    });
    expect((await world.inspect(first.slice(0, 12))).Id).toBe(first);
  });

  it("prefers a name to a prefix", async () => {
    await open({ nodes: 1 });
    const one = await world.create("one");
    const two = await world.create(one.record.id.slice(0, 6));
    expect((await world.inspect(one.record.id.slice(0, 6))).Id).toBe(two.record.id);
  });
});
