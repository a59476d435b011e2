/** Engines of several versions in one cluster: what each may be asked for, and what clients are told all the while. */
import { afterEach, describe, expect, it } from "vitest";
import { ENGINE_20_10, ENGINE_29 } from "../engine/engine.ts";
import { openApi } from "./api-face.ts";
import { type Body, refusal, World } from "./world.ts";

let world: World;
afterEach(() => world.close());

/** node-1, node-2, node-3: 1.41, 1.45, and 1.52 with 1.44 as its minimum. */
const MIXED = [ENGINE_20_10, { serverVersion: "26.1.5", apiVersion: "1.45" }, ENGINE_29];
const endpoint = (settings: Body): Body => ({ NetworkingConfig: { EndpointsConfig: { bridge: settings } } });
const image: Body = { HostConfig: { Mounts: [{ Type: "image", Source: "busybox", Target: "/i" }] } };

describe("a field that only newer engines know", () => {
  it.each<[string, Body, readonly string[]]>([
    ["annotations", { HostConfig: { Annotations: { a: "b" } } }, ["node-2", "node-3"]],
    ["an endpoint's MAC address", endpoint({ MacAddress: "02:42:ac:11:00:02" }), ["node-2", "node-3"]],
    ["a healthcheck's start interval", { Healthcheck: { StartInterval: 5e9 } }, ["node-2", "node-3"]],
    ["an image as a mount", image, ["node-3"]],
    ["nothing of the kind", {}, ["node-1", "node-2", "node-3"]],
  ])("goes to an engine that does: %s", async (_, body, nodes) => {
    world = await World.open({ nodes: MIXED, strategy: "spread" });
    const on = new Set<string>();
    for (const name of ["c1", "c2", "c3", "c4", "c5", "c6"]) on.add((await world.create(name, body)).record.node.name);
    expect([...on].sort()).toEqual(nodes);
  });

  it("is refused where no engine does, in words that name every version and what helps", async () => {
    world = await World.open({ nodes: [ENGINE_20_10, ENGINE_20_10, { apiVersion: "1.45" }] });
    const { status, message } = await refusal(world.create("web", image));
    expect(status).toBe(409);
    expect(message.split("\n").at(-1)).toBe(
      "apiversion: 3 of 3 nodes; HostConfig.Mounts[].Type=image needs 1.48; node-1, node-2 speak API 1.41, node-3 speaks API 1.45, " +
        "and such an engine would ignore it: upgrade one to API 1.48, or leave it out",
    );
    expect(await world.names()).toEqual([]);
  });

  it("asks nothing of the engine where the client speaks an older version, as an engine drops it then", async () => {
    world = await World.open({ nodes: [ENGINE_20_10] });
    const body = endpoint({ MacAddress: "02:42:ac:11:00:02" });
    expect((await refusal(world.create("copied", body))).status).toBe(409);
    expect((await world.create("copied", body, { version: "1.25" })).record.node.name).toBe("node-1");
  });
});

describe("the version that clients are told", () => {
  it("is the same whichever engines are up, and so is what /version says beside the components", async () => {
    world = await World.open({ nodes: MIXED });
    const api = await openApi(world);
    const told = async () => {
      const { ApiVersion, MinAPIVersion, Version } = JSON.parse((await api.call("GET", "/version").over).text);
      const ping = await api.call("HEAD", "/_ping").over;
      return { ApiVersion, MinAPIVersion, Version, ping: ping.headers["api-version"] };
    };
    try {
      const before = await told();
      expect(before).toMatchObject({ ApiVersion: "1.51", MinAPIVersion: "1.24", ping: "1.51" });
      for (const down of ["node-3", "node-2", "node-1"]) {
        world.engine(down).faults.dead();
        await world.until(`${down} lost`, () => !world.node(down).reachable);
        expect(await told()).toEqual(before);
      }
      world.engine("node-1").faults.dead(false);
      await world.until("node-1 back", () => world.node("node-1").reachable);
      expect(await told()).toEqual(before);
    } finally {
      await api.close();
    }
  });
});
