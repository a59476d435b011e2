/** Plugins over several nodes: each is its node's own, and its name says whose. */
import { afterEach, describe, expect, it } from "vitest";
import { type ApiAnswer, ApiClient } from "./api-client.ts";
import { World } from "./world.ts";

let world: World;
let api: ApiClient;
const open = async (nodes: number): Promise<void> => {
  world = await World.open({ nodes });
  api = await ApiClient.open(world);
};
afterEach(async () => {
  await api.close();
  await world.close();
});
const call = (method: string, path: string, body?: unknown): Promise<ApiAnswer> => api.call(method, path, body);
const names = async (): Promise<string[]> =>
  (JSON.parse((await call("GET", "/plugins")).text) as { Name: string }[]).map(({ Name }) => Name);

describe("plugins of several nodes", () => {
  it("are installed, shown, changed and removed under node/name", async () => {
    await open(3);
    // As the CLI asks for `plugin install node-2/vieux/sshfs`.
    const remote = encodeURIComponent("docker.io/node-2/vieux/sshfs:latest");
    expect((await call("GET", `/plugins/privileges?remote=${remote}`)).status).toBe(200);
    const pulled = await call("POST", `/plugins/pull?remote=${remote}&name=node-2/vieux/sshfs:latest`, []);
    expect(pulled.status).toBe(200);
    expect((await call("POST", "/plugins/node-2/vieux/sshfs/enable?timeout=0")).status).toBe(200);
    expect((await call("POST", "/plugins/create?name=node-1/own", Buffer.from("tar"))).status).toBe(204);
    expect(await names()).toEqual(["node-1/own:latest", "node-2/vieux/sshfs:latest"]);
    expect(JSON.parse((await call("GET", "/plugins/node-2/vieux/sshfs/json")).text)).toMatchObject({
      Name: "node-2/vieux/sshfs:latest",
      PluginReference: "vieux/sshfs:latest",
      Enabled: true,
    });
    expect((await call("POST", "/plugins/node-2/vieux/sshfs/set", ["a=b"])).status).toBe(204);
    expect((await call("POST", `/plugins/node-2/vieux/sshfs/upgrade?remote=${remote}`, [])).status).toBe(200);
    expect((await call("POST", "/plugins/node-2/vieux/sshfs/push")).text).toContain("pushed vieux/sshfs");
    expect((await call("DELETE", "/plugins/node-2/vieux/sshfs")).status).toBe(200);
    expect(await names()).toEqual(["node-1/own:latest"]);
  });

  it("are refused without a node, with the remedy", async () => {
    await open(2);
    const words = "plugin x: every node has plugins of its own: name the node as in NODE/x (node-1, node-2)";
    // As on one engine: `docker inspect` asks here last for whatever it does not find.
    const nowhere = await call("GET", "/plugins/x/json");
    expect(nowhere).toMatchObject({ status: 404, message: expect.stringContaining("not found") });
    expect((await call("POST", "/plugins/pull?remote=x&name=node-2/x", [])).status).toBe(200);
    for (const [method, path] of [
      ["GET", "/plugins/x/json"],
      ["DELETE", "/plugins/x"],
      ["POST", "/plugins/x/enable"],
      ["POST", "/plugins/pull?remote=x&name=x"],
      ["GET", "/plugins/privileges?remote=x"],
    ] as const) {
      expect(await call(method, path)).toMatchObject({ status: 400, message: words });
    }
  });

  it("take the alias's node, or else the repository's", async () => {
    await open(2);
    expect((await call("POST", "/plugins/pull?remote=vieux/sshfs&name=node-2/fs", [])).status).toBe(200);
    expect((await call("POST", "/plugins/pull?remote=node-1/vieux/sshfs&name=fs", [])).status).toBe(200);
    expect(await names()).toEqual(["node-1/fs:latest", "node-2/fs:latest"]);
  });

  it("of a node that does not answer are 503", async () => {
    await open(2);
    world.engine("node-2").faults.dead();
    await world.until("it is noticed", () => !world.node("node-2").reachable);
    expect((await call("GET", "/plugins/node-2/x/json")).status).toBe(503);
  });
});

describe("plugins of one node", () => {
  it("need no node, and are named as on one engine", async () => {
    await open(1);
    expect(
      (await call("POST", "/plugins/pull?remote=docker.io/vieux/sshfs:latest&name=vieux/sshfs:latest", [])).status,
    ).toBe(200);
    expect(await names()).toEqual(["vieux/sshfs:latest"]);
    expect(await call("GET", "/plugins/nosuch/json")).toMatchObject({
      status: 404,
      message: 'plugin "nosuch" not found',
    });
  });
});
