/** What is asked of a cluster besides its containers and images: swarm mode, disk usage, registries, checkpoints. */
import { afterEach, describe, expect, it } from "vitest";
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
const json = async <T>(path: string): Promise<T> => JSON.parse((await get(path)).text) as T;

describe("swarm mode", () => {
  it("is answered as by an engine that is in no swarm (F8)", async () => {
    await open({ nodes: 1 });
    const words =
      'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.';
    const paths = [
      "/swarm",
      "/nodes",
      "/services",
      "/services/x",
      "/tasks",
      "/secrets",
      "/configs",
      "/services/x/logs",
    ];
    for (const path of paths) expect(await get(path)).toMatchObject({ status: 503, message: words });
    for (const path of ["/services/create", "/secrets/create", "/configs/create", "/swarm/update?version=1"]) {
      expect(await api.call("POST", path, {})).toMatchObject({ status: 503, message: words });
    }
    expect(await api.call("POST", "/swarm/leave")).toMatchObject({
      status: 503,
      message: "This node is not part of a swarm",
    });
  });

  it("is not made by init and join", async () => {
    await open({ nodes: 1 });
    for (const what of ["init", "join"]) {
      const { status, message } = await api.call("POST", `/swarm/${what}`, {});
      expect({ status, message }).toEqual({
        status: 501,
        message: `docker swarm ${what} is not supported on a shoal cluster yet`,
      });
    }
  });
});

interface Usage {
  readonly LayersSize: number;
  readonly Images: { Id: string; Size: number }[] | null;
  readonly Containers: { Names: string[]; SizeRootFs: number }[] | null;
  readonly Volumes: { Name: string }[] | null;
  readonly BuildCache: { ID: string }[] | null;
  readonly BuilderSize?: number;
}

describe("system df", () => {
  it.each([false, true])("is the sum over all nodes (minted IDs: %s)", async (mintIds) => {
    await open({ mintIds });
    await world.run("one");
    for (const [engine, name] of [
      ["node-1", "data"],
      ["node-1", "own"],
      ["node-2", "data"],
    ] as const) {
      world.engine(engine).daemon.volumes.create(name, {});
    }
    const usage = await json<Usage>("/system/df");
    const size = world.engine("node-1").daemon.images.get("busybox").size;
    expect(usage.LayersSize).toBe(3 * size);
    expect(usage.Images?.map(({ Size }) => Size)).toEqual([size, size, size]);
    expect(usage.Containers).toMatchObject([{ Id: world.record("one").id, Names: ["/one"] }]);
    expect(usage.Containers?.[0]?.SizeRootFs).toBeGreaterThan(0);
    expect(usage.Volumes?.map(({ Name }) => Name)).toEqual(["node-1/data", "own", "node-2/data"]);
    expect(usage.BuildCache?.map(({ ID }) => ID)).toEqual(["cache-node-1", "cache-node-2", "cache-node-3"]);
    expect(usage.BuilderSize).toBeUndefined();
  });

  it("measures only what is asked for, and everything for clients from before there was a choice", async () => {
    await open({ nodes: 2 });
    const only = await json<Usage>("/v1.51/system/df?type=volume&type=build-cache");
    expect(only).toMatchObject({ LayersSize: 0, Images: null, Containers: null, Volumes: [] });
    expect(only.BuildCache).toHaveLength(2);
    const old = await json<Usage>("/v1.41/system/df?type=volume");
    expect(old).toMatchObject({ BuilderSize: 200, Containers: [] });
    expect(old.Images).toHaveLength(2);
    expect(await get("/system/df?type=nope")).toMatchObject({ status: 400, message: "unknown object type: nope" });
  });

  it("says which node could not measure", async () => {
    await open({ nodes: 2 });
    world.engine("node-2").faults.failNext("GET /system/df", 500, "no");
    expect(await get("/system/df")).toMatchObject({ status: 500, message: "node-2: no" });
  });
});

describe("a registry", () => {
  it("is asked by a node, with the client's credentials", async () => {
    await open({ nodes: [{ pullable: ["redis:7"] }, { pullable: ["redis:7"] }] });
    const found = await api.call("GET", "/images/search?term=redis", undefined, { "X-Registry-Auth": "e30=" });
    expect(found.text).toMatch(/"name":"redis","description":"found by node-\d for e30="/);
    expect(await get("/images/search?term=redis&limit=200")).toMatchObject({
      status: 400,
      message: "Limit 200 is outside the range of [1, 100]",
    });
    expect(await json("/distribution/redis:7/json")).toMatchObject({ Platforms: [{ os: "linux" }] });
    expect(await get("/distribution/nosuch/json")).toMatchObject({ status: 404, message: /manifest unknown/ });
    expect(await get("/distribution/Nosuch/json")).toMatchObject({ status: 400 });
  });
});

describe("checkpoints", () => {
  it.each([false, true])("are the container's node's (minted IDs: %s)", async (mintIds) => {
    await open({ mintIds });
    const { id } = await world.run("one", { Env: ["constraint:node==node-2"] });
    expect((await api.call("POST", "/containers/one/checkpoints", { CheckpointID: "cp", Exit: true })).status).toBe(
      201,
    );
    expect(await json(`/containers/${id}/checkpoints`)).toEqual([{ Name: "cp" }]);
    expect((await world.list())[0]?.State).toBe("exited");
    expect((await api.call("DELETE", "/containers/one/checkpoints/cp")).status).toBe(204);
    expect(await api.call("DELETE", "/containers/one/checkpoints/cp")).toMatchObject({ status: 500 });
    expect(await json("/containers/one/checkpoints")).toBeNull();
    expect(await get("/containers/nosuch/checkpoints")).toMatchObject({
      status: 404,
      message: "No such container: nosuch",
    });
  });

  it("of what was not made through shoal are only read", async () => {
    await open();
    const [id = ""] = world.engine("node-1").preload(1);
    world.cluster.refresher.markAll(world.node("node-1"));
    await world.cluster.refresher.settledOn(world.node("node-1"));
    const [name] = await world.names();
    expect((await get(`/containers/${id}/checkpoints`)).status).toBe(200);
    expect((await api.call("POST", `/containers/${name}/checkpoints`, { CheckpointID: "cp" })).status).toBe(409);
    expect((await api.call("POST", `/containers/node-1/${name}/checkpoints`, { CheckpointID: "cp" })).status).toBe(201);
  });
});
