/** What reaches the engine of a create request, and how many calls it takes. */
import { afterEach, describe, expect, it } from "vitest";
import { ENGINE_20_10 } from "../engine/engine.ts";
import { expectTrueLedger, expectTrueList } from "./truth.ts";
import { type Body, GB, MB, refusal, World, type WorldOptions } from "./world.ts";

let world: World;
const open = async (options?: WorldOptions): Promise<World> => {
  world = await World.open(options);
  return world;
};
afterEach(() => world.close());

describe("a create body", () => {
  it("reaches the engine byte for byte but for shoal's own label", async () => {
    await open({ nodes: 1 });
    const bodies = world.meddle("node-1").record(/create\?/);
    const own = '"Ulimits":[{"Name":"nofile","Hard":9223372036854775807,"Soft":1.0e3}]';
    const text = `{ "Image":"busybox",\n "NewField":{"a":[1, 2,{"b":null}]},"HostConfig":{${own},"Unheard":"\\u00e9\\/"},"Labels":{"a":"b"} }`;
    await world.create("web", text);
    const [sent = ""] = bodies;
    expect(sent.replace(/,"shoal\.hint":"(?:[^"\\]|\\.)*"/, "")).toBe(text);
    expect(sent).toMatch(/"shoal\.hint":/);
  });

  it.each([
    '{"Image":"busybox","HostConfig":{"Memory":6291456,"memory":1099511627776}}',
    '{"Image":"busybox","image":"other"}',
    '{"Image":"busybox","HostConfig":{},"hostconfig":{"Memory":1099511627776}}',
    '{"Image":"busybox","HostConfig":{"PortBindings":{},"portbindings":{"80/tcp":[{"HostPort":"80"}]}}}',
    '{"Image":"busybox","HostConfig":{"NetworkMode":"bridge","NETWORKMODE":"host"}}',
    '{"Image":"busybox","Env":[],"ENV":["constraint:node==node-2"]}',
    '{"Image":"busybox","Labels":{},"labels":{"shoal.hint":"x"}}',
    '{"Image":"busybox","HostConfig":{"RestartPolicy":{"Name":"no","name":"always"}}}',
    '{"Image":"busybox","HostConfig":{"Links":[],"links":["a:b"]}}',
    '{"Image":"busybox","Hostname":"","HOSTNAME":"x"}',
    '{"Image":"busybox","HostConfig":{"UTSMode":"","utsMode":"host"}}',
    '{"Image":"busybox","NetworkingConfig":{},"networkingConfig":{"EndpointsConfig":{"a":{}}}}',
    '{"Image":"busybox","HostConfig":{"NanoCpus":1,"nanocpus":4000000000}}',
  ])("is refused when it spells a field in two ways: %s", async (text) => {
    await open({ nodes: 1 });
    expect((await refusal(world.create("web", text))).status).toBe(400);
    expect(world.engine("node-1").calls.of("POST /containers/create")).toBe(0);
  });

  it("loses the expressions in its environment, which stay readable as labels", async () => {
    await open();
    const { record } = await world.create("web", {
      Env: ["A=1", "constraint:node==node-2", "affinity:image==~nothing", "B=2"],
      Labels: { mine: "1" },
    });
    expect(record.node.name).toBe("node-2");
    const { config } = world.engine("node-2").daemon.containers.get("web");
    expect((config.Env as string[]).filter((line) => !line.startsWith("PATH="))).toEqual(["A=1", "B=2"]);
    expect(config.Labels).toMatchObject({
      mine: "1",
      "com.docker.swarm.constraints": '["node==node-2"]',
      "com.docker.swarm.affinities": '["image==~nothing"]',
    });
  });

  it("asks for whole CPUs in the engine's own measure, and shows them as they were written", async () => {
    await open({ nodes: [{ cpus: 4 }] });
    await world.create("one", { HostConfig: { CpuShares: 1 } });
    await world.create("weight", { HostConfig: { CpuShares: 512 } });
    const { containers } = world.engine("node-1").daemon;
    expect(containers.get("one").hostConfig.CpuShares).toBe(256);
    expect(containers.get("weight").hostConfig.CpuShares).toBe(512);
    expect((await world.inspect("one")).HostConfig).toMatchObject({ CpuShares: 1 });
    expect(world.cluster.ledger.sums(world.node("node-1").id).nanoCpus).toBe(1e9);
    await world.create("three", { HostConfig: { CpuShares: 3 } });
    expect((await refusal(world.create("more", { HostConfig: { CpuShares: 1 } }))).status).toBe(409);
  });

  it("leaves shares alone when they are Docker's weight", async () => {
    await open({ nodes: 1, cpuShares: "docker" });
    await world.create("one", { HostConfig: { CpuShares: 2 } });
    expect(world.engine("node-1").daemon.containers.get("one").hostConfig.CpuShares).toBe(2);
    expect(world.cluster.ledger.sums(world.node("node-1").id).nanoCpus).toBe(0);
  });

  it("finds what it shares a node with, by any reference", async () => {
    await open({ strategy: "spread", mintIds: true });
    await world.run("aa");
    const db = await world.run("db");
    expect(db.node.name).toBe("node-2");
    const { record } = await world.create("web", {
      HostConfig: { VolumesFrom: [`${db.id.slice(0, 12)}:ro`], Links: ["node-2/db:store"], PidMode: "container:db" },
    });
    expect(record.node.name).toBe("node-2");
    expect(world.engine("node-2").daemon.containers.get("web").hostConfig).toMatchObject({
      VolumesFrom: [`${db.engineId}:ro`],
      Links: [`${db.engineId}:store`],
      PidMode: "container:db",
    });
    const apart = await refusal(world.create("no", { HostConfig: { Links: ["aa:x", "db:y"] } }));
    expect(apart.status).toBe(409);
  });
});

