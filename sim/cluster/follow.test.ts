/** A manager that follows another one: what the leader changed, its own lists show, and it changes nothing itself. */
import { afterEach, describe, expect, it } from "vitest";
import { setAvailability } from "../../src/cluster/availability.ts";
import { newsOf, type Position } from "../../src/cluster/changes.ts";
import type { Cluster } from "../../src/cluster/cluster.ts";
import { takeNews } from "../../src/cluster/follow-leader.ts";
import { listContainers } from "../../src/cluster/list-containers.ts";
import { leaveAll } from "../../src/cluster/membership.ts";
import { removeLost } from "../../src/cluster/tombstones.ts";
import { WireError } from "../../src/engine/wire/wire.ts";
import { World, type WorldOptions } from "./world.ts";

let world: World;
let follower: Cluster;
let position: Position;
/** Changes asked of engines, by whoever. */
let asked: string[] = [];
/** No engine tells of its containers. */
let silent = false;

async function open(options: WorldOptions = {}): Promise<void> {
  asked = [];
  silent = false;
  world = await World.open({
    nodes: 3,
    ...options,
    wrapWire: (wire) => ({
      address: wire.address,
      request: (request) => {
        if (silent && request.path.includes("/containers/json")) throw new WireError("broken", true, "the line broke");
        if (request.method !== "GET" && request.method !== "HEAD") asked.push(`${request.method} ${request.path}`);
        return wire.request(request);
      },
      connect: (signal) => wire.connect(signal),
      close: () => wire.close(),
    }),
  });
  follower = await begin();
}

afterEach(async () => {
  await leaveAll(follower);
  await world.close();
});

/** Another manager begins. */
async function begin(): Promise<Cluster> {
  const news = newsOf(world.cluster, undefined);
  ({ position } = news);
  const cluster = await world.follow();
  await takeNews(cluster, news);
  return cluster;
}

/** What a replica does before it answers: true when it may. */
async function follow(): Promise<boolean> {
  const news = newsOf(world.cluster, position);
  ({ position } = news);
  return takeNews(follower, news);
}

/** Time passes between two lists. */
const shown = async (cluster: Cluster): Promise<string> =>
  Buffer.concat(await listContainers(cluster, { all: true, limit: 0, size: false, filters: null }))
    .toString()
    .replace(/"Status":"[^"]*"/g, "");

async function expectAlike(): Promise<void> {
  const led = await shown(world.cluster);
  expect(await follow()).toBe(true);
  expect(await shown(follower)).toBe(led);
}

describe.each([{ mintIds: false }, { mintIds: true }])("a manager that follows (%o)", (options) => {
  it("shows each change of the leader as soon as it has asked for it", async () => {
    await open(options);
    const { record } = await world.create("web");
    await expectAlike();
    await world.start("web");
    await expectAlike();
    await world.rename("web", "shop");
    await expectAlike();
    await world.run("db");
    await world.stop(record.id);
    await expectAlike();
    await world.remove("shop");
    await expectAlike();
    await world.pull("redis");
    expect(await follow()).toBe(true);
    expect(follower.images.holders("redis:latest").size).toBeGreaterThan(0);
  });

  it("shows many of one second in the leader's order", async () => {
    await open(options);
    await Promise.all(Array.from({ length: 30 }, (_, n) => world.create(`c-${n}`)));
    await expectAlike();
    await Promise.all(Array.from({ length: 15 }, (_, n) => world.remove(`c-${2 * n}`)));
    await expectAlike();
  });
});

describe("a manager that follows", () => {
  it("shows what it found in the store at its start, in the leader's order", async () => {
    await open();
    await world.run("one");
    await world.run("two");
    await leaveAll(follower);
    follower = await begin();
    await expectAlike();
  });

  it("is told what its leader has not written yet when it begins", async () => {
    await open();
    const { writer } = world.cluster;
    writer.later([
      { key: "tags/x", value: "1" },
      { key: "rows/n/c", value: "{}" },
    ]);
    expect(newsOf(world.cluster, undefined).changes).toEqual([{ key: "tags/x", value: "1" }]);
    const written = writer.write([{ key: "tags/y", value: "2" }]);
    await Promise.resolve();
    writer.later([{ key: "tags/x", value: undefined }]);
    expect(newsOf(world.cluster, undefined).changes).toEqual([{ key: "tags/x", value: null }]);
    await written;
    await writer.idle();
    expect(newsOf(world.cluster, undefined).changes).toEqual([]);
  });

  it("knows what only the store can tell: what was removed from a lost node, and what an operator wants", async () => {
    await open();
    const record = await world.run("web");
    await expectAlike();
    const { name } = record.node;
    world.engine(name).faults.dead(true);
    await world.until("both lost it", () => [world.cluster, follower].every((one) => !one.nodeByName(name)?.reachable));
    await removeLost(world.cluster, record);
    await follow();
    expect(await shown(follower)).toBe("[]\n");
    const id = record.node.id;
    await setAvailability(world.cluster, id, "cordoned");
    await follow();
    expect(follower.nodes.get(id)?.availability).toBe("cordoned");
    await setAvailability(world.cluster, id, "active");
    await follow();
    expect(follower.nodes.get(id)?.availability).toBe("active");
    // The leader keeps the copy aside, and the other one asks nothing of the engine.
    const before = asked.length;
    world.engine(name).faults.dead(false);
    await world.until("it is back for both", () =>
      [world.cluster, follower].every((one) => one.nodeByName(name)?.reachable === true),
    );
    await world.until("it is kept aside", () => asked.slice(before).some((path) => path.endsWith("/stop")));
    expect(asked.slice(before).filter((path) => path.endsWith("/stop"))).toHaveLength(1);
    expect(await shown(follower)).toBe("[]\n");
  });

  it("cannot answer for a node that it does not reach itself", async () => {
    await open();
    const record = await world.run("web");
    expect(await follow()).toBe(true);
    const node = follower.nodes.get(record.node.id);
    await node?.engine.stop();
    if (node) node.state = "unhealthy";
    await world.stop("web");
    expect(await follow()).toBe(false);
  });

  it("cannot answer while an engine does not tell what was changed there", async () => {
    await open();
    await world.run("web");
    await expectAlike();
    await world.stop("web");
    await shown(world.cluster);
    silent = true;
    expect(await follow()).toBe(false);
    silent = false;
    await world.until("it was read after all", follow);
    expect(await shown(follower)).toBe(await shown(world.cluster));
  });

  it("asks no engine for a change and writes nothing, whatever it sees", async () => {
    await open({ mintIds: true });
    await world.run("web");
    await world.cluster.writer.idle();
    const before = JSON.stringify(await world.store.list(""));
    const engineBefore = asked.length;
    await follow();
    await follower.writer.idle();
    await expect(follower.writer.write([{ key: "tags/a", value: "{}" }])).rejects.toThrow("does not lead");
    expect(JSON.stringify(await world.store.list(""))).toBe(before);
    expect(asked.length).toBe(engineBefore);
  });
});
