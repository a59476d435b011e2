/** Whose images and volumes are: what requests of ours brought, what was there, and what prunes and rmi make of it. */
import { afterEach, describe, expect, it } from "vitest";
import { type ApiAnswer, ApiClient } from "./api-client.ts";
import { World, type WorldOptions } from "./world.ts";

let world: World;
let api: ApiClient;
afterEach(async () => {
  await api.close();
  await world.close();
});

/** Engines that have `theirs:1`, a volume `theirs` and an unused one without a name. */
async function open(options: WorldOptions = { nodes: 2, strategy: "spread" }): Promise<void> {
  world = World.prepare(options);
  for (const { daemon } of world.engines) {
    daemon.images.add("theirs:1");
    daemon.volumes.create("theirs", {});
    daemon.volumes.create("f".repeat(64), {});
    daemon.networks.create({ Name: "theirs" });
  }
  world.join();
  await world.healthy();
  api = await ApiClient.open(world);
}

const post = (path: string, body?: unknown): Promise<ApiAnswer> => api.call("POST", path, body);
const pull = (image: string): Promise<ApiAnswer> => post(`/images/create?fromImage=${image}&tag=latest`);
const rmi = (ref: string, query = ""): Promise<ApiAnswer> => api.call("DELETE", `/images/${ref}${query}`);
const has = (node: string, image: string): boolean => world.engine(node).daemon.images.find(image) !== undefined;
const volumes = (node: string): string[] =>
  world
    .engine(node)
    .daemon.volumes.all()
    .map(({ name }) => name)
    .sort();
const knows = (volume: string): boolean => world.cluster.volumes.get(world.node("node-1").id, volume) !== undefined;
async function pruned<T>(path: string, filters?: Record<string, readonly string[]>): Promise<T> {
  const query = filters ? `?filters=${encodeURIComponent(JSON.stringify(filters))}` : "";
  const { status, text } = await post(path + query);
  expect(status, text).toBe(200);
  return JSON.parse(text) as T;
}

describe("an image", () => {
  it("that was there is not removed, by any name that it has", async () => {
    await open();
    const { id } = world.engine("node-1").daemon.images.get("theirs:1");
    for (const ref of ["theirs:1", id, id.slice(7, 19)]) {
      for (const query of ["", "?force=1"]) {
        const answer = await rmi(ref, query);
        expect(answer.status).toBe(409);
        expect(answer.message).toContain("was not pulled or made through shoal");
        expect(answer.message).toContain("--foreign manage");
      }
    }
    await pruned("/images/prune", { dangling: ["false"] });
    expect(has("node-1", "theirs:1") && has("node-2", "theirs:1")).toBe(true);
  });

  it("that a pull of ours brought is ours there, and stays foreign where it was", async () => {
    await open({ nodes: 2, pullTo: "all" });
    world.engine("node-2").daemon.images.add("redis");
    await world.until("it is known", () => world.cluster.images.nodesWith("redis").length === 0);
    expect((await pull("redis")).status).toBe(200);
    expect(has("node-1", "redis")).toBe(true);
    expect((await rmi("redis")).status).toBe(200);
    expect(has("node-1", "redis")).toBe(false);
    expect(has("node-2", "redis")).toBe(true);
    expect((await rmi("redis")).status).toBe(409);
  });

  it("is ours again only for the pull that brings it again", async () => {
    await open({ nodes: 1, foreign: "protect" });
    await pull("redis");
    const { daemon } = world.engine("node-1");
    daemon.images.remove("redis", false, undefined);
    await world.until("its end is noticed", () => world.cluster.images.nodesWith("redis").length === 0);
    daemon.images.pull("redis");
    await world.until("it is listed", () => world.cluster.images.nodesWith("redis").length === 1);
    await pull("redis");
    expect((await rmi("redis")).status).toBe(409);
  });

  it("that was committed is ours, and its prune takes it alone", async () => {
    await open();
    await pull("redis");
    const { id, node } = await world.run("mine", { Image: "redis" });
    const made = JSON.parse((await post(`/commit?container=${id}`)).text) as { Id: string };
    const answer = await pruned<{ ImagesDeleted: { Deleted?: string }[] }>("/images/prune");
    expect(answer.ImagesDeleted).toEqual([{ Deleted: made.Id }]);
    expect(await pruned("/images/prune")).toEqual({ ImagesDeleted: null, SpaceReclaimed: 0 });
    await world.stop("mine");
    await world.remove("mine");
    const all = await pruned<{ ImagesDeleted: { Untagged?: string }[] }>("/images/prune", { dangling: ["false"] });
    expect(all.ImagesDeleted.map(({ Untagged }) => Untagged).filter(Boolean)).toContain("redis:latest");
    expect(has(node.name, "theirs:1")).toBe(true);
  });

  it("gives up the tags that we gave it, but never its last name", async () => {
    await open({ nodes: 1, foreign: "protect" });
    expect((await post("/images/theirs:1/tag?repo=mine&tag=1")).status).toBe(201);
    expect((await rmi("mine:1")).status).toBe(200);
    await post("/images/theirs:1/tag?repo=mine&tag=1");
    const { daemon } = world.engine("node-1");
    daemon.images.remove("theirs:1", false, undefined);
    await world.until(
      "it is noticed",
      () => world.cluster.images.find(world.node("node-1").id, "theirs:1") === undefined,
    );
    expect((await rmi("mine:1")).status).toBe(409);
    expect(has("node-1", "mine:1")).toBe(true);
  });

  it("does not lose its name to a tag or a commit", async () => {
    await open({ nodes: 1, foreign: "protect" });
    await pull("redis");
    const taken = await post("/images/redis/tag?repo=theirs&tag=1");
    expect(taken.status).toBe(409);
    expect(taken.message).toContain("choose another tag");
    await world.create("mine", { Image: "redis" });
    expect((await post("/commit?container=mine&repo=theirs&tag=1")).status).toBe(409);
    expect((await post("/images/theirs:1/tag?repo=theirs&tag=1")).status).toBe(201);
    expect((await post("/images/redis/tag?repo=redis&tag=mine")).status).toBe(201);
    expect((await post("/commit?container=mine&repo=redis&tag=mine")).status).toBe(201);
  });

  it("is removed and pruned with --foreign manage", async () => {
    await open({ nodes: 2, foreign: "manage" });
    await pruned("/images/prune", { dangling: ["false"] });
    expect(has("node-1", "theirs:1") || has("node-2", "theirs:1")).toBe(false);
  });
});

