import { describe, expect, it } from "vitest";
import { filtersByName } from "./filters/index.ts";
import { refusalError } from "./place.ts";
import { GIB, nodeView, request, TestCluster } from "./testing.ts";

const seed = (strategy?: string): TestCluster =>
  new TestCluster(
    [nodeView("node-1", { labels: { storage: "ssd" } }), nodeView("node-2"), nodeView("node-3")],
    strategy,
  );
const memory = (gib: number) => request({ HostConfig: { Memory: gib * GIB } });
const port80 = () => request({ HostConfig: { PortBindings: { "80/tcp": [{ HostPort: "80" }] } } });
const times = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);

describe("an image that some nodes have", () => {
  it("settles what the strategy leaves equal, before names and numbers of containers", () => {
    for (const strategy of [undefined, "binpack", "spread"]) {
      const cluster = seed(strategy);
      cluster.images.set("redis", ["id-node-3"]);
      cluster.containers.push({ id: "x", node: "id-node-2", name: "x", image: "", labels: {} });
      const asked = request({ Image: "redis" });
      expect(cluster.run(asked)).toBe("node-3");
    }
  });

  it("outweighs no room and no weight", () => {
    const cluster = seed();
    cluster.images.set("redis", ["id-node-3"]);
    const asked = () => request({ Image: "redis", HostConfig: { Memory: GIB } });
    expect(times(3, () => cluster.run(asked()))).toEqual(["node-3", "node-3", "node-1"]);
    expect(cluster.run(asked())).toBe("node-1");
  });
});

describe("the first seed's story", () => {
  it("packs -m 1g", () => {
    const cluster = seed();
    expect(times(3, () => cluster.run(memory(1)))).toEqual(["node-1", "node-1", "node-2"]);
  });

  it("spreads -m 1g when told to", () => {
    const cluster = seed("spread");
    expect(times(3, () => cluster.run(memory(1)))).toEqual(["node-1", "node-2", "node-3"]);
  });

  it("gives port 80 once per node", () => {
    const cluster = seed();
    expect(times(3, () => cluster.run(port80()))).toEqual(["node-1", "node-2", "node-3"]);
    expect(cluster.run(port80())).toBe(
      [
        "no resources available to schedule container",
        "port: 3 of 3 nodes; nearest miss node-1: port 80/tcp is held by c1",
      ].join("\n"),
    );
  });

  it("begins with node-1", () => {
    expect(seed().run(request())).toBe("node-1");
  });

  it("counts -c 1 as a CPU", () => {
    const cluster = seed();
    const asked = () => request({ HostConfig: { CpuShares: 1 } });
    expect(times(3, () => cluster.run(asked()))).toEqual(["node-1", "node-2", "node-3"]);
    expect(cluster.run(asked())).toMatch(/^no resources available to schedule container\nresource: 3 of 3 nodes; /);
  });

  it("follows a constraint, and reschedule is none", () => {
    const Env = ["constraint:storage==ssd", "constraint:reschedule==never"];
    expect(seed().run(request({ Env }))).toBe("node-1");
  });
});

describe("refusals", () => {
  it("say what is free where it nearly fits", () => {
    const cluster = seed();
    cluster.run(memory(1));
    cluster.run(memory(0.5));
    expect(cluster.run(memory(10))).toBe(
      [
        "no resources available to schedule container",
        "resource: 3 of 3 nodes; nearest miss node-2: 2.1 GiB of 2.1 GiB memory free, 10 GiB asked",
      ].join("\n"),
    );
  });

  it("name the conditions that no node meets", () => {
    const asked = request({ Env: ["constraint:storage==tape"], HostConfig: { Memory: GIB } });
    const decision = seed().place(asked);
    expect(decision.refusal).toBe(
      [
        "Unable to find a node that satisfies the following conditions ",
        "[constraint storage==tape]",
        "constraint: 3 of 3 nodes; nearest miss node-1: storage is ssd, storage==tape asked",
      ].join("\n"),
    );
    expect(decision.refusedFor).toBe("condition");
  });

  it("blame room when the nodes that meet the conditions are full, whatever the filters' order", () => {
    const cluster = seed();
    cluster.run(memory(2));
    const body = { Env: ["constraint:storage==ssd"], HostConfig: { Memory: GIB } };
    expect(cluster.run(request(body))).toBe(
      [
        "no resources available to schedule container",
        "constraint: 2 of 3 nodes; nearest miss node-2: storage is not set, storage==ssd asked",
        "resource: 1 of 3 nodes; nearest miss node-1: 102.4 MiB of 2.1 GiB memory free, 1 GiB asked",
      ].join("\n"),
    );
    const ports = { ...port80(), constraints: request(body).constraints };
    const other = seed();
    other.run(ports);
    expect(other.run(ports).split("\n")[0]).toBe("no resources available to schedule container");
  });

  it("say where each dependency is", () => {
    const cluster = seed("spread");
    cluster.run(request({ HostConfig: { Memory: GIB } }, "db"));
    cluster.run(request({ HostConfig: { Memory: GIB } }, "cache"));
    expect(cluster.run(request({ HostConfig: { Links: ["db:db"], VolumesFrom: ["cache"] } }))).toBe(
      [
        "Unable to find a node that satisfies the following conditions ",
        "[--link=db]",
        "[--volumes-from=cache]",
        "dependency: 3 of 3 nodes; container db (--link) is on node-1; container cache (--volumes-from) is on node-2",
      ].join("\n"),
    );
  });

  it("name the field, the version that it needs, each node's, and what helps", () => {
    const cluster = new TestCluster([
      nodeView("n1", { apiVersion: "1.41" }),
      nodeView("n2", { apiVersion: "1.43" }),
      nodeView("n3", { apiVersion: "1.41" }),
    ]);
    const body = { HostConfig: { Annotations: { a: "b" } }, Healthcheck: { StartInterval: 1 } };
    expect(cluster.run(request(body))).toBe(
      [
        "Unable to find a node that satisfies the following conditions ",
        "[API 1.43 for HostConfig.Annotations]",
        "[API 1.44 for Healthcheck.StartInterval]",
        "apiversion: 3 of 3 nodes; HostConfig.Annotations needs 1.43, Healthcheck.StartInterval needs 1.44; " +
          "n1, n3 speak API 1.41, n2 speaks API 1.43, and such an engine would ignore it: " +
          "upgrade one to API 1.44, or leave it out",
      ].join("\n"),
    );
  });

  it.each([
    ["no node at all", new TestCluster([])],
    ["none that is healthy", new TestCluster([nodeView("n1", { healthy: false })])],
  ])("are 503 with %s", (_, cluster) => {
    const error = refusalError(cluster.place(request()));
    expect([error.status, error.message.split("\n")[0]]).toEqual([503, "No healthy node available in the cluster"]);
  });

  it("are 409 otherwise", () => {
    expect(refusalError(seed().place(memory(10))).status).toBe(409);
    expect(refusalError(seed().place(request({ Env: ["constraint:node==x1"] }))).status).toBe(409);
    expect(() => refusalError(seed().place(request()))).toThrow("shoal bug");
  });
});

