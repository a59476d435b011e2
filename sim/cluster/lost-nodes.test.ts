/** What the cluster knows of nodes that do not answer: over a manager's restart, after an `rm -f`, at another address. */
import { afterEach, describe, expect, it } from "vitest";
import { type ApiFace, openApi } from "./api-face.ts";
import { agrees, expectTrueLedger, expectTrueList } from "./truth.ts";
import { type Body, entryOf, GB, MB, refusal, World, type WorldOptions } from "./world.ts";

let world: World;
let api: ApiFace | undefined;
const open = async (options?: WorldOptions): Promise<World> => {
  world = await World.open(options);
  return world;
};
afterEach(async () => {
  await api?.close();
  api = undefined;
  await world.close();
});

const on = (node: string, more: Body = {}): Body => ({
  Labels: { "com.docker.swarm.constraints": `["node==${node}"]`, app: "shop" },
  ...more,
});
const lose = async (name: string): Promise<void> => {
  world.engine(name).faults.dead();
  await world.until(`${name} is lost`, () => !world.node(name).reachable);
};
const back = async (name: string): Promise<void> => {
  world.engine(name).faults.dead(false);
  await world.healthy();
};
/** Past shoal. */
const own = (node: string, name: string): void => {
  const { containers, lifecycle } = world.engine(node).daemon;
  lifecycle.start(containers.create(name, { Image: "busybox", HostConfig: { Memory: 100 * MB } }, "1.51"));
};
const restartWithout = async (name: string): Promise<void> => {
  await world.cluster.writer.idle();
  world.engine(name).faults.dead();
  await world.crashManager();
  await world.until("the others are read", () => world.cluster.reachable().length === world.engines.length - 1);
};

describe.each([false, true])("a new manager while a node is down (minted IDs: %s)", (mintIds) => {
  it("knows its networks and volumes, foreign ones too, and forgets what went before", async () => {
    await open({ nodes: 2, mintIds, strategy: "spread" });
    const { daemon } = world.engine("node-2");
    daemon.networks.create({ Name: "theirs" });
    daemon.volumes.create("data", {});
    api = await openApi(world);
    const call = async (method: string, path: string, body?: unknown) => api?.call(method, path, body).over;
    await call("POST", "/networks/create", { Name: "node-2/web" });
    await call("POST", "/networks/create", { Name: "node-2/old" });
    const networks = async (): Promise<Record<string, unknown>[]> =>
      JSON.parse((await call("GET", "/networks"))?.text ?? "");
    const known = ["theirs", "web"];
    const own = async () => (await networks()).filter(({ Name }) => !["bridge", "host", "none"].includes(String(Name)));
    expect((await own()).map(({ Name }) => Name).sort()).toEqual(["old", ...known]);
    expect((await call("DELETE", "/networks/old"))?.status).toBe(204);
    await world.until("the volume is seen", () => world.cluster.volumes.named("data").size === 1);
    const before = await own();
    await restartWithout("node-2");
    await api.close();
    api = await openApi(world);
    expect(await own()).toEqual(before);
    // Nobody makes a second one elsewhere.
    expect((await call("POST", "/networks/create", { Name: "web" }))?.status).toBe(409);
    expect(await refusal(world.create("app", { HostConfig: { NetworkMode: "theirs" } }))).toMatchObject({
      message: expect.stringContaining("node-2"),
    });
    expect(await refusal(world.create("app", { HostConfig: { Binds: ["data:/data"] } }))).toMatchObject({
      message: expect.stringContaining("node-2"),
    });
    await back("node-2");
    expect(await own()).toEqual(before);
    expect((await world.store.list("known/")).filter(({ value }) => value.includes("old"))).toEqual([]);
  });

  it("lists its containers as Host Down with everything, finds them, and keeps their names", async () => {
    await open({ nodes: 2, mintIds });
    const ports = { PortBindings: { "80/tcp": [{ HostPort: "8080" }] }, Memory: GB };
    const web = await world.run("web", on("node-2", { HostConfig: ports, ExposedPorts: { "80/tcp": {} } }));
    own("node-2", "strange");
    await world.until("all is seen", async () => (await world.names()).length === 2 && agrees(world));
    const before = await world.list();
    await restartWithout("node-2");
    const rows = await world.list();
    expect(rows).toEqual(before.map((row) => ({ ...row, Status: "Host Down" })));
    expect(await world.names({ label: ["app=shop"] })).toEqual(["web"]);
    expect(await world.names(undefined, false)).toEqual([]);
    expect(world.cluster.inventory.find(web.id.slice(0, 12))?.name).toBe("web");
    expect(await refusal(world.inspect("web"))).toMatchObject({
      status: 503,
      message: expect.stringContaining("node-2"),
    });
    expect((await refusal(world.inspect("strange"))).status).toBe(503);
    for (const name of ["web", "strange"]) expect((await refusal(world.create(name))).status).toBe(409);
    expect((await refusal(world.inspect("nothing"))).status).toBe(404);
    expect(world.info().nodes["node-2"]).toMatchObject({ Containers: "2" });
    expect(world.cluster.ledger.sums(world.node("node-2").id).memory).toBe(GB + 100 * MB);
    await back("node-2");
    await world.until("the cache agrees", () => agrees(world));
    expect(world.record("web").id).toBe(web.id);
  });
});

