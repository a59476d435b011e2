/** Networks and volumes of nodes, as the cluster finds them by what a client writes. */
import { afterEach, describe, expect, it } from "vitest";
import { findObject, shownObjectName } from "../../src/cluster/find-object.ts";
import { NETWORKS } from "../../src/cluster/networks/network.ts";
import { VOLUMES } from "../../src/cluster/volumes/volume.ts";
import { refusal, World } from "./world.ts";

let world: World;
afterEach(() => world.close());

/** Two engines with a network and a volume of the same name each, and one of its own. */
async function open(): Promise<void> {
  world = World.prepare({ nodes: 2 });
  for (const { name, daemon } of world.engines) {
    daemon.networks.create({ Name: "both" });
    daemon.networks.create({ Name: `net-${name}` });
    daemon.volumes.create("both", {});
    daemon.volumes.create(`vol-${name}`, {});
  }
  world.join();
  await world.healthy();
}

const network = (ref: string): string[] | undefined => nodesOf(findObject(world.cluster, NETWORKS, ref));
const volume = (ref: string): string[] | undefined => nodesOf(findObject(world.cluster, VOLUMES, ref));
const nodesOf = (found: { on: ReadonlyMap<string, unknown> } | undefined): string[] | undefined =>
  found && [...found.on.keys()].map((id) => world.cluster.nodes.get(id)?.name ?? id);
const refused = (find: () => unknown): Promise<{ status: number; message: string }> =>
  refusal(Promise.resolve().then(find));

describe("a network or volume", () => {
  it("is found by its name, with its node's name or without", async () => {
    await open();
    expect(network("net-node-2")).toEqual(["node-2"]);
    expect(network("node-2/net-node-2")).toEqual(["node-2"]);
    expect(network("node-1/net-node-2")).toBeUndefined();
    expect(network("nowhere/net-node-2")).toBeUndefined();
    expect(network("none-such")).toBeUndefined();
    expect(volume("vol-node-1")).toEqual(["node-1"]);
    expect(volume("node-1/vol-node-1")).toEqual(["node-1"]);
    expect(volume("node-2/vol-node-1")).toBeUndefined();
  });

  it("of a name that several nodes have is not guessed", async () => {
    await open();
    expect(await refused(() => network("both"))).toEqual({
      status: 409,
      message: 'The network name "both" is on several nodes: say which one, node-1/both or node-2/both',
    });
    expect((await refused(() => volume("both"))).message).toContain("node-1/both or node-2/both");
    expect(network("node-1/both")).toEqual(["node-1"]);
    expect(volume("node-2/both")).toEqual(["node-2"]);
    const [first] = [...world.cluster.networks.named("both")];
    const [second] = [...world.cluster.networks.named("net-node-1")];
    expect(first && shownObjectName(world.cluster, NETWORKS, first)).toBe("node-1/both");
    expect(second && shownObjectName(world.cluster, NETWORKS, second)).toBe("net-node-1");
  });

  it("is found by its ID and the beginning of it, where it has one", async () => {
    await open();
    const { id } = world.engine("node-2").daemon.networks.get("both");
    expect(network(id)).toEqual(["node-2"]);
    expect(network(id.slice(0, 12))).toEqual(["node-2"]);
    expect(network(`node-2/${id}`)).toEqual(["node-2"]);
  });

  it("that every engine makes for itself is one, wherever it is asked for", async () => {
    await open();
    expect(network("bridge")).toEqual(["node-1", "node-2"]);
    const [bridge] = [...world.cluster.networks.named("bridge")];
    expect(network(bridge?.key ?? "")).toEqual(["node-1", "node-2"]);
    expect(network("node-2/bridge")).toEqual(["node-2"]);
  });

  it("goes and comes with its engine's events, and with its node", async () => {
    await open();
    const { daemon } = world.engine("node-1");
    daemon.networks.create({ Name: "late" });
    await world.until("it is known", () => network("late") !== undefined);
    daemon.networks.remove("late");
    await world.until("its end is known", () => network("late") === undefined);
    world.join(["10.0.0.2:2375"]);
    expect(network("both")).toEqual(["node-2"]);
    expect(volume("both")).toEqual(["node-2"]);
  });
});
