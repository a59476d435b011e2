/** Images over several nodes: where a missing one is pulled to, one row an image, changes on every node that has it. */
import { afterEach, describe, expect, it } from "vitest";
import { inspectImage, removeImage, tagImage } from "../../src/cluster/images.ts";
import { listImages } from "../../src/cluster/list-images.ts";
import { refusal, World, type WorldOptions } from "./world.ts";

let world: World;
const open = async (options?: WorldOptions): Promise<World> => {
  world = await World.open(options);
  return world;
};
afterEach(() => world.close());

interface ImageRow {
  readonly Id: string;
  readonly RepoTags: readonly string[];
  readonly RepoDigests: readonly string[];
}

async function images(filters?: Record<string, readonly string[]>): Promise<ImageRow[]> {
  await world.cluster.refresher.settled();
  return JSON.parse(listImages(world.cluster, filters ? JSON.stringify(filters) : null)) as ImageRow[];
}
const tags = async (filters?: Record<string, readonly string[]>): Promise<string[]> =>
  (await images(filters)).flatMap(({ RepoTags }) => RepoTags).sort();
const holders = (image: string): string[] =>
  world.engines.filter((engine) => engine.daemon.images.find(image)).map(({ name }) => name);

describe("an image that is missing", () => {
  it("is a 404, the client's pull goes to the node, and its second create finds it there", async () => {
    await open({ strategy: "spread" });
    await world.run("aa");
    const missing = await refusal(world.create("cache", { Image: "redis:7" }));
    expect(missing).toEqual({ status: 404, message: "No such image: redis:7" });
    expect(await world.names()).toEqual(["aa"]);
    await world.run("bb", { Env: ["constraint:node==node-2"] });
    expect(await world.pull("redis:7")).toEqual(["node-2"]);
    expect(holders("redis:7")).toEqual(["node-2"]);
    const { record } = await world.create("cache", { Image: "redis:7" });
    expect(record.node.name).toBe("node-2");
  });

  it("is remembered for each client, and for a minute", async () => {
    await open({ strategy: "spread" });
    await refusal(world.create("one", { Image: "redis:7" }, { client: "a" }));
    await world.run("busy", { Env: ["constraint:node==node-1"] });
    await refusal(world.create("two", { Image: "redis:7" }, { client: "b" }));
    expect(await world.pull("docker.io/library/redis:7", "a")).toEqual(["node-1"]);
    expect(await world.pull("redis:7", "b")).toEqual(["node-2"]);
    world.clock.skip(61_000);
    const { record } = await world.create("three", { Image: "redis:7" }, { client: "a" });
    expect(record.node.name).not.toBe("node-1");
  });

  it("serves every one of several clients' creates that missed it", async () => {
    await open({ strategy: "spread" });
    await Promise.all([1, 2].map((i) => refusal(world.create(`c${i}`, { Image: "redis:7" }))));
    await world.pull("redis:7");
    const made = await Promise.all([1, 2].map((i) => world.run(`c${i}`, { Image: "redis:7" })));
    expect(new Set(made.map(({ node }) => node.name)).size).toBe(1);
  });

  it("that was pulled for several containers serves them all", async () => {
    await open({ strategy: "spread" });
    expect(await world.pull("redis:7")).toHaveLength(1);
    for (let i = 0; i < 3; i++) await world.run(`c${i}`, { Image: "redis:7" });
    expect(new Set([0, 1, 2].map((i) => world.record(`c${i}`).node.name)).size).toBe(1);
  });

  it("is pulled everywhere with --pull-to all", async () => {
    await open({ pullTo: "all" });
    expect((await world.pull("redis:7")).sort()).toEqual(["node-1", "node-2", "node-3"]);
    expect(holders("redis:7")).toHaveLength(3);
  });

  it("is never a reason to pull when there is no room", async () => {
    await open();
    const { status } = await refusal(world.create("big", { Image: "redis:7", HostConfig: { Memory: 1e13 } }));
    expect(status).toBe(409);
  });
});