describe("the rows of a node in the store", () => {
  it("are shown under the name that a rename told before its node was lost", async () => {
    await open({ nodes: 2 });
    await world.run("web", on("node-2"));
    await world.names();
    const reading = world.meddle("node-2").hold(/^GET \/containers\/json/, 100);
    await world.rename("web", "shop");
    await restartWithout("node-2");
    reading();
    expect((await world.list()).map(({ Names, Status }) => `${Names} ${Status}`)).toEqual(["/shop Host Down"]);
    await back("node-2");
    expect(await world.names()).toEqual(["shop"]);
  });

  it("keep both names of a rename that its manager's end left open, until the node tells which one it is", async () => {
    await open({ nodes: 2 });
    const { id } = await world.run("web", on("node-2"));
    await world.names();
    await world.cluster.writer.idle();
    // The store has taken it, and the engine is not asked any more.
    world.life.dieAt(3);
    await refusal(world.rename("web", "shop"));
    await restartWithout("node-2");
    expect((await world.list()).map(({ Id }) => Id)).toEqual([id]);
    for (const name of ["web", "shop"]) {
      expect((await refusal(world.create(name))).status).toBe(409);
      expect((await refusal(world.inspect(name))).status).toBe(503);
    }
    await back("node-2");
    expect(await world.names()).toEqual(["web"]);
    expect((await refusal(world.create("web"))).status).toBe(409);
    await world.create("shop");
  });

  it("go with their containers, and are not written again for their age", async () => {
    await open({ nodes: 1 });
    await world.run("one");
    await world.run("two");
    await world.remove("one");
    await world.names();
    await world.cluster.writer.idle();
    expect((await world.store.list("rows/")).length).toBe(1);
    const [row] = await world.store.list("rows/");
    await world.restartManager();
    await world.names();
    world.node("node-1").engine.resync();
    await world.names();
    await world.cluster.writer.idle();
    expect(await world.store.list("rows/")).toEqual([row]);
  });

  it("of what is gone when the node is back are gone", async () => {
    await open({ nodes: 2 });
    await world.run("web", on("node-2"));
    await world.names();
    await restartWithout("node-2");
    world.engine("node-2").daemon.events.silently(() => {
      const { containers, lifecycle } = world.engine("node-2").daemon;
      lifecycle.remove(containers.get("web"), true, false);
    });
    await back("node-2");
    expect(await world.names()).toEqual([]);
    await world.cluster.writer.idle();
    expect(await world.store.list("rows/")).toEqual([]);
    expect(await world.store.list("containers/")).toEqual([]);
  });

  it("that cannot be read are passed over", async () => {
    await open({ nodes: 2 });
    const web = await world.run("web", on("node-2"));
    await world.names();
    await world.cluster.writer.idle();
    const key = `rows/${web.node.id}/${web.engineId}`;
    await world.store.txn({ conditions: [], writes: [{ key, value: '{"id":1}' }] });
    await restartWithout("node-2");
    expect(await world.names()).toEqual(["web"]);
  });
});

