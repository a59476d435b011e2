/** What discovery says of a node beside its address: the ID it was given, its name, its labels. */
import { afterEach, describe, expect, it } from "vitest";
import type { Entry } from "../../src/discovery/discovery.ts";
import { type Body, entryOf, World } from "./world.ts";

const ID = "0123456789abcdef01234567";
const MOVED = "10.9.9.9:2375";

let world: World;
afterEach(() => world.close());

const open = async (more: Partial<Entry> = {}): Promise<void> => {
  world = await World.open({ nodes: 2 });
  world.join([{ address: entryOf(1), id: ID, ...more }, entryOf(2)]);
  await world.healthy();
};
const on = (expression: string): Body => ({
  Labels: { "com.docker.swarm.constraints": JSON.stringify([expression]) },
});

describe("a node with an ID of its own", () => {
  it("stays the node at another address, with its containers", async () => {
    await open();
    const web = await world.run("web", on("node==node-1"));
    const node = world.node("node-1");
    world.address(MOVED, world.engine("node-1"));
    world.join([{ address: MOVED, id: ID }, entryOf(2)]);
    expect(world.cluster.nodes.get(ID)?.address).toBe(MOVED);
    expect(world.node("node-1")).not.toBe(node);
    expect(await world.names()).toEqual(["web"]);
    await world.healthy();
    expect(world.record("web").id).toBe(web.id);
    expect(world.record("web").node.address).toBe(MOVED);
  });

  it("keeps it from a clone at another address, which is a node of its own", async () => {
    await open();
    const clone = world.addEngine({ name: "clone" });
    world.address(MOVED, clone);
    world.join([{ address: MOVED, id: ID }, { address: entryOf(1), id: ID }, entryOf(2)]);
    await world.healthy();
    expect(world.cluster.nodes.get(ID)?.name).toBe("node-1");
    expect(world.cluster.nodes.size).toBe(3);
    expect(world.node("clone").address).toBe(MOVED);
    expect(world.warnings.filter((text) => text.includes("claim one node ID"))).toHaveLength(1);
    world.join([
      { address: MOVED, id: ID },
      { address: entryOf(1), id: ID },
    ]);
    expect(world.warnings.filter((text) => text.includes("claim one node ID"))).toHaveLength(1);
  });
});

describe("a node's name and labels", () => {
  it("go before what its engine says, and may change while it stays the node", async () => {
    await open({ name: "left", labels: { storage: "ssd" } });
    const node = world.node("left");
    expect((await world.run("web", on("storage==ssd"))).node).toBe(node);
    world.join([{ address: entryOf(1), id: ID, name: "right", labels: { storage: "disk" } }, entryOf(2)]);
    expect(world.node("right")).toBe(node);
    await expect(world.run("late", on("storage==ssd"))).rejects.toThrow("storage==ssd");
    expect((await world.run("db", on("storage==disk"))).node).toBe(node);
    world.join([{ address: entryOf(1), id: ID }, entryOf(2)]);
    expect(world.node("node-1")).toBe(node);
  });
});
