/** An end that a wait tells, over simulated engines: its place is free for who was told. */
import { afterEach, describe, expect, it } from "vitest";
import { ended } from "../../src/cluster/ended.ts";
import { settle } from "../../src/cluster/holdings.ts";
import { expectTrueLedger, expectTrueList } from "./truth.ts";
import { GB, MB, refusal, World } from "./world.ts";

let world: World;
afterEach(() => world.close());

const mem = (bytes: number): { HostConfig: object } => ({ HostConfig: { Memory: bytes } });

describe("the end of a container", () => {
  it("frees its place for the client that waited for it", async () => {
    world = await World.open({ nodes: [{ memory: GB }] });
    for (const round of ["one", "two", "three", "four", "five"]) {
      const record = await world.run(round, mem(700 * MB));
      const { engine } = record.node;
      const waiting = engine.text("POST", `/containers/${record.engineId}/wait`);
      await engine.text("POST", `/containers/${record.engineId}/kill`);
      await waiting;
      await ended(world.cluster, record);
    }
    expectTrueLedger(world);
    await expectTrueList(world);
  });

  it("is read from the list when no event tells it", async () => {
    world = await World.open({ nodes: [{ memory: GB }] });
    const record = await world.run("one", mem(700 * MB));
    await record.node.engine.text("POST", `/containers/${record.engineId}/kill`);
    await world.until("its end is known", () => record.state === "exited");
    // As if the event had not come.
    world.cluster.inventory.setState(record, "running");
    settle(world.cluster, record);
    expect((await refusal(world.create("two", mem(700 * MB)))).status).toBe(409);
    await ended(world.cluster, record);
    await world.run("two", mem(700 * MB));
    expectTrueLedger(world);
  });

  it("is no matter for one that never ran, or is gone", async () => {
    world = await World.open({ nodes: 1 });
    const { record } = await world.create("cold");
    await ended(world.cluster, record);
    await world.remove("cold");
    await ended(world.cluster, record);
    expect(record.state).toBe("created");
  });
});
