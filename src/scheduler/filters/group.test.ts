import { describe, expect, it } from "vitest";
import { GIB, nodeView, request, TestCluster } from "../testing.ts";
import { accepted } from "./testing.ts";

const three = (): TestCluster => new TestCluster([nodeView("n1"), nodeView("n2"), nodeView("n3")]);

describe("group", () => {
  const web = (more: Readonly<Record<string, string>> = {}) => ({ Labels: { "shoal.group": "web", ...more } });
  const homed = (node = "id-n2"): TestCluster => {
    const cluster = three();
    const members = () => "2 containers (web-a, web-b), 1 network (web_default)";
    cluster.groups.set("shoal.group=web", { policy: "pack", home: { node, members } });
    return cluster;
  };

  it.each([
    [web(), ["n2"]],
    [web({ "shoal.group.policy": "pack" }), ["n2"]],
    [web({ "shoal.group.policy": "pack-then-spill" }), ["n1", "n2", "n3"]],
    [web({ "shoal.group.policy": "spread" }), ["n1", "n2", "n3"]],
    [{ Labels: { "shoal.group": "other" } }, ["n1", "n2", "n3"]],
    [{}, ["n1", "n2", "n3"]],
  ])("%j of a group on n2 may go to %j", (body, nodes) => {
    expect(accepted("group", homed(), body)).toEqual(nodes);
  });

  it("wishes for the home when it may spill", () => {
    const asked = request(web({ "shoal.group.policy": "pack-then-spill" }));
    expect(
      homed()
        .place(asked)
        .scores.map(({ node, softBroken }) => [node, softBroken]),
    ).toEqual([
      ["n2", []],
      ["n1", ["group shoal.group=web"]],
      ["n3", ["group shoal.group=web"]],
    ]);
  });

  it("says which members, which node, what is free there and what would help", () => {
    const cluster = homed();
    cluster.ledger.reserve({ id: "other", node: "id-n2", nanoCpus: 0, memory: 1.5 * GIB, ports: [] });
    const asked = request({ ...web(), HostConfig: { Memory: GIB } });
    expect(cluster.run(asked)).toBe(
      [
        "no resources available to schedule container",
        "group: 2 of 3 nodes; shoal.group=web lives on n2 with 2 containers (web-a, web-b), 1 network (web_default); make room there, or let its containers live apart with the label shoal.group.policy=pack-then-spill or spread",
        "resource: 1 of 3 nodes; nearest miss n2: 614.4 MiB of 2.1 GiB memory free, 1 GiB asked",
      ].join("\n"),
    );
  });

  it("says that the home is not there", () => {
    const cluster = homed("id-n3");
    cluster.nodes = [nodeView("n1"), nodeView("n3", { healthy: false })];
    expect(cluster.run(request(web()))).toMatch(
      /group: 1 of 2 nodes; shoal.group=web lives on n3, which cannot take anything now, with 2 containers/,
    );
    expect(homed("gone").run(request(web()))).toMatch(/shoal.group=web lives on a node that is not here with 2 /);
  });
});

describe("a new group", () => {
  it("needs room for what it reserves, and its members draw from that", () => {
    const cluster = new TestCluster([
      nodeView("n1", { cpus: 4, memory: GIB }),
      nodeView("n2", { cpus: 4, memory: 4 * GIB }),
    ]);
    const asked = (Memory: number) =>
      request({ HostConfig: { Memory }, Labels: { "shoal.group": "g", "shoal.reserve": "mem=3g,cpu=1" } });
    expect(cluster.run(asked(GIB))).toBe("n2");
    expect(cluster.ledger.sums("id-n2")).toEqual({ nanoCpus: 1e9, memory: 3 * GIB });
    expect(cluster.run(request({ HostConfig: { Memory: 2 * GIB } }))).toMatch(/^no resources available/);
    expect(cluster.run(asked(2 * GIB))).toBe("n2");
    expect(cluster.ledger.sums("id-n2")).toEqual({ nanoCpus: 1e9, memory: 3 * GIB });
  });

  it("is told that the reserve is too much, not its first container", () => {
    const asked = request({ HostConfig: { Memory: 100 }, Labels: { "shoal.group": "g", "shoal.reserve": "mem=3g" } });
    expect(three().run(asked)).toBe(
      [
        "no resources available to schedule container",
        "resource: 3 of 3 nodes; nearest miss n1: 2.1 GiB of 2.1 GiB memory free, 3 GiB asked (shoal.reserve)",
      ].join("\n"),
    );
  });
});
