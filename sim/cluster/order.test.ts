/** News that overtake each other, and nodes that were not read yet: what is older never undoes what is newer. */
import { afterEach, describe, expect, it } from "vitest";
import { forget } from "../../src/cluster/forget.ts";
import { expectTrueList } from "./truth.ts";
import { refusal, World, type WorldOptions } from "./world.ts";

let world: World;
const open = async (options?: WorldOptions): Promise<World> => {
  world = await World.open(options);
  return world;
};
afterEach(() => world.close());

describe("what is older does not undo what is newer", () => {
  it("a list that was made before a removal", async () => {
    await open({ nodes: 1 });
    await world.run("web");
    await world.list();
    const list = world.meddle("node-1").hold(/^GET \/containers\/json/);
    world.engine("node-1").calls.reset();
    world.cluster.refresher.mark(world.record("web"), true);
    const reading = world.cluster.refresher.settled();
    await world.until("the list is made", () => world.engine("node-1").calls.of("GET /containers/json") > 0);
    const record = world.record("web");
    await world.remove("web");
    expect(world.cluster.inventory.byId(record.id)).toBeUndefined();
    list();
    await reading;
    expect(await world.names()).toEqual([]);
    forget(world.cluster, record);
    await expectTrueList(world);
  });

  it("a list that was made before a start, a rename and an end", async () => {
    await open({ nodes: 1 });
    await world.create("web");
    await world.list();
    const held = async (work: () => Promise<unknown>): Promise<void> => {
      const list = world.meddle("node-1").hold(/^GET \/containers\/json/);
      world.engine("node-1").calls.reset();
      const [record] = [...world.node("node-1").containers.values()];
      if (record) world.cluster.refresher.mark(record, true);
      const reading = world.cluster.refresher.settled();
      await world.until("the list is made", () => world.engine("node-1").calls.of("GET /containers/json") > 0);
      await work();
      list();
      await reading;
    };
    await held(() => world.start("web"));
    expect(world.record("web").state).toBe("running");
    await held(() => world.rename("web", "www"));
    expect(world.record("www").state).toBe("running");
    await held(async () => {
      await world.stop("www");
      await world.until("its end is known", () => world.record("www").state === "exited");
    });
    expect(world.record("www").state).toBe("exited");
    await expectTrueList(world);
  });

  it("a list that was made before the end of a rename", async () => {
    await open({ nodes: 1 });
    await world.run("web");
    await world.list();
    const list = world.meddle("node-1").hold(/^GET \/containers\/json/);
    world.engine("node-1").calls.reset();
    world.cluster.refresher.mark(world.record("web"), true);
    const reading = world.cluster.refresher.settled();
    await world.until("the list is made", () => world.engine("node-1").calls.of("GET /containers/json") > 0);
    const answer = world.meddle("node-1").hold(/rename/);
    world.engine("node-1").faults.hung();
    const renaming = world.rename("web", "www");
    list();
    await reading;
    const taken = [await refusal(world.create("www")), await refusal(world.create("web"))];
    world.engine("node-1").faults.hung(false);
    answer();
    await renaming;
    expect(taken.map(({ status }) => status)).toEqual([409, 409]);
    expect(await world.names()).toEqual(["www"]);
    await world.create("web");
  });
});

describe("nodes that were never read", () => {
  it("make a miss a 503 at first and a 404 after a minute", async () => {
    world = World.prepare({ nodes: 2 });
    world.engine("node-2").faults.dead();
    world.join();
    await world.until("one is healthy", () => world.cluster.reachable().length === 1);
    const miss = (): Promise<{ status: number; message: string }> =>
      refusal(Promise.resolve().then(() => world.record("web")));
    expect(await miss()).toEqual({
      status: 503,
      message: "No such container: web on the nodes read so far; still unread: 10.0.0.2:2375. Try again in a moment",
    });
    world.clock.skip(61_000);
    expect(await miss()).toEqual({ status: 404, message: "No such container: web" });
  });

  it("let a create wait for them, and give a name once all the same", async () => {
    world = World.prepare({ nodes: 2 });
    world.join();
    const results = await Promise.allSettled([world.create("web"), world.create("web"), world.create("other")]);
    expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "fulfilled", "rejected"]);
    await world.healthy();
    expect((await world.names()).sort()).toEqual(["other", "web"]);
  });
});
