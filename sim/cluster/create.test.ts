/** Creating containers over several simulated engines: identity, names, ports and memory under contention. */
import { afterEach, describe, expect, it } from "vitest";
import { agrees, expectTrueLedger, expectTrueList } from "./truth.ts";
import { GB, MB, refusal, World, type WorldOptions } from "./world.ts";

let world: World;
const open = async (options?: WorldOptions): Promise<World> => {
  world = await World.open(options);
  return world;
};
afterEach(() => world.close());

describe("create, list and inspect", () => {
  it("shows a container as one engine does, with its node and the node's address", async () => {
    await open();
    const { record, text } = await world.create("web", {
      HostConfig: { PortBindings: { "80/tcp": [{ HostPort: "8080" }] } },
      Labels: { app: "shop" },
    });
    await world.start("web");
    const [row] = await world.list();
    expect(JSON.parse(text)).toEqual({ Id: record.id, Warnings: [] });
    expect(row).toMatchObject({ Id: record.id, Names: ["/web"], Image: "busybox", State: "running" });
    expect(row?.Labels).toEqual({ app: "shop", "shoal.NODE": "node-1" });
    expect(row?.Ports).toEqual([{ IP: "10.0.0.1", PrivatePort: 80, PublicPort: 8080, Type: "tcp" }]);
    const inspect = await world.inspect("web");
    expect(inspect).toMatchObject({ Id: record.id, Name: "/web", Node: { Name: "node-1", IP: "10.0.0.1", Cpus: 4 } });
    expect(inspect.Config).toMatchObject({ Labels: { app: "shop" } });
    expect(JSON.stringify(inspect)).not.toContain("shoal.hint");
    expect(inspect.NetworkSettings).toMatchObject({
      Ports: { "80/tcp": [{ HostIp: "10.0.0.1", HostPort: "8080" }] },
    });
  });

  it("gives the engines' own networks one ID each in the cluster", async () => {
    await open({ nodes: 2, strategy: "spread" });
    await world.run("aa");
    await world.run("bb");
    const rows = await world.list();
    const ids = rows.map((row) => row.NetworkSettings.Networks.bridge?.NetworkID);
    expect(rows.map((row) => row.Labels["shoal.NODE"]).sort()).toEqual(["node-1", "node-2"]);
    expect(ids[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(ids[1]).toBe(ids[0]);
    const created = await world.create("cc", { HostConfig: { NetworkMode: ids[0] } });
    expect(created.record.name).toBe("cc");
  });

  it("names unnamed containers itself, each differently", async () => {
    await open();
    const made = await Promise.all(Array.from({ length: 30 }, () => world.create("")));
    const names = new Set(made.map(({ record }) => record.name));
    expect(names.size).toBe(30);
    for (const name of names) expect(name).toMatch(/^[a-z]+_[a-z]+\d?/);
    await expectTrueList(world);
  });

  it("shows a cluster ID unlike the engine's everywhere when IDs are minted", async () => {
    await open({ mintIds: true });
    const record = await world.run("web");
    expect(record.engineId).not.toBe(record.id);
    expect((await world.list())[0]?.Id).toBe(record.id);
    const inspect = await world.inspect(record.id.slice(0, 12));
    expect(inspect.Id).toBe(record.id);
    expect(inspect.Config).toMatchObject({ Hostname: record.id.slice(0, 12) });
    expect(JSON.stringify(inspect.HostConfig)).not.toContain(record.engineId);
    const peer = await world.create("peer", { HostConfig: { NetworkMode: `container:${record.id.slice(0, 12)}` } });
    expect(world.engine("node-1").daemon.containers.get("peer").hostConfig.NetworkMode).toBe(
      `container:${record.engineId}`,
    );
    expect((await world.inspect(peer.record.id)).HostConfig).toMatchObject({ NetworkMode: `container:${record.id}` });
    expect((await world.list({ filters: { name: ["peer"] } }))[0]?.HostConfig.NetworkMode).toBe(
      `container:${record.id}`,
    );
  });
});

describe("contended creates", () => {
  it("gives a name once among 200 at the same time", async () => {
    await open();
    const results = await Promise.allSettled(Array.from({ length: 200 }, (_, i) => world.create(`n${i % 20}`)));
    const made = results.filter((result) => result.status === "fulfilled");
    const refused = results.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
    expect(made).toHaveLength(20);
    for (const error of refused) {
      expect(error.status).toBe(409);
      expect(error.message).toMatch(
        /^Conflict\. The container name "\/n\d+" is already in use by container "[0-9a-f]{64}"/,
      );
    }
    expect(new Set(await world.names()).size).toBe(20);
  });

  it("never gives a port or memory twice, and the ledger is what the engines say", async () => {
    await open({ nodes: [{ memory: 2 * GB }, { memory: 2 * GB }, { memory: 2 * GB }] });
    const results = await Promise.allSettled(
      Array.from({ length: 200 }, async (_, i) => {
        const port = String(8000 + (i % 10));
        const { record } = await world.create(`c${i}`, {
          HostConfig: { Memory: 100 * MB, PortBindings: { "80/tcp": [{ HostPort: port }] } },
        });
        await world.start(record.id);
        return record;
      }),
    );
    const refused = results.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
    expect(results.length - refused.length).toBe(30);
    for (const error of refused) {
      expect({ status: error.status, text: error.message.split("\n")[0] }).toEqual({
        status: 409,
        text: "no resources available to schedule container",
      });
    }
    await world.until("the cache agrees", () => agrees(world));
    expectTrueLedger(world);
    await expectTrueList(world);
    for (const engine of world.engines) {
      expect(engine.daemon.containers.size).toBe(10);
      expect(world.cluster.ledger.sums(world.node(engine.name).id).memory).toBe(1000 * MB);
    }
  });

  it("fills three nodes with memory to the brim and not beyond", async () => {
    await open({ nodes: [{ memory: GB }, { memory: GB }, { memory: GB }] });
    const results = await Promise.allSettled(
      Array.from({ length: 60 }, (_, i) => world.create(`c${i}`, { HostConfig: { Memory: 100 * MB } })),
    );
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(30);
    await expectTrueList(world);
    expectTrueLedger(world);
  });

  it("refuses what fits nowhere in Swarm's words, and asks no engine", async () => {
    await open();
    for (const engine of world.engines) engine.calls.reset();
    const { status, message } = await refusal(world.create("big", { HostConfig: { Memory: 100 * GB } }));
    expect(status).toBe(409);
    expect(message).toMatch(/^no resources available to schedule container\nresource: 3 of 3 nodes/);
    expect(world.engines.map((engine) => engine.calls.of("POST /containers/create"))).toEqual([0, 0, 0]);
    expect(await world.names()).toEqual([]);
  });
});