describe("several networks at create", () => {
  const BODY = {
    HostConfig: { NetworkMode: "front" },
    NetworkingConfig: { EndpointsConfig: { front: {}, back: { Aliases: ["db"] } } },
  };
  const networks = (): void => {
    for (const engine of world.engines) for (const Name of ["front", "back"]) engine.daemon.networks.create({ Name });
  };

  it("become create and connects below API 1.44", async () => {
    await open({ nodes: [ENGINE_20_10] });
    networks();
    await world.run("web", BODY);
    const { wanted } = world.engine("node-1").daemon.containers.get("web");
    expect(Object.fromEntries(wanted)).toEqual({ front: {}, back: { Aliases: ["db"] } });
    expect(world.engine("node-1").calls.of("POST /networks/{id}/connect")).toBe(1);
  });

  it("go as they are from API 1.44 on", async () => {
    await open({ nodes: 1 });
    networks();
    await world.run("web", BODY);
    expect([...world.engine("node-1").daemon.containers.get("web").wanted.keys()].sort()).toEqual(["back", "front"]);
    expect(world.engine("node-1").calls.of("POST /networks/{id}/connect")).toBe(0);
  });

  it("are undone with the container when one cannot be connected", async () => {
    await open({ nodes: [ENGINE_20_10] });
    networks();
    world.engine("node-1").faults.failNext("POST /networks/{id}/connect", 404, "network back not found");
    expect(await refusal(world.create("web", BODY))).toEqual({ status: 404, message: "network back not found" });
    expect(world.engine("node-1").daemon.containers.size).toBe(0);
    expect(await world.names()).toEqual([]);
    await world.create("web", BODY);
    await expectTrueList(world);
  });

  it("leave a container that cannot be undone in the list, and the first error is the answer", async () => {
    await open({ nodes: [ENGINE_20_10] });
    networks();
    const { faults } = world.engine("node-1");
    faults.failNext("POST /networks/{id}/connect", 404, "network back not found");
    faults.failNext("DELETE /containers/{name}", 500, "busy");
    expect((await refusal(world.create("web", BODY))).message).toBe("network back not found");
    await expectTrueList(world);
    expect(await world.names()).toEqual(["web"]);
  });
});

describe("a successor", () => {
  const compose = (number: number): Body => ({
    Labels: {
      "com.docker.compose.project": "shop",
      "com.docker.compose.service": "web",
      "com.docker.compose.container-number": String(number),
    },
    HostConfig: { Memory: 700 * MB, PortBindings: { "80/tcp": [{ HostPort: "80" }] } },
  });

  it("shares ports and memory with its predecessor until one of them goes", async () => {
    await open({ nodes: [{ memory: GB }] });
    await world.run("shop-web-1", compose(1));
    const next = await world.create("tmp_shop-web-1", compose(1));
    const { ledger } = world.cluster;
    const node = world.node("node-1");
    expect(ledger.sums(node.id).memory).toBe(700 * MB);
    expect((await refusal(world.create("shop-web-2", compose(2)))).status).toBe(409);
    await world.stop("shop-web-1");
    await world.remove("shop-web-1");
    expect(ledger.sums(node.id).memory).toBe(700 * MB);
    await world.rename(next.record.id, "shop-web-1");
    await world.start("shop-web-1");
    expectTrueLedger(world);
    await world.restartManager();
    expectTrueLedger(world);
  });

  it("finds the one it replaces by its ID", async () => {
    await open({ nodes: [{ memory: GB }], mintIds: true });
    const old = await world.run("one", { HostConfig: { Memory: 700 * MB } });
    await world.create("two", {
      Labels: { "com.docker.compose.replace": old.id },
      HostConfig: { Memory: 700 * MB },
    });
    expect(world.cluster.ledger.sums(world.node("node-1").id).memory).toBe(700 * MB);
  });
});

describe("what it costs", () => {
  it("takes at most three calls of an engine to create and start a container, the reading back included", async () => {
    await open({ nodes: 3, strategy: "spread" });
    const idle = ["GET /_ping"];
    const total = (): number => world.engines.reduce((sum, engine) => sum + engine.calls.total(idle), 0);
    for (const engine of world.engines) engine.calls.reset();
    for (let i = 0; i < 20; i++) await world.run(`c${i}`);
    await world.list();
    await world.until("all is read back", () => [...world.cluster.inventory.newestFirst()].every(({ entry }) => entry));
    expect(total()).toBeLessThanOrEqual(60);
    expect(world.engines.reduce((sum, engine) => sum + engine.calls.of("POST /containers/create"), 0)).toBe(20);
    await expectTrueList(world);
  });

  it("asks no engine for a list of which nothing has changed", async () => {
    await open();
    await world.run("web");
    await world.list();
    await world.clock.sleep(250);
    for (const engine of world.engines) engine.calls.reset();
    for (let i = 0; i < 10; i++) await world.list();
    expect(world.engines.reduce((sum, engine) => sum + engine.calls.total(["GET /_ping"]), 0)).toBe(0);
  });
});
