/** A tag means one image in the cluster: the one last pulled, loaded, made or tagged through shoal. */
import { afterEach, describe, expect, it } from "vitest";
import { type ApiAnswer, ApiClient } from "./api-client.ts";
import { refusal, World, type WorldOptions } from "./world.ts";

let world: World;
let api: ApiClient;
const open = async (options?: WorldOptions): Promise<void> => {
  world = await World.open(options);
  api = await ApiClient.open(world);
};
afterEach(async () => {
  await api.close();
  await world.close();
});

const get = (path: string): Promise<ApiAnswer> => api.call("GET", path);
const post = (path: string, body?: unknown): Promise<ApiAnswer> => api.call("POST", path, body);
const on = (node: string) => ({ Image: "app:1", Env: [`constraint:node==${node}`] });
const idOf = (letter: string): string => `sha256:${letter.repeat(64)}`;
const archive = (id: string): Buffer =>
  Buffer.from(JSON.stringify([{ id, created: 1e12, tags: ["app:1"], config: {} }]));

/** Somebody has `app:1` on a node, which is another image than every other. */
async function past(node: string, letter: string): Promise<void> {
  world.engine(node).daemon.images.load({ id: idOf(letter), created: 1e12, tags: ["app:1"], config: {} });
  world.cluster.refresher.markList(world.node(node), "images");
  await world.cluster.refresher.settledOn(world.node(node));
}
const load = async (letter: string): Promise<void> => {
  expect((await post("/images/load", archive(idOf(letter)))).status).toBe(200);
};
const tagged = async (): Promise<Record<string, readonly string[]>> => {
  const rows = JSON.parse((await get("/images/json")).text) as { Id: string; RepoTags: string[] }[];
  return Object.fromEntries(rows.map(({ Id, RepoTags }) => [Id, RepoTags]));
};
const known = (): boolean => world.cluster.tags.has("app:1");

describe("a tag", () => {
  it("is the image that came last through shoal; another node's other one counts as absent", async () => {
    await open();
    await past("node-2", "b");
    await load("a");
    expect(await tagged()).toMatchObject({ [idOf("a")]: ["app:1"], [idOf("b")]: [] });
    expect(JSON.parse((await get("/shoal/images?conflicts=1")).text)).toEqual([
      { Tag: "app:1", Node: "node-1", ID: idOf("a"), Meant: true },
      { Tag: "app:1", Node: "node-2", ID: idOf("b"), Meant: false },
    ]);
    expect(JSON.parse((await get("/shoal/images")).text)).toContainEqual(
      expect.objectContaining({ Tags: ["busybox:latest"], Nodes: ["node-1", "node-2", "node-3"] }),
    );
    expect(JSON.parse((await get("/images/app:1/json")).text)).toMatchObject({ Id: idOf("a") });
    expect((await world.run("one", { Image: "app:1" })).node.name).toBe("node-1");
    // No registry knows it, so it is not pulled to another node.
    expect((await refusal(world.create("two", on("node-2")))).status).toBe(409);
    expect((await world.run("three", { Image: idOf("b") })).node.name).toBe("node-2");
  });

  it("of a registry is missing where another image bears it, so that clients pull it there", async () => {
    await open({ nodes: 2 });
    await post("/images/create?fromImage=app&tag=1");
    await past("node-2", "b");
    expect(await refusal(world.create("two", on("node-2")))).toEqual({ status: 404, message: "No such image: app:1" });
    expect(world.engine("node-2").calls.of("POST /containers/create")).toBe(0);
    expect(await world.pull("app:1")).toEqual(["node-2"]);
  });

  it("is whatever the nodes have while nothing came through shoal", async () => {
    await open();
    await past("node-1", "a");
    await past("node-2", "b");
    expect(await tagged()).toMatchObject({ [idOf("a")]: ["app:1"], [idOf("b")]: ["app:1"] });
    expect(JSON.parse((await get("/shoal/images?conflicts=1")).text)).toMatchObject([{ Meant: null }, { Meant: null }]);
    expect((await world.run("one", on("node-2"))).node.name).toBe("node-2");
  });

  it("moves when it is given to another image", async () => {
    await open();
    await past("node-1", "a");
    await past("node-2", "b");
    world.engine("node-3").daemon.images.load({ id: idOf("c"), created: 1e12, tags: ["c:1"], config: {} });
    await world.until("it is listed", () => world.cluster.images.nodesWith("c:1").length === 1);
    expect((await post("/images/c:1/tag?repo=app&tag=1")).status).toBe(201);
    expect(await tagged()).toMatchObject({ [idOf("a")]: [], [idOf("b")]: [], [idOf("c")]: ["app:1", "c:1"] });
  });

  it("is remembered by the next manager, while a node that has the image is away as well", async () => {
    await open();
    await past("node-2", "b");
    await load("a");
    await world.cluster.writer.idle();
    await world.restartManager();
    expect(world.cluster.images.nodesWith("app:1")).toEqual([world.node("node-1").id]);
    world.engine("node-1").faults.dead();
    await world.until("it is noticed", () => !world.node("node-1").reachable);
    expect((await refusal(world.create("two", on("node-2")))).status).toBe(404);
    world.engine("node-1").faults.dead(false);
    await world.healthy();
  });

  it("is remembered by the next manager, though a node that does not have the image is read first", async () => {
    await open();
    await past("node-2", "b");
    await load("a");
    await world.cluster.writer.idle();
    const releases = ["node-1", "node-2"].map((name) => world.meddle(name).hold(/^GET \/images\/json/));
    await world.crashManager();
    await world.until("the other one is read", () => world.node("node-3").reachable);
    for (const release of releases) release();
    await world.healthy();
    expect(world.cluster.images.nodesWith("app:1")).toEqual([world.node("node-1").id]);
  });

  it("that nobody has any more means nothing, and is not kept", async () => {
    await open();
    await load("a");
    expect(known()).toBe(true);
    world.engine("node-1").daemon.images.remove("app:1", false, undefined);
    await world.until("its end is noticed", () => !known());
    await past("node-2", "b");
    expect(world.cluster.images.nodesWith("app:1")).toEqual([world.node("node-2").id]);
    await load("a");
    await world.cluster.writer.idle();
    world.engine("node-1").daemon.images.remove("app:1", false, undefined);
    world.engine("node-2").daemon.images.remove("app:1", false, undefined);
    await world.restartManager();
    await world.until("the next manager forgets it too", () => !known());
    await world.cluster.writer.idle();
    expect((await world.store.list("tags/")).length).toBe(0);
  });

  it("is taken away from every image that bears it", async () => {
    await open({ foreign: "manage" });
    await past("node-2", "b");
    await load("a");
    expect((await api.call("DELETE", "/images/app:1")).status).toBe(200);
    for (const { daemon } of world.engines) expect(daemon.images.find("app:1")).toBeUndefined();
    expect(known()).toBe(false);
  });

  it("is not moved by a pull that fails", async () => {
    await open({ nodes: [{ pullable: [] }, { pullable: [] }] });
    await past("node-2", "b");
    await load("a");
    world.engine("node-1").faults.dead();
    await world.until("it is noticed", () => !world.node("node-1").reachable);
    await refusal(world.create("two", on("node-2")));
    world.engine("node-2").faults.failNext("POST /images/create", 404, "pull access denied for app");
    expect((await post("/images/create?fromImage=app&tag=1")).status).toBe(404);
    world.engine("node-1").faults.dead(false);
    await world.healthy();
    expect(world.cluster.images.nodesWith("app:1")).toEqual([world.node("node-1").id]);
  });

  it("is one image where two image stores give it two IDs", async () => {
    await open({ nodes: [{ images: ["redis:7"] }, { images: ["redis:7"], imageSalt: "other" }] });
    await post("/images/create?fromImage=redis&tag=7");
    expect(world.cluster.images.nodesWith("redis:7")).toHaveLength(2);
  });
});