describe("rm -f of a container whose node is lost", () => {
  const remove = async (ref: string, query = "?force=1&v=1") => {
    api ??= await openApi(world);
    return api.call("DELETE", `/containers/${ref}${query}`).over;
  };
  /** The containers of an engine: name, state and restart policy. */
  const held = (node: string): string[] =>
    world
      .engine(node)
      .daemon.containers.all()
      .map(({ name, status, hostConfig }) => `${name} ${status} ${JSON.stringify(hostConfig.RestartPolicy)}`);

  it("frees its name, ID, port and reservation at once, with a warning, and keeps the copy aside on its return", async () => {
    await open({ nodes: 2 });
    const more = { Memory: GB, PortBindings: { "80/tcp": [{ HostPort: "80" }] }, RestartPolicy: { Name: "always" } };
    const web = await world.run("web", on("node-2", { HostConfig: more }));
    await lose("node-2");
    expect(await remove("web", "")).toMatchObject({ status: 503, text: expect.stringContaining("With force") });
    const { status, headers } = await remove("web");
    expect({ status, warning: headers.warning }).toEqual({
      status: 204,
      warning: expect.stringMatching(/^199 shoal "node node-2 cannot be reached .*kept aside.*"$/),
    });
    expect(await world.names()).toEqual([]);
    expect((await refusal(world.inspect(web.id))).status).toBe(404);
    expect(world.cluster.ledger.sums(world.node("node-2").id).memory).toBe(0);
    expect((await remove("web")).status).toBe(404);
    const second = await world.run("web", on("node-1"));
    await back("node-2");
    const aside = `web.removed-${web.engineId.slice(0, 12)} exited {"Name":"no"}`;
    await world.until("it is at rest", () => held("node-2").join() === aside);
    await world.until("it is told", () => world.cluster.missedEvents.some(({ action }) => action === "kept"));
    expect(world.cluster.missedEvents).toContainEqual(
      expect.objectContaining({ attributes: expect.objectContaining({ name: "web", kept: web.engineId }) }),
    );
    expect((await world.list()).map(({ Id, Names }) => `${Id} ${Names}`)).toEqual([`${second.id} /web`]);
    expect(world.record("web").id).toBe(second.id);
    // The name is free on that engine, too.
    await world.remove("web");
    await world.run("web", on("node-2", { HostConfig: more }));
    expect(held("node-2").length).toBe(2);
  });

  it("leaves alone what its engine is removing itself when it is back", async () => {
    await open({ nodes: 2 });
    const web = await world.run("web", on("node-2"));
    await lose("node-2");
    expect(await remove("web")).toMatchObject({ status: 204 });
    const copy = world.engine("node-2").daemon.containers.get("web");
    copy.status = "removing";
    const asked = world.meddle("node-2").record(new RegExp(`^POST /containers/${web.engineId}/`));
    await back("node-2");
    await world.clock.sleep(1_000);
    expect(asked).toEqual([]);
    copy.status = "running";
    world.node("node-2").engine.resync();
    await world.until("it is at rest", () => held("node-2").join().includes("web.removed-"));
  });

  it("waits for a node that a new manager has only begun to read, and removes it there", async () => {
    await open({ nodes: 2 });
    await world.run("web", on("node-2"));
    await world.cluster.writer.idle();
    const release = world.meddle("node-2").hold(/^GET \/containers\/json/, 10);
    await world.crashManager();
    api = await openApi(world);
    const removing = remove("web");
    // Who asks later is answered, so that it has arrived.
    await api.call("GET", "/_ping").over;
    release();
    const { status, headers } = await removing;
    expect({ status, warning: headers.warning }).toEqual({ status: 204, warning: undefined });
    expect(held("node-2")).toEqual([]);
  });

  it("holds over a crash of the manager, and ends when the engine no longer has it", async () => {
    await open({ nodes: 2 });
    const web = await world.run("web", on("node-2"));
    await lose("node-2");
    await remove("web");
    await api?.close();
    api = undefined;
    await world.crashManager();
    await world.until("the other is read", () => world.cluster.reachable().length === 1);
    expect(await world.names()).toEqual([]);
    await back("node-2");
    await world.until("it is at rest", () => held("node-2").join().includes(".removed-"));
    await world.until("it is at rest", () => held("node-2").join().includes("exited"));
    expect(await world.names()).toEqual([]);
    await world.restartManager();
    expect(await world.names()).toEqual([]);
    const { containers, lifecycle } = world.engine("node-2").daemon;
    lifecycle.remove(containers.get(web.engineId), true, false);
    await world.until("the mark is gone", async () => {
      world.node("node-2").engine.resync();
      await world.cluster.writer.idle();
      return (await world.store.list("tombstones/")).length === 0;
    });
    expect(world.cluster.tombstones.size).toBe(0);
  });

  it("is stopped again when somebody starts it", async () => {
    await open({ nodes: 2 });
    const web = await world.run("web", on("node-2"));
    await lose("node-2");
    await remove("web");
    await back("node-2");
    await world.until("it is at rest", () => held("node-2").join().includes("exited"));
    const { containers, lifecycle } = world.engine("node-2").daemon;
    lifecycle.start(containers.get(web.engineId));
    world.node("node-2").engine.resync();
    await world.until("it is at rest", () => held("node-2").join().includes("exited"));
    expect(await world.names()).toEqual([]);
  });

  it("is refused when the store does not take it, and nothing is changed", async () => {
    await open({ nodes: 2 });
    await world.run("web", on("node-2"));
    await lose("node-2");
    await world.cluster.writer.idle();
    await world.store.close();
    expect((await remove("web")).status).toBe(503);
    expect(await world.names()).toEqual(["web"]);
  });

  it("follows its engine to another address", async () => {
    await open({ nodes: 2 });
    await world.run("web", on("node-2"));
    await lose("node-2");
    await remove("web");
    world.address("10.9.9.9:2375", world.engine("node-2"));
    world.join([entryOf(1), "10.9.9.9:2375"]);
    world.engine("node-2").faults.dead(false);
    await world.healthy();
    await world.until("it is at rest", () => held("node-2").join().includes("exited"));
    expect(await world.names()).toEqual([]);
    await world.restartManager();
    expect(await world.names()).toEqual([]);
  });
});