describe("a volume", () => {
  const body = { Volumes: { "/made-up": {} }, HostConfig: { Binds: ["named:/named", "theirs:/theirs"] } };

  it("is ours when a create made it on the way, and goes with a prune when nothing uses it", async () => {
    await open({ nodes: 1, foreign: "protect" });
    await pruned("/volumes/prune", { all: ["true"] });
    expect(volumes("node-1")).toEqual(["f".repeat(64), "theirs"]);
    expect((await post("/containers/create?name=mine", { Image: "busybox", ...body })).status).toBe(201);
    expect(volumes("node-1")).toHaveLength(4);
    expect(await pruned("/volumes/prune", { all: ["true"] })).toEqual({ VolumesDeleted: [], SpaceReclaimed: 0 });
    expect((await api.call("DELETE", "/containers/mine")).status).toBe(204);
    expect(await pruned("/volumes/prune", { "label!": ["x"] })).toMatchObject({
      VolumesDeleted: [expect.stringMatching(/^[0-9a-f]{64}$/)],
    });
    expect(volumes("node-1")).toEqual(["f".repeat(64), "named", "theirs"]);
    expect(await pruned("/v1.41/volumes/prune")).toMatchObject({ VolumesDeleted: ["named"] });
    expect(volumes("node-1")).toEqual(["f".repeat(64), "theirs"]);
  });

  it("of the same name is foreign when somebody makes it again", async () => {
    await open({ nodes: 1, foreign: "protect" });
    const { daemon } = world.engine("node-1");
    await post("/containers/create?name=mine", { Image: "busybox", HostConfig: { Binds: ["named:/named"] } });
    await api.call("DELETE", "/containers/mine");
    daemon.volumes.remove("named", []);
    await world.until("its end is noticed", () => !knows("named"));
    daemon.volumes.create("named", {});
    await world.until("it is there", () => knows("named"));
    await pruned("/volumes/prune", { all: ["true"] });
    expect(volumes("node-1")).toContain("named");
  });

  it("is pruned whoever made it with --foreign manage", async () => {
    await open({ nodes: 2, foreign: "manage" });
    const { VolumesDeleted } = await pruned<{ VolumesDeleted: string[] }>("/volumes/prune");
    expect(VolumesDeleted.sort()).toEqual([`node-1/${"f".repeat(64)}`, `node-2/${"f".repeat(64)}`]);
    await pruned("/volumes/prune", { all: ["1"] });
    expect([...volumes("node-1"), ...volumes("node-2")]).toEqual([]);
  });
});

describe("what is ours", () => {
  it("stays ours for the next manager", async () => {
    await open({ nodes: 1, foreign: "protect" });
    await pull("redis");
    await post("/images/theirs:1/tag?repo=mine&tag=1");
    await post("/containers/create?name=mine", { Image: "redis", Volumes: { "/made-up": {} } });
    await api.call("DELETE", "/containers/mine");
    await world.restartManager();
    await api.close();
    api = await ApiClient.open(world);
    expect((await rmi("mine:1")).status).toBe(200);
    expect((await rmi("theirs:1")).status).toBe(409);
    expect((await rmi("redis")).status).toBe(200);
    await pruned("/volumes/prune");
    expect(volumes("node-1")).toEqual(["f".repeat(64), "theirs"]);
  });
});

describe("foreign networks and build caches", () => {
  it("are none of ours", async () => {
    await open();
    expect(await pruned("/networks/prune")).toEqual({ NetworksDeleted: null });
    expect(await pruned("/build/prune")).toEqual({ CachesDeleted: null, SpaceReclaimed: 0 });
    expect(world.engine("node-1").daemon.networks.find("theirs")).toBeDefined();
  });

  it("are pruned by their engines with --foreign manage", async () => {
    await open({ nodes: 2, foreign: "manage" });
    expect(await pruned("/networks/prune")).toEqual({ NetworksDeleted: ["theirs", "theirs"] });
  });
});

describe("a prune", () => {
  it.each([
    ["/containers/prune", { nosuch: ["1"] }, "invalid filter 'nosuch'"],
    ["/images/prune", { dangling: ["x"] }, "invalid filter 'dangling=[x]'"],
    ["/volumes/prune", { until: ["1h"] }, "invalid filter 'until'"],
    ["/networks/prune", { until: ["1h", "2h"] }, "more than one until filter specified"],
  ])("refuses bad filters as dockerd does: %s %j", async (path, filters, message) => {
    await open();
    const answer = await post(`${path}?filters=${encodeURIComponent(JSON.stringify(filters))}`);
    expect(answer).toMatchObject({ status: 400, message });
  });
});