describe("soft rules", () => {
  it("order the nodes before the strategy does, each on its own", () => {
    const cluster = new TestCluster([
      nodeView("n1"),
      nodeView("n2", { labels: { storage: "ssd" } }),
      nodeView("n3", { labels: { storage: "ssd", zone: "eu" } }),
    ]);
    const Env = ["constraint:storage==~ssd", "constraint:zone==~eu", "affinity:image==~nowhere"];
    const { ranked, scores } = cluster.place(request({ Env }));
    expect(ranked.map((node) => node.name)).toEqual(["n3", "n2", "n1"]);
    expect(scores.map((score) => score.softBroken)).toEqual([
      ["affinity image==~nowhere"],
      ["constraint zone==~eu", "affinity image==~nowhere"].sort(),
      ["affinity image==~nowhere", "constraint storage==~ssd", "constraint zone==~eu"],
    ]);
  });

  it("go with their filter when --filter leaves it out", () => {
    const decision = seed().place(request({ Env: ["constraint:storage==tape"] }), {
      filters: filtersByName(["health"]),
    });
    expect(decision.ranked).toHaveLength(3);
  });
});

describe("a decision", () => {
  it("keeps the reasons beside the ranking", () => {
    const decision = seed().place(request({ Env: ["constraint:storage!=ssd"], HostConfig: { Memory: GIB } }));
    expect(decision).toMatchObject({ strategy: "default", considered: 3, passed: 2, refusal: undefined });
    expect(decision.filters).toEqual([
      { filter: "constraint", count: 1, excluded: [{ node: "node-1", why: "storage is ssd, storage!=ssd asked" }] },
    ]);
    expect(decision.scores.map((score) => [score.node, score.weight])).toEqual([
      ["node-2", 147],
      ["node-3", 147],
    ]);
  });

  it("passes over nodes that were tried", () => {
    const cluster = seed();
    const tried = (...names: string[]) => ({
      exclude: new Map(names.map((name) => [`id-${name}`, "failed just now"])),
    });
    expect(cluster.run(memory(1), tried("node-1"))).toBe("node-2");
    expect(cluster.run(memory(1), tried("node-1", "node-2", "node-3"))).toContain("tried: 3 of 3 nodes");
  });

  it("is bounded on a large cluster", () => {
    const nodes = Array.from({ length: 100 }, (_, i) => nodeView(`n${i}`, { healthy: i < 50 }));
    const decision = new TestCluster(nodes).place(request());
    expect([decision.passed, decision.ranked.length, decision.scores.length]).toEqual([50, 16, 16]);
    expect([decision.filters[0]?.count, decision.filters[0]?.excluded.length]).toEqual([50, 20]);
    expect(decision.ranked.map((node) => node.name).slice(0, 3)).toEqual(["n0", "n1", "n2"]);
  });
});

describe("succession", () => {
  const labels = {
    "com.docker.compose.project": "shop",
    "com.docker.compose.service": "web",
    "com.docker.compose.container-number": "1",
  };
  const web = () =>
    request({ Labels: labels, HostConfig: { Memory: 2 * GIB, PortBindings: { "80/tcp": [{ HostPort: "80" }] } } });

  it("lets Compose create the successor on the only node there is", () => {
    const cluster = new TestCluster([nodeView("n1")]);
    expect([cluster.run(web()), cluster.run(web())]).toEqual(["n1", "n1"]);
    expect(cluster.ledger.sums("id-n1").memory).toBe(2 * GIB);
    expect(cluster.run({ ...web(), succeeds: undefined })).toContain("no resources available");
  });
});