describe("engines and addresses", () => {
  const at = "10.9.9.9:2375";

  it.each([false, true])(
    "that part over a manager's restart: the containers keep their IDs (minted: %s)",
    async (mintIds) => {
      await open({ nodes: 2, mintIds });
      const web = await world.run("web", on("node-2"));
      await restartWithout("node-2");
      world.address(at, world.engine("node-2"));
      world.join([entryOf(1), entryOf(2), at]);
      world.engine("node-2").faults.dead(false);
      await world.until("it serves", () => world.cluster.reachable().length === 2);
      await world.until("its container is there", async () => (await world.names(undefined, false)).length === 1);
      expect(world.record("web").id).toBe(web.id);
      expect(world.cluster.inventory.size).toBe(1);
    },
  );

  it("a clone of a node that is down takes none of its containers", async () => {
    await open({ nodes: [{}, { id: "twin" }] });
    const web = await world.run("web", on("node-2"));
    await lose("node-2");
    world.addEngine({ id: "twin", name: "clone" });
    own("clone", "other");
    world.join();
    await world.until("the clone is read", () => world.cluster.reachable().length === 2);
    expect((await world.list()).map(({ Names, Status }) => `${Names} ${Status}`).sort()).toEqual([
      expect.stringMatching(/^\/other Up/),
      "/web Host Down",
    ]);
    await back("node-2");
    expect(world.record("web").id).toBe(web.id);
    expect(world.record("web").node.name).toBe("node-2");
    await expectTrueList(world);
    expectTrueLedger(world);
  });

  it("a node that left discovery and is back has its containers under the same IDs", async () => {
    await open({ nodes: 2, mintIds: true });
    const web = await world.run("web", on("node-2"));
    own("node-2", "strange");
    await world.until("all is seen", async () => (await world.names()).length === 2);
    const strange = world.record("strange").id;
    world.join([entryOf(1)]);
    expect(await world.names()).toEqual([]);
    world.engine("node-2").faults.dead();
    world.join();
    expect((await world.names()).sort()).toEqual(["strange", "web"]);
    world.engine("node-2").faults.dead(false);
    await world.healthy();
    expect(world.record("web").id).toBe(web.id);
    expect(world.record("strange").id).toBe(strange);
    await expectTrueList(world);
  });

  it("another engine at an address has not the containers of the one before; docker info says so until it is back", async () => {
    await open({ nodes: 2 });
    const web = await world.run("web", on("node-2"));
    const first = world.engine("node-2");
    await lose("node-2");
    const other = world.addEngine({ name: "other" });
    world.address(entryOf(2), other);
    world.join([entryOf(1)]);
    world.join([entryOf(1), entryOf(2)]);
    await world.until("the other one serves", () => world.cluster.nodeByName("other")?.reachable === true);
    expect(await world.names()).toEqual([]);
    expect((world.info().whole.Warnings as string[]).join()).toMatch(/another engine .*10\.0\.0\.2:2375.*: web/);
    world.address(at, first);
    first.faults.dead(false);
    world.join([entryOf(1), entryOf(2), at]);
    await world.until("it is back", async () => (await world.names()).join() === "web");
    expect(world.record("web").id).toBe(web.id);
  });
});