describe("an image that no registry knows", () => {
  const commit = async (): Promise<void> => {
    const record = await world.run("base", { Env: ["constraint:node==node-2"] });
    await record.node.engine.text("POST", `/commit?container=${record.engineId}&repo=mine&tag=1`);
    world.cluster.refresher.markList(record.node, "images");
    await world.cluster.refresher.settledOn(record.node);
    await world.remove("base");
  };

  it("draws its containers to the node that has it", async () => {
    await open();
    await commit();
    const { record } = await world.create("one", { Image: "mine:1" });
    expect(record.node.name).toBe("node-2");
  });

  it("is refused for want of room, not of the image, where that node is full", async () => {
    await open({ nodes: [{ memory: 4e9 }, { memory: 1e9 }] });
    await commit();
    const { status, message } = await refusal(world.create("big", { Image: "mine:1", HostConfig: { Memory: 2e9 } }));
    expect(status).toBe(409);
    expect(message).toMatch(/^no resources available to schedule container\n/);
  });

  it("draws them over more nodes than a decision keeps", async () => {
    await open({ nodes: 20 });
    await commit();
    const { record } = await world.create("one", { Image: "mine:1" });
    expect(record.node.name).toBe("node-2");
  });
});

describe("the list of images", () => {
  it("has one row an image, with the names of all nodes", async () => {
    await open();
    await world.pull("redis:7");
    world.engine("node-3").daemon.images.add("redis:7");
    world.engine("node-3").daemon.images.tag("redis:7", "mine:2");
    await world.until("the tag is seen", async () => (await tags()).includes("mine:2"));
    expect(await tags()).toEqual(["busybox:latest", "mine:2", "redis:7"]);
    expect(await tags({ reference: ["redis"] })).toEqual(["redis:7"]);
    expect(await tags({ node: ["node-2"] })).toEqual(["busybox:latest"]);
    expect(await images({ dangling: ["true"] })).toEqual([]);
  });

  it("makes one row of two image stores' IDs of one image", async () => {
    await open({ nodes: [{ images: ["redis:7"] }, { images: ["redis:7"], imageSalt: "other" }] });
    expect(await images()).toHaveLength(1);
    expect(world.info().whole.Images).toBe(1);
  });
});

describe("changes of images", () => {
  it("are made on every node that has it, and seen at once", async () => {
    await open();
    for (const name of ["node-1", "node-3"]) world.engine(name).daemon.images.add("redis:7");
    for (const node of world.cluster.reachable()) world.cluster.refresher.markList(node, "images");
    await world.cluster.refresher.settledOn(world.node("node-1"));
    await world.cluster.refresher.settledOn(world.node("node-3"));
    await tagImage(world.cluster, "redis:7", "?repo=cache&tag=1", undefined);
    expect(await tags({ reference: ["cache"] })).toEqual(["cache:1"]);
    expect(holders("cache:1")).toEqual(["node-1", "node-3"]);
    expect(JSON.parse(await inspectImage(world.cluster, "cache:1", "json", "", undefined)).RepoTags).toContain(
      "redis:7",
    );
    const lines = JSON.parse(await removeImage(world.cluster, "cache:1", "", undefined));
    expect(lines).toEqual([{ Untagged: "cache:1" }]);
    expect(holders("cache:1")).toEqual([]);
    expect(await refusal(removeImage(world.cluster, "cache:1", "", undefined))).toEqual({
      status: 404,
      message: "No such image: cache:1",
    });
  });

  it("that fail on some nodes only name those", async () => {
    await open({ foreign: "manage" });
    await world.run("user", { Env: ["constraint:node==node-2"] });
    const { status, message } = await refusal(removeImage(world.cluster, "busybox", "", undefined));
    expect(status).toBe(409);
    expect(message).toMatch(/^node-2: conflict: unable to remove repository reference "busybox"/);
    expect(holders("busybox")).toEqual(["node-2"]);
    expect(await tags()).toEqual(["busybox:latest"]);
  });

  it("that fail alike everywhere read as on one engine", async () => {
    await open({ nodes: 1 });
    await world.run("user");
    const { message } = await refusal(removeImage(world.cluster, "busybox", "", undefined));
    expect(message).toMatch(/^conflict: unable to remove repository reference "busybox"/);
  });
});
