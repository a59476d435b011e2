/** Images on their way into and out of a cluster: load, import, save, push, and whose they are afterwards. */
import { PassThrough, Readable } from "node:stream";
import { afterEach, describe, expect, it } from "vitest";
import { tee } from "../../src/api/listener/tee.ts";
import { type ApiAnswer, ApiClient } from "./api-client.ts";
import { World, type WorldOptions } from "./world.ts";

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
const post = (path: string, body?: unknown, headers?: Record<string, string>): Promise<ApiAnswer> =>
  api.call("POST", path, body, headers);
const rmi = (ref: string): Promise<ApiAnswer> => api.call("DELETE", `/images/${ref}`);
const holders = (image: string): string[] =>
  world.engines.filter((engine) => engine.daemon.images.find(image)).map(({ name }) => name);
const AUTH = { "X-Registry-Auth": "e30=" };

/** As `docker save` writes it, of images that no engine has. */
const archive = (...tags: readonly string[]): Buffer =>
  Buffer.from(
    JSON.stringify(
      tags.map((tag, i) => ({ id: `sha256:${String(i).repeat(64)}`, created: 1e12, tags: [tag], config: {} })),
    ),
  );
/** Images on some nodes, made past shoal. */
async function openWith(
  images: Readonly<Record<string, readonly string[]>>,
  options: WorldOptions = {},
): Promise<void> {
  world = World.prepare(options);
  for (const [node, names] of Object.entries(images)) {
    for (const name of names) world.engine(node).daemon.images.add(name);
  }
  world.join();
  await world.healthy();
  api = await ApiClient.open(world);
}

describe("load", () => {
  it("goes to one node, is seen at once, and is ours", async () => {
    await open();
    const answer = await post("/images/load", archive("app:1", "app:2"));
    expect(answer.text).toBe('{"stream":"Loaded image: app:1\\n"}\r\n{"stream":"Loaded image: app:2\\n"}\r\n');
    const [node] = holders("app:1");
    expect(holders("app:1")).toHaveLength(1);
    const { text } = await get("/images/json");
    for (const tag of ["app:1", "app:2"]) expect(text).toContain(`"RepoTags":["${tag}"]`);
    expect((await world.run("one", { Image: "app:1" })).node.name).toBe(node);
    expect((await rmi("app:2")).status).toBe(200);
  });

  it("goes to all nodes with --pull-to all, and says once what all say", async () => {
    await open({ pullTo: "all" });
    const big = Buffer.concat([archive("app:1"), Buffer.alloc(4 << 20, " ")]);
    const { text } = await post("/images/load", big);
    expect(text).toBe('{"stream":"Loaded image: app:1\\n"}\r\n');
    expect(holders("app:1")).toEqual(["node-1", "node-2", "node-3"]);
  });

  it("that one node refuses is loaded on the others, and says so at the end", async () => {
    await open({ pullTo: "all" });
    world.engine("node-2").faults.failNext("POST /images/load", 500, "no space left on device");
    const { status, text } = await post("/images/load", Buffer.concat([archive("app:1"), Buffer.alloc(4 << 20, " ")]));
    expect(status).toBe(200);
    expect(text).toMatch(/Loaded image: app:1.*\r\n.*"error":"node-2: no space left on device"/);
    expect(holders("app:1")).toEqual(["node-1", "node-3"]);
  });

  it("that every node refuses is refused", async () => {
    await open({ pullTo: "all" });
    for (const { faults } of world.engines) faults.failNext("POST /images/load", 500, "no");
    expect(await post("/images/load", archive("app:1"))).toMatchObject({ status: 500, message: "no" });
  });

  it("of what is no archive fails as on one engine", async () => {
    await open();
    const { status, text } = await post("/images/load", Buffer.from("garbage"));
    expect(status).toBe(200);
    expect(text).toContain('"error":"Error processing tar file(exit status 1): unexpected EOF"');
  });

  it("gives its tags back where the image was there already", async () => {
    await openWith({ "node-1": ["busybox", "theirs:1"] }, { nodes: 1, foreign: "protect" });
    const { id } = world.engine("node-1").daemon.images.get("theirs:1");
    const same = Buffer.from(JSON.stringify([{ id, created: 1e12, tags: ["mine:1"], config: {} }]));
    expect((await post("/images/load", same)).status).toBe(200);
    expect((await rmi("mine:1")).status).toBe(200);
    expect((await rmi("theirs:1")).status).toBe(409);
  });
});

describe("import", () => {
  it("goes to one node with all its parameters, and is ours (F23)", async () => {
    await open({ pullTo: "all" });
    const { text } = await post("/images/create?fromSrc=-&repo=imp&tag=1&message=hello", Buffer.from("tar"));
    expect(text).toMatch(/^{"status":"sha256:[0-9a-f]{64}"}\r\n$/);
    const [name = ""] = holders("imp:1");
    expect(holders("imp:1")).toHaveLength(1);
    expect(world.engine(name).daemon.images.get("imp:1").config).toMatchObject({ Comment: "hello" });
    expect((await rmi("imp:1")).status).toBe(200);
  });

  it("takes no tag away from a foreign image, and is refused as by an engine", async () => {
    await openWith({ "node-1": ["theirs:1"] }, { nodes: 1, foreign: "protect" });
    expect((await post("/images/create?fromSrc=-&repo=theirs&tag=1", Buffer.from("tar"))).status).toBe(409);
    expect(await post("/images/create?fromSrc=-&repo=Imp", Buffer.from("tar"))).toMatchObject({
      status: 400,
      message: "invalid reference format: repository name must be lowercase",
    });
  });
});