describe("a pull", () => {
  it("of a missing image is a 404, not an error inside 200 (F27)", async () => {
    await open({ nodes: [{ pullable: [] }, { pullable: [] }] });
    for (const options of ["fromImage=nosuch&tag=1", "fromImage=nosuch&tag=1&platform=linux/arm64"]) {
      const { status, message } = await post(`/images/create?${options}`);
      expect(status).toBe(404);
      expect(message).toMatch(/^pull access denied for nosuch/);
    }
  });

  it("to all is a 404 when no node finds it (F27)", async () => {
    await open({ pullTo: "all", nodes: [{ pullable: [] }, { pullable: [] }] });
    expect((await post("/images/create?fromImage=nosuch&tag=1")).status).toBe(404);
  });
});

describe("--platform", () => {
  it("reaches the engine with create and pull, and the pull goes where the create missed it (F26)", async () => {
    await open({ strategy: "spread" });
    await world.run("busy", { Env: ["constraint:node==node-1"] });
    const create = () => post("/containers/create?name=one&platform=linux/arm64", { Image: "busybox" });
    expect(await create()).toMatchObject({ status: 404, message: /does not match the specified platform/ });
    await world.run("full", { Env: ["constraint:node==node-2"] });
    expect((await post("/images/create?fromImage=busybox&tag=latest&platform=linux/arm64")).status).toBe(200);
    expect(await create()).toMatchObject({ status: 201 });
    expect(world.record("one").node.name).toBe("node-2");
  });
});

describe("names", () => {
  it("filter the list to the tags that match, not to all tags of a matching image (F25)", async () => {
    await open({ nodes: 2 });
    await post("/images/busybox/tag?repo=mine&tag=1");
    const rows = JSON.parse((await get('/images/json?filters={"reference":["mine"]}')).text) as {
      RepoTags: string[];
    }[];
    expect(rows.map(({ RepoTags }) => RepoTags)).toEqual([["mine:1"]]);
  });
});
