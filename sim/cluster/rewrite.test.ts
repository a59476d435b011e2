/** A backup that is restored while the manager runs. */
import { afterEach, describe, expect, it } from "vitest";
import { IDENTITIES } from "../../src/cluster/registry.ts";
import { followStore } from "../../src/cluster/rewrite.ts";
import { World } from "./world.ts";

let world: World;
afterEach(() => world.close());

describe("a store that is restored while the manager runs", () => {
  it("loses nobody that was made since the backup, and the next manager knows everybody", async () => {
    world = await World.open({ nodes: 2 });
    const stop = new AbortController();
    const following = followStore(world.cluster, stop.signal);
    const { record: old } = await world.create("old");
    await world.cluster.writer.idle();
    const backup = await world.store.list("");
    const { record: young } = await world.create("young");
    await world.cluster.writer.idle();
    world.storeData.restore(backup);
    const identity = async (id: string) => (await world.store.get(IDENTITIES + id))?.value;
    await world.until("the young one is written again", async () => (await identity(young.id)) !== undefined);
    expect(await identity(old.id)).toContain('"name":"old"');
    stop.abort();
    await following;
    await world.restartManager();
    expect((await world.list()).map(({ Id, Names }) => [Id, Names[0]])).toEqual([
      [young.id, "/young"],
      [old.id, "/old"],
    ]);
  });
});
