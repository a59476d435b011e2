/** `docker ps` over several nodes: order, every filter, sizes; and prune. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pruneContainers } from "../../src/cluster/prune.ts";
import { agrees, expectTrueList } from "./truth.ts";
import { GB, MB, refusal, World } from "./world.ts";

describe("the list", () => {
  let world: World;
  const ids = new Map<string, string>();

  beforeAll(async () => {
    world = await World.open({ strategy: "spread", mintIds: true });
    for (const engine of world.engines) {
      engine.daemon.networks.create({ Name: "back" });
      engine.daemon.images.add("redis:7");
    }
    const on = (node: string): string => `constraint:node==${node}`;
    const make = async (name: string, node: string, body: Record<string, unknown>): Promise<void> => {
      const record = await world.run(name, { ...body, Env: [on(node)] });
      ids.set(name, record.id);
    };
    await make("db", "node-1", { Image: "redis:7", Labels: { tier: "data", app: "shop" } });
    await make("web", "node-2", {
      Labels: { tier: "front", app: "shop" },
      ExposedPorts: { "80/tcp": {} },
      HostConfig: { PortBindings: { "80/tcp": [{ HostPort: "8080" }] }, Binds: ["assets:/assets"] },
    });
    await make("job", "node-3", { Cmd: ["sh", "-c", "exit 3"] });
    await make("net", "node-1", { HostConfig: { NetworkMode: "back" } });
    await make("idle", "node-3", {});
    await world.change("idle", "pause");
    const made = await world.create("new", { Env: [on("node-2")] });
    ids.set("new", made.record.id);
    // Its row is read back a moment after its event.
    await world.until("the job's end is listed", async () => {
      const rows = await world.list({ all: true });
      return rows.some(({ State, Status }) => State === "exited" && String(Status).startsWith("Exited (3)"));
    });
  });
  afterAll(() => world.close());

  it("is in order of creation over the cluster, newest first, running ones only unless asked", async () => {
    expect(await world.names()).toEqual(["new", "idle", "net", "job", "web", "db"]);
    expect(await world.names({}, false)).toEqual(["idle", "net", "web", "db"]);
    await expectTrueList(world);
  });

  it.each([
    [{ name: ["^/?web$"] }, "web"],
    [{ name: ["e"] }, "new,idle,net,web"],
    [{ name: ["web", "db"] }, "web,db"],
    [{ label: ["app"] }, "web,db"],
    [{ label: ["app=shop", "tier=data"] }, "db"],
    [{ label: ["app=none"] }, ""],
    [{ status: ["exited"] }, "job"],
    [{ status: ["running", "created"] }, "new,net,web,db"],
    [{ status: ["paused"] }, "idle"],
    [{ exited: ["3"] }, "job"],
    [{ exited: ["0"] }, ""],
    [{ node: ["node-1"] }, "net,db"],
    [{ node: ["node-1", "node-3"], status: ["running"] }, "net,db"],
    [{ before: ["net"] }, "job,web,db"],
    [{ since: ["job"] }, "new,idle,net"],
    [{ since: ["db"], before: ["idle"] }, "net,job,web"],
    [{ ancestor: ["redis:7"] }, "db"],
    [{ ancestor: ["busybox"], status: ["running"] }, "net,web"],
    [{ network: ["back"] }, "net"],
    [{ network: ["bridge"], node: ["node-1"] }, "db"],
    [{ volume: ["assets"] }, "web"],
    [{ publish: ["8080"] }, "web"],
    [{ health: ["none"], node: ["node-2"] }, "new,web"],
  ])("keeps with %j: %s", async (filters, expected) => {
    expect((await world.names(filters as Record<string, string[]>)).join()).toBe(expected);
  });

  it("lists what does not run for all and status alone, as dockerd does", async () => {
    expect(await world.names({ exited: ["3"] }, false)).toEqual([]);
    expect(await world.names({ status: ["exited"] }, false)).toEqual(["job"]);
    expect(await world.names({ before: ["net"] }, false)).toEqual(["web", "db"]);
  });

  it("keeps by cluster ID and its beginning, also for before and since", async () => {
    const id = ids.get("web") ?? "";
    expect(await world.names({ id: [id] })).toEqual(["web"]);
    expect(await world.names({ id: [`^${id.slice(0, 12)}`] })).toEqual(["web"]);
    expect(await world.names({ before: [id.slice(0, 12)] })).toEqual(["db"]);
    const bridge = (await world.list({ filters: { name: ["^/db$"] } }))[0]?.NetworkSettings.Networks.bridge?.NetworkID;
    expect(await world.names({ network: [bridge ?? ""], node: ["node-2"] })).toEqual(["new", "web"]);
  });

  it("ends at a limit, stopped ones included", async () => {
    const names = (await world.list({ all: false, limit: 3 })).map((row) => row.Names[0]);
    expect(names).toEqual(["/new", "/idle", "/net"]);
    expect((await world.list({ limit: 1, filters: { label: ["app"] } })).map((row) => row.Names[0])).toEqual(["/web"]);
  });

  it.each([
    [{ status: ["gone"] }, 400],
    [{ unheard: ["x"] }, 400],
    [{ exited: ["x"] }, 400],
    [{ before: ["nobody"] }, 404],
  ])("refuses %j with %i", async (filters, status) => {
    expect((await refusal(world.names(filters as Record<string, string[]>))).status).toBe(status);
  });

  it("asks for sizes only when they are wanted, and shows all rows without those of a node that fails", async () => {
    expect((await world.list())[0]?.SizeRootFs).toBeUndefined();
    const rows = await world.list({ size: true });
    expect(rows.map(({ SizeRootFs }) => SizeRootFs)).toEqual(Array(6).fill(4_000_000));
    world.engine("node-1").faults.failNext("GET /containers/json", 500, "disk trouble", 9);
    const some = await world.list({ size: true });
    world.engine("node-1").faults.clear();
    expect(some.map((row) => [row.Names[0], row.SizeRootFs !== undefined])).toEqual([
      ["/new", true],
      ["/idle", true],
      ["/net", false],
      ["/job", true],
      ["/web", true],
      ["/db", false],
    ]);
  });

  it("shows an age that is right when it is asked", async () => {
    const status = async (): Promise<string> => (await world.list({ filters: { name: ["^/web$"] } }))[0]?.Status ?? "";
    expect(await status()).toMatch(/^Up (Less than a|\d+) seconds?/);
    world.clock.skip(180_000);
    expect(await status()).toBe("Up 3 minutes");
  });

  it("uses node names for all when asked to", async () => {
    await world.restartManager({ nodeNames: true });
    // Across nodes the engines tell creation to the second only.
    expect((await world.names()).sort()).toEqual([
      "node-1/db",
      "node-1/net",
      "node-2/new",
      "node-2/web",
      "node-3/idle",
      "node-3/job",
    ]);
    expect((await world.inspect("web")).Name).toBe("/node-2/web");
    expect((await world.inspect("node-2/web")).Id).toBe(ids.get("web"));
    expect(await world.names({ name: ["^/web$"] })).toEqual(["node-2/web"]);
  });
});

describe("prune", () => {
  it("removes what is stopped on every node, told by cluster IDs, and frees what it held", async () => {
    const world = await World.open({ strategy: "spread", mintIds: true, nodes: [{ memory: GB }, { memory: GB }] });
    const stopped: string[] = [];
    for (let i = 0; i < 4; i++) {
      const { id } = await world.run(`c${i}`, { HostConfig: { Memory: 100 * MB } });
      if (i < 3) {
        await world.stop(id);
        stopped.push(id);
      }
    }
    const made = await world.create("made", { Labels: { keep: "1" }, HostConfig: { Memory: 900 * MB } });
    expect(await pruneContainers(world.cluster, JSON.stringify({ label: ["keep=2"] }))).toEqual({
      ContainersDeleted: null,
      SpaceReclaimed: 0,
    });
    const { ContainersDeleted } = await pruneContainers(world.cluster, null);
    expect(ContainersDeleted?.sort()).toEqual([...stopped, made.record.id].sort());
    expect(await world.names()).toEqual(["c3"]);
    await world.create("made", { HostConfig: { Memory: 900 * MB } });
    await world.until("the cache agrees", () => agrees(world));
    await world.close();
  });

  it("names the node that fails, and the others' are gone", async () => {
    const world = await World.open({ strategy: "spread", nodes: 2 });
    await world.create("one");
    await world.create("two");
    world.engine("node-2").faults.failNext("DELETE /containers/{name}", 500, "busy");
    expect(await refusal(pruneContainers(world.cluster, null))).toEqual({ status: 500, message: "node-2: busy" });
    expect(await world.names()).toEqual(["two"]);
    await world.close();
  });
});