describe("save", () => {
  it("comes from a node that has all, whatever form the names have", async () => {
    await openWith({ "node-1": ["a:1"], "node-2": ["a:1", "b:2"], "node-3": ["b:2"] });
    const { status, text } = await get("/images/get?names=docker.io/library/a:1&names=b:2");
    expect(status).toBe(200);
    expect(JSON.parse(text)).toMatchObject([{ tags: ["a:1"] }, { tags: ["b:2"] }]);
    const { id } = world.engine("node-3").daemon.images.get("b:2");
    expect(JSON.parse((await get(`/images/${id}/get`)).text)).toMatchObject([{ id }]);
  });

  it("says where they are when no node has all", async () => {
    await openWith({ "node-1": ["a:1"], "node-2": ["b:2"] });
    expect(await get("/images/get?names=a:1&names=b:2")).toMatchObject({
      status: 409,
      message:
        "no node has all of these images: a:1 on node-1; b:2 on node-2. To save them together, pull them to one node first",
    });
  });

  it("of a name without a tag has all its tags, or says where they are", async () => {
    await openWith({ "node-1": ["a:1"], "node-2": ["a:1"] });
    expect((await get("/images/a/get")).status).toBe(200);
    world.engine("node-3").daemon.images.add("a:2");
    world.cluster.refresher.markList(world.node("node-3"), "images");
    await world.cluster.refresher.settledOn(world.node("node-3"));
    expect((await get("/images/a/get")).message).toMatch(/a:1 on node-1, node-2; a:2 on node-3/);
  });

  it("of what nobody has is refused in an engine's words", async () => {
    await open();
    expect(await get("/images/nosuch:1/get")).toMatchObject({ status: 404, message: "No such image: nosuch:1" });
  });
});

describe("push", () => {
  it("finds the image by any form of its name (F3)", async () => {
    await openWith({ "node-2": ["me/img:2", "quay.io/x/y:1"] });
    for (const path of [
      "docker.io/me/img/push?tag=2",
      "me/img/push?tag=2",
      "me/img:2/push",
      "quay.io/x/y/push?tag=1",
    ]) {
      const { status, text } = await post(`/images/${path}`, undefined, AUTH);
      expect(status).toBe(200);
      expect(text).toMatch(/digest: sha256:/);
    }
    const { text } = await get("/images/json");
    expect(text).toContain('"RepoDigests":["me/img@sha256:');
  });

  it("leaves a tag of ours on a foreign image removable, with the digest that it brought", async () => {
    await openWith({ "node-1": ["theirs:1"] }, { nodes: 1, foreign: "protect" });
    await post("/images/theirs:1/tag?repo=mine&tag=1");
    expect((await post("/images/mine/push?tag=1", undefined, AUTH)).status).toBe(200);
    expect((await get("/images/json")).text).toContain('"mine@sha256:');
    expect((await rmi("mine:1")).status).toBe(200);
    expect((await rmi("theirs:1")).status).toBe(409);
  });

  it("without a tag pushes all, from a node that has them", async () => {
    await openWith({ "node-1": ["a:1"], "node-2": ["a:1", "a:2"] });
    const { text } = await post("/images/a/push", undefined, AUTH);
    expect(text).toMatch(/a:1: digest[\s\S]*a:2: digest/);
  });

  it("of what nobody has, or without credentials, fails as on one engine", async () => {
    await open();
    const { status, text } = await post("/images/nosuch/push?tag=1", undefined, AUTH);
    expect(status).toBe(200);
    expect(text).toContain('"error":"An image does not exist locally with the tag: nosuch"');
    expect((await post("/images/busybox/push?tag=latest")).status).toBe(400);
  });
});

describe("one body for several nodes", () => {
  it("comes whole to each, as fast as the slowest reads", async () => {
    await open({ nodes: 1 });
    const source = Readable.from(Array.from({ length: 64 }, () => Buffer.alloc(64 << 10)));
    const [fast = source, slow = source] = tee(source, 2);
    let read = 0;
    fast.on("data", (chunk: Buffer) => {
      read += chunk.length;
    });
    await world.until("the slow one holds the other back", () => read > 0);
    expect(read).toBeLessThan(1 << 20);
    let rest = 0;
    for await (const chunk of slow) rest += (chunk as Buffer).length;
    expect(rest).toBe(4 << 20);
    await world.until("all is read", () => read === 4 << 20);
  });

  it("goes on for the others when one gives up, and ends when all did", async () => {
    await open({ nodes: 1 });
    const source = new PassThrough();
    const [gone = source, stays = source] = tee(source, 2);
    gone.destroy();
    source.write("hello");
    await world.until("it comes", () => stays.readableLength > 0);
    stays.destroy();
    source.write("more");
    await world.until("nobody reads it", () => source.destroyed);
  });
});
