import { describe, expect, it } from "vitest";
import { seededRandom } from "../../kit/random.ts";
import type { NodeView } from "../node-view.ts";
import { GIB, type NodeOptions, nodeView, request, TestCluster } from "../testing.ts";
import { strategyByName } from "./index.ts";

const memory = (gib: number) => request({ HostConfig: { Memory: gib * GIB } });

/** A cluster with `used` GiB of 10 reserved on n1, n2, …, and as many containers as `containers` says (default one each). */
function used(strategy: string | undefined, amounts: readonly number[], options: NodeOptions = {}): TestCluster {
  const nodes = amounts.map((_, i) => nodeView(`n${i + 1}`, { memory: 10 * GIB, cpus: 10, ...options }));
  const cluster = new TestCluster(nodes, strategy);
  for (const [i, amount] of amounts.entries()) {
    const id = `used-${i}`;
    cluster.ledger.reserve({ id, node: `id-n${i + 1}`, nanoCpus: 0, memory: amount * GIB, ports: [] });
  }
  return cluster;
}

function populate(cluster: TestCluster, counts: readonly number[]): TestCluster {
  for (const [i, count] of counts.entries()) {
    for (let k = 0; k < count; k++) {
      cluster.containers.push({ id: `x${i}-${k}`, node: `id-n${i + 1}`, name: `x${i}-${k}`, image: "", labels: {} });
    }
  }
  return cluster;
}

const order = (cluster: TestCluster, asked = memory(1)): string[] =>
  cluster.place(asked).ranked.map((node: NodeView) => node.name);
const weights = (cluster: TestCluster, asked = memory(1)): number[] =>
  cluster.place(asked, { overcommit: 0 }).scores.map((score) => score.weight);

describe("the registry", () => {
  it.each([
    [undefined, "default"],
    ["default", "default"],
    ["binpack", "binpack"],
    ["binpacking", "binpack"],
    ["spread", "spread"],
    ["random", "random"],
  ])("%s is %s", (name, expected) => {
    expect(strategyByName(name).name).toBe(expected);
  });

  it("refuses others in classic Swarm's words", () => {
    expect(() => strategyByName("best")).toThrow(/^strategy not supported$/);
  });
});

describe("binpack", () => {
  it("takes the fullest with room, by classic Swarm's weight", () => {
    expect(order(used("binpack", [2, 5, 3]))).toEqual(["n2", "n3", "n1"]);
    expect(weights(used("binpack", [2, 5, 3]))).toEqual([160, 140, 130]);
  });

  it("settles equal weights by more containers, then by name", () => {
    expect(order(populate(used("binpack", [1, 1, 1]), [1, 2, 2]))).toEqual(["n2", "n3", "n1"]);
  });

  it("packs by containers what reserves nothing", () => {
    expect(order(populate(used("binpack", [0, 0, 0]), [0, 3, 1]), request())).toEqual(["n2", "n3", "n1"]);
  });

  it("weighs CPU as well", () => {
    const asked = request({ HostConfig: { Memory: GIB, NanoCpus: 2.5e9 } });
    expect(weights(used("binpack", [2]), asked)).toEqual([25 + 30]);
  });
});

describe("spread", () => {
  it("takes the emptiest", () => {
    expect(order(used("spread", [2, 5, 3]))).toEqual(["n1", "n3", "n2"]);
  });

  it("settles equal weights by fewer containers, then by name", () => {
    expect(order(populate(used("spread", [1, 1, 1]), [1, 0, 0]))).toEqual(["n2", "n3", "n1"]);
  });
});

describe("random", () => {
  it("respects room, reaches every node, and repeats with its seed", () => {
    const cluster = used("random", [10.4, 0, 0, 0]);
    const first = (seed: number): string =>
      cluster.place(memory(1), { random: seededRandom(seed) }).ranked[0]?.name ?? "";
    const seen = Array.from({ length: 60 }, (_, seed) => first(seed));
    expect([...new Set(seen)].sort()).toEqual(["n2", "n3", "n4"]);
    expect(first(7)).toBe(first(7));
  });
});

describe("default", () => {
  it("packs what reserves", () => {
    expect(order(used(undefined, [2, 5, 3]))).toEqual(["n2", "n3", "n1"]);
  });

  it("spreads what reserves nothing by running containers per CPU, ties by name", () => {
    expect(order(populate(used(undefined, [9, 0, 0]), [1, 1, 0]), request())).toEqual(["n3", "n1", "n2"]);
  });

  it("gives a large machine its part", () => {
    const cluster = new TestCluster([nodeView("small"), nodeView("large", { cpus: 3 })]);
    const placed = Array.from({ length: 8 }, (_, i) => cluster.run(request({}, `c${i}`)));
    expect(placed.filter((name) => name === "large")).toHaveLength(6);
  });
});

describe("the order of nodes", () => {
  it("puts node-2 before node-10", () => {
    const cluster = new TestCluster([nodeView("node-10"), nodeView("node-2")], "binpack");
    expect(order(cluster)).toEqual(["node-2", "node-10"]);
  });

  it("puts distress last, whatever its weight", () => {
    const cluster = new TestCluster([nodeView("a", { distressed: true }), nodeView("b")], "binpack");
    cluster.ledger.reserve({ id: "x", node: "id-a", nanoCpus: 0, memory: GIB, ports: [] });
    expect(order(cluster)).toEqual(["b", "a"]);
  });
});

describe("a new group's home", () => {
  const group = (name: string) => request({ Labels: { "shoal.group": name } });

  it("is spread like what reserves nothing, groups still without a container counted", () => {
    const cluster = populate(used(undefined, [0, 0, 0]), [1, 0, 0]);
    expect(order(cluster, group("a"))).toEqual(["n2", "n3", "n1"]);
    cluster.groups.set("shoal.group=a", { policy: "pack", home: { node: "id-n2", members: () => "" } });
    expect(order(cluster, group("b"))).toEqual(["n3", "n1", "n2"]);
    expect(order(cluster, request())).toEqual(["n3", "n1", "n2"]);
  });

  it("is chosen by what is free, in memory too", () => {
    expect(order(used(undefined, [9, 0, 5]), group("a"))).toEqual(["n2", "n3", "n1"]);
    expect(order(used(undefined, [0, 20, 0]), group("a"))).toEqual(["n1", "n3", "n2"]);
  });

  it("of two equal ones is that with fewer networks", () => {
    const cluster = used(undefined, [0, 0, 0]);
    cluster.networks.set("x", ["id-n1", "id-n2"]);
    cluster.networks.set("y", ["id-n1"]);
    expect(order(cluster, group("a"))).toEqual(["n3", "n2", "n1"]);
  });

  it("follows an explicit strategy", () => {
    expect(order(used("binpack", [2, 5, 3]), { ...memory(1), group: group("a").group })).toEqual(["n2", "n3", "n1"]);
  });
});
