/** Discovery's lists, taken with care, and nodes that an operator takes out. */
import { afterEach, describe, expect, it } from "vitest";
import { restore } from "../../src/cluster/restore.ts";
import { type ApiFace, openApi } from "./api-face.ts";
import { entryOf, World } from "./world.ts";

let world: World;
let api: ApiFace | undefined;
afterEach(async () => {
  await api?.close();
  api = undefined;
  await world.close();
});

async function open(nodes: number): Promise<void> {
  world = World.prepare({ nodes });
  await restore(world.cluster);
  tell(nodes);
  await world.healthy();
}
/** Discovery lists the first so many. */
const tell = (count: number, first = 1): void =>
  world.cluster.roll.tell(Array.from({ length: count }, (_, n) => ({ address: entryOf(first + n) })));
const members = (): string[] => [...world.cluster.nodes.values()].map(({ name }) => name).sort();
const all = (count: number): string[] => Array.from({ length: count }, (_, n) => `node-${n + 1}`);

describe("a list of discovery", () => {
  it("is believed when one node after another is gone from it, and when new ones come", async () => {
    await open(6);
    for (const count of [5, 4, 3, 2, 1]) {
      tell(count);
      expect(members()).toEqual(all(count));
    }
    tell(6);
    await world.healthy();
    expect(members()).toEqual(all(6));
  });

  it.each([
    [6, 4],
    [6, 0],
    [3, 1],
    [1, 0],
  ])("of %i nodes is not believed when it has %i all at once, until they are in it again", async (before, now) => {
    await open(before);
    tell(now);
    expect(members()).toEqual(all(before));
    expect(world.cluster.roll.doubted).toBe(before - now);
    expect((world.info().whole.Warnings as string[]).join()).toContain(`discovery lost ${before - now} nodes at once`);
    // The same list again says nothing new.
    tell(now);
    expect(members()).toEqual(all(before));
    tell(before);
    expect(world.cluster.roll.doubted).toBe(0);
    expect(members()).toEqual(all(before));
  });

  it("that lost many and names a new one has both", async () => {
    await open(5);
    tell(3, 3);
    expect(members()).toEqual(all(5));
    tell(4, 2);
    expect(world.cluster.roll.doubted).toBe(1);
    expect(members()).toEqual(all(5));
  });
});

describe("a node that an operator removes", () => {
  it("is none until it is activated, whatever discovery lists, over a manager's restart; what runs there goes on", async () => {
    await open(3);
    api = await openApi(world);
    const { id, node } = await world.run("web");
    const call = async (method: string, path: string): Promise<number> =>
      (await api?.call(method, path).over)?.status ?? 0;
    expect(await call("DELETE", `/shoal/nodes/${node.name}`)).toBe(204);
    const left = all(3).filter((name) => name !== node.name);
    expect(members()).toEqual(left);
    expect(await world.names()).toEqual([]);
    tell(3);
    expect(members()).toEqual(left);
    await world.crashManager();
    tell(3);
    await world.healthy();
    expect(members()).toEqual(left);
    await api.close();
    api = await openApi(world);
    expect(await call("POST", "/shoal/nodes/node-9/activate")).toBe(404);
    expect(await call("POST", `/shoal/nodes/${node.name}/activate`)).toBe(204);
    await world.healthy();
    expect(members()).toEqual(all(3));
    expect(world.record("web").id).toBe(id);
  });

  it("is given up when discovery lost it with others", async () => {
    await open(4);
    api = await openApi(world);
    tell(2);
    for (const name of ["node-3", "node-4"]) {
      expect((await api.call("DELETE", `/shoal/nodes/${name}`).over).status).toBe(204);
    }
    expect(members()).toEqual(all(2));
    expect(world.cluster.roll.doubted).toBe(0);
  });
});
