/** The end of a fence: what its agent stopped runs again, however much that was. */
import { afterEach, describe, expect, it } from "vitest";
import { StoredFences } from "../../src/discovery/stored-fences.ts";
import { STORE_TXN_KEYS } from "../../src/kit/store-limits.ts";
import { MemoryStore } from "../../src/store/drivers/memory.ts";
import { isRunning } from "../engine/container.ts";
import { World } from "./world.ts";

let world: World;
afterEach(() => world.close());

describe("a fence", () => {
  it("is lifted from a node with more containers than one transaction holds, and they run again", async () => {
    world = await World.open({ nodes: 1 });
    const { cluster, clock } = world;
    const many = STORE_TXN_KEYS + 1;
    for (let i = 0; i < many; i++) await world.create(`web-${i}`);
    await world.list();
    const board = new StoredFences(new MemoryStore(), clock, "fences/nodes/");
    const [node] = cluster.nodes.values();
    if (!node) throw new Error("no node");
    const stopped = [...node.containers.keys()].map((id) => id.slice(0, 16));
    const fence = { id: "f", still: true, stopped };
    const record = { holder: "agent", address: node.address, ttlMs: 600_000, beat: 1, fence };
    const version = await board.write(node.id, record, undefined);
    const stop = new AbortController();
    const following = cluster.fences.follow(board, stop.signal);
    await world.until("it is lifted", async () => (await board.get(node.id))?.record.lifted === "f");
    // Its agent has seen that.
    const seen = await board.get(node.id);
    expect(seen?.version).not.toBe(version);
    await board.write(node.id, { ...record, fence: undefined, beat: 2 }, seen?.version);
    await world.until("all run", () => world.engine("node-1").daemon.containers.all().every(isRunning));
    stop.abort();
    await following;
  });
});
