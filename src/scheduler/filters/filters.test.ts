import { describe, expect, it } from "vitest";
import type { NodeView } from "../node-view.ts";
import { GIB, nodeView, request, TestCluster } from "../testing.ts";
import { filtersByName } from "./index.ts";
import { accepted, checkOf } from "./testing.ts";

const three = (): TestCluster => new TestCluster([nodeView("n1"), nodeView("n2"), nodeView("n3")]);
const only = (node: NodeView): TestCluster => new TestCluster([node, nodeView("other")]);

describe("the registry", () => {
  it("is classic Swarm's seven in its order, then shoal's own", () => {
    expect(filtersByName([]).map((filter) => filter.name)).toEqual([
      "health",
      "port",
      "containerslots",
      "dependency",
      "affinity",
      "constraint",
      "whitelist",
      "cordon",
      "group",
      "resource",
      "bind",
      "volume",
      "network",
      "apiversion",
      "platform",
    ]);
  });

  it("lets --filter choose among the classic ones and keeps its order", () => {
    expect(filtersByName(["constraint", "health", "health"]).map((filter) => filter.name)).toEqual([
      "constraint",
      "health",
      "cordon",
      "group",
      "resource",
      "bind",
      "volume",
      "network",
      "apiversion",
      "platform",
    ]);
    expect(() => filtersByName(["health", "mood"])).toThrow(/^filter not supported$/);
  });
});

describe("health and cordon", () => {
  it("keep nodes out", () => {
    expect(accepted("health", only(nodeView("n1", { healthy: false })), {})).toEqual(["other"]);
    expect(accepted("cordon", only(nodeView("n1", { cordoned: true })), {})).toEqual(["other"]);
  });
});

describe("port", () => {
  const publish = (HostPort: string, HostIp = "", protocol = "tcp") => ({
    HostConfig: { PortBindings: { [`80/${protocol}`]: [{ HostIp, HostPort }] } },
  });

  it.each([
    [publish("80"), ["n2", "n3"]],
    [publish("80", "127.0.0.1"), ["n2", "n3"]],
    [publish("80", "", "udp"), ["n1", "n2", "n3"]],
    [publish("81"), ["n1", "n2", "n3"]],
    [publish("0"), ["n1", "n2", "n3"]],
    [{ HostConfig: { NetworkMode: "host" }, ExposedPorts: { "80/tcp": {} } }, ["n2", "n3"]],
  ])("%j beside 80/tcp on n1 may go to %j", (body, nodes) => {
    const cluster = three();
    cluster.run(request(publish("80")));
    expect(accepted("port", cluster, body)).toEqual(nodes);
  });

  it("says who holds it", () => {
    const cluster = three();
    cluster.run(request(publish("80", "127.0.0.1")));
    const check = checkOf("port", cluster, publish("80", "127.0.0.1"));
    expect(check?.why(nodeView("n1"))).toBe("port 127.0.0.1:80/tcp is held by c1");
    expect(check?.words).toEqual(["port 80 (Bridge mode)"]);
  });
});

describe("containerslots", () => {
  it.each([
    ["2", true],
    ["1", false],
    ["0", false],
    ["many", true],
    ["", true],
  ])("containerslots=%s beside one container: %s", (containerslots, expected) => {
    const cluster = new TestCluster([nodeView("n1", { labels: { containerslots } })]);
    cluster.containers.push({ id: "x", node: "id-n1", name: "x", image: "", labels: {} });
    expect(accepted("containerslots", cluster, {})).toEqual(expected ? ["n1"] : []);
  });
});

describe("what already lives somewhere", () => {
  function inhabited(): TestCluster {
    const cluster = three();
    cluster.containers.push({ id: "1", node: "id-n1", name: "db", image: "postgres", labels: { tier: "data" } });
    cluster.containers.push({ id: "2", node: "id-n2", name: "cache", image: "redis:7", labels: { tier: "fast" } });
    cluster.volumes.set("logs", ["id-n1", "id-n3"]).set("data", ["id-n3"]).set("old", ["id-n2"]);
    cluster.caches.set("npm", ["id-n2"]);
    cluster.networks.set("shop", ["id-n2"]);
    return cluster;
  }

  it.each([
    ["dependency", { HostConfig: { Links: ["db:db"] } }, ["n1"]],
    ["dependency", { HostConfig: { VolumesFrom: ["cache"] } }, ["n2"]],
    ["dependency", { HostConfig: { NetworkMode: "container:db" } }, ["n1"]],
    ["dependency", { HostConfig: { Links: ["db"], VolumesFrom: ["cache"] } }, []],
    ["dependency", { HostConfig: { Links: ["nobody", "db"] } }, ["n1"]],
    ["dependency", { HostConfig: { Links: ["nobody"] } }, ["n1", "n2", "n3"]],
    ["volume", { HostConfig: { Binds: ["logs:/l"] } }, ["n1", "n3"]],
    ["volume", { HostConfig: { Binds: ["logs:/l", "data:/d"] } }, ["n3"]],
    ["volume", { HostConfig: { Binds: ["logs:/l", "old:/o"] } }, []],
    ["volume", { HostConfig: { Binds: ["new:/n"] } }, ["n1", "n2", "n3"]],
    ["volume", { HostConfig: { Binds: ["n1/new:/n"] } }, ["n1"]],
    ["volume", { HostConfig: { Mounts: [{ Type: "volume", Source: "n3/logs", Target: "/l" }] } }, ["n3"]],
    ["volume", { HostConfig: { Binds: ["npm:/n"] } }, ["n1", "n2", "n3"]],
    ["volume", { Labels: { "shoal.cache": "true" }, HostConfig: { Binds: ["data:/d"] } }, ["n1", "n2", "n3"]],
    ["volume", { Labels: { "shoal.cache": "true" }, HostConfig: { Binds: ["n1/data:/d"] } }, ["n1"]],
    ["network", { HostConfig: { NetworkMode: "shop" } }, ["n2"]],
    ["network", { HostConfig: { NetworkMode: "unheard-of" } }, ["n1", "n2", "n3"]],
    ["affinity", { Env: ["affinity:container==db"] }, ["n1"]],
    ["affinity", { Env: ["affinity:container!=/^(db|cache)$/"] }, ["n3"]],
    ["affinity", { Env: ["affinity:image==redis:*"] }, ["n2"]],
    ["affinity", { Env: ["affinity:tier==data"] }, ["n1"]],
    ["affinity", { Env: ["affinity:tier!=*a*"] }, ["n3"]],
    ["affinity", { Env: ["affinity:container==nobody"] }, []],
    ["affinity", { Env: ["affinity:container==~nobody"] }, ["n1", "n2", "n3"]],
  ])("%s %j: %j", (filter, body, nodes) => {
    expect(accepted(filter, inhabited(), body)).toEqual(nodes);
  });

  it.each([
    [{ HostConfig: { Binds: ["npm:/n"] } }],
    [{ Labels: { "shoal.cache": "true" }, HostConfig: { Binds: ["old:/o"] } }],
  ])("a cache only draws: %j", (body) => {
    expect(inhabited().run(request(body))).toBe("n2");
    const elsewhere = { ...body, Env: ["constraint:node==n1"] };
    expect(inhabited().run(request(elsewhere))).toBe("n1");
  });

  it("a name that several nodes have is not guessed, whatever keeps one of them out but what is asked", () => {
    const refused = 'The volume name "logs" is on several nodes: say which one, n1/logs or n3/logs';
    const body = { HostConfig: { Binds: ["logs:/l"] } };
    expect(inhabited().run(request(body))).toBe(refused);
    const cluster = inhabited();
    cluster.nodes = cluster.nodes.map((node) =>
      node.name === "n1" ? { ...node, healthy: false, cordoned: true } : node,
    );
    expect(cluster.run(request(body))).toBe(refused);
    expect(inhabited().run(request(body), { exclude: new Map([["id-n1", "failed"]]) })).toBe(refused);
    expect(inhabited().run(request({ ...body, Env: ["constraint:node!=n1"] }))).toBe("n3");
    expect(inhabited().run(request({ HostConfig: { Binds: ["logs:/l", "data:/d"] } }))).toBe("n3");
    expect(inhabited().run(request({ HostConfig: { Binds: ["n1/logs:/l"] } }))).toBe("n1");
    expect(inhabited().run(request({ HostConfig: { Binds: ["logs:/l"], VolumesFrom: ["db"] } }))).toBe("n1");
  });

  it("says where each is", () => {
    const body = { HostConfig: { Links: ["db"], VolumesFrom: ["cache"] } };
    expect(checkOf("dependency", inhabited(), body)?.summary).toBe(
      "container db (--link) is on n1; container cache (--volumes-from) is on n2",
    );
    expect(checkOf("volume", inhabited(), { HostConfig: { Binds: ["logs:/l", "old:/o"] } })?.summary).toBe(
      "volume logs is on n1, n3; volume old is on n2",
    );
  });
});

describe("constraint", () => {
  const cluster = new TestCluster([
    nodeView("node-1", {
      labels: { storage: "ssd", operatingsystem: "fake", node: "fake", Rack: "7" },
      standard: { operatingsystem: "Debian GNU/Linux 12", storagedriver: "overlay2", driver: "overlay2" },
    }),
    nodeView("node-2", {
      labels: { storage: "disk" },
      standard: { operatingsystem: "Alpine", kernelversion: "6.1.0" },
    }),
    nodeView("node-3"),
  ]);

  it.each([
    ["storage==ssd", ["node-1"]],
    ["storage!=ssd", ["node-2", "node-3"]],
    ["storage==*s*", ["node-1", "node-2"]],
    ["storage==*", ["node-1", "node-2"]],
    ["storage!=*", ["node-3"]],
    ["storage==/^(ssd|disk)$/", ["node-1", "node-2"]],
    ["storage!=/(?i)SS/", ["node-2", "node-3"]],
    ["storage==~ssd", ["node-1", "node-2", "node-3"]],
    ["Storage==ssd", []],
    ["Rack==7", ["node-1"]],
    ["node==node-2", ["node-2"]],
    ["Node==id-node-2", ["node-2"]],
    ["node!=node-2", ["node-1", "node-3"]],
    ["node==fake", []],
    ["OperatingSystem==Debian*", ["node-1"]],
    ["operatingsystem==fake", []],
    ["KERNELVERSION==6.*", ["node-2"]],
    ["storagedriver==overlay2", ["node-1"]],
    ["Driver==overlay2", ["node-1"]],
    ["ostype==linux", ["node-1", "node-2", "node-3"]],
    ["architecture!=x86_64", []],
    ["executiondriver!=native", ["node-1", "node-2", "node-3"]],
  ])("%s: %j", (expression, nodes) => {
    const body = { Env: [`constraint:${expression}`] };
    expect(accepted("constraint", cluster, body)).toEqual(nodes);
    expect(accepted("constraint", cluster, body)).toEqual(nodes);
  });

  it("sees a changed label at once", () => {
    const body = { Env: ["constraint:zone==eu*"] };
    const changing = new TestCluster([nodeView("n1", { labels: { zone: "eu-1" } })]);
    expect(accepted("constraint", changing, body)).toEqual(["n1"]);
    changing.nodes = [nodeView("n1", { labels: { zone: "us-1" } })];
    expect(accepted("constraint", changing, body)).toEqual([]);
  });

  it("says what the node has instead", () => {
    const check = checkOf("constraint", cluster, { Env: ["constraint:storage==ssd"] });
    expect(cluster.nodes.map((node) => check?.why(node))).toEqual([
      "",
      "storage is disk, storage==ssd asked",
      "storage is not set, storage==ssd asked",
    ]);
  });
});

describe("whitelist", () => {
  it.each([
    ["node==n1|n3", ["n1", "n3"]],
    ["anything==n2", ["n2"]],
    ["node!=n1|n3", ["n2"]],
    ["node==n*", ["n1", "n2", "n3"]],
  ])("%s: %j", (expression, nodes) => {
    expect(accepted("whitelist", three(), { Env: [`whitelist:${expression}`] })).toEqual(nodes);
  });
});

describe("resource", () => {
  it("names what is free and what is asked", () => {
    const cluster = three();
    cluster.run(request({ HostConfig: { Memory: GIB, NanoCpus: 8e8 } }));
    const check = checkOf("resource", cluster, { HostConfig: { Memory: 10 * GIB, NanoCpus: 5e8 } });
    expect(cluster.nodes.map((node) => check?.accepts(node))).toEqual([false, false, false]);
    expect(check?.why(cluster.nodes[0] ?? nodeView("n1"))).toBe(
      "0.25 of 1.05 CPUs free, 0.5 asked; 1.1 GiB of 2.1 GiB memory free, 10 GiB asked",
    );
  });

  it("refuses more CPUs than the machine has, overcommit or not", () => {
    const check = checkOf("resource", three(), { HostConfig: { NanoCpus: 1.04e9 } });
    expect(check?.accepts(nodeView("n1"))).toBe(false);
    expect(check?.why(nodeView("n1"))).toBe("the machine has 1 CPUs, 1.04 asked");
  });
});

describe("bind", () => {
  const cluster = new TestCluster([
    nodeView("n1", { labels: { "shoal.path": "/srv/ci, /data/,relative" } }),
    nodeView("n2", { labels: { "shoal.path": "/srv" } }),
    nodeView("n3"),
  ]);
  const mounted = (...paths: string[]) => ({
    HostConfig: { Binds: paths.map((path) => `${path}:/x`), Mounts: [{ Type: "bind", Source: "/srv", Target: "/y" }] },
  });

  it.each([
    ["/srv/ci", ["n1", "n2"]],
    ["/srv/ci/job/7", ["n1", "n2"]],
    ["/srv/cinema", ["n2"]],
    ["/srv/ci/../other", ["n2"]],
    ["/data", ["n1"]],
    ["/data/", ["n1"]],
    ["/database", ["n1", "n2", "n3"]],
    ["/etc", ["n1", "n2", "n3"]],
    ["relative", ["n1", "n2", "n3"]],
  ])("%s may go to %j", (path, nodes) => {
    expect(accepted("bind", cluster, { HostConfig: { Binds: [`${path}:/x:ro`] } })).toEqual(nodes);
  });

  it("wants a node that declares all of what any declares", () => {
    expect(accepted("bind", cluster, mounted("/etc"))).toEqual(["n2"]);
    expect(accepted("bind", cluster, mounted("/data"))).toEqual([]);
    const check = checkOf("bind", cluster, mounted("/data"));
    expect(cluster.nodes.map((node) => check?.why(node))).toEqual([
      "does not declare /srv (label shoal.path)",
      "does not declare /data (label shoal.path)",
      "does not declare /data, /srv (label shoal.path)",
    ]);
    expect(check?.words).toEqual(["bind /data", "bind /srv"]);
  });
});

describe("apiversion", () => {
  const cluster = new TestCluster([nodeView("old", { apiVersion: "1.41" }), nodeView("new", { apiVersion: "1.51" })]);
  const body = { HostConfig: { Annotations: { a: "b" } }, Healthcheck: { StartInterval: 1 } };

  it("goes to an engine that knows every field, and names both versions", () => {
    expect(accepted("apiversion", cluster, body)).toEqual(["new"]);
    expect(checkOf("apiversion", cluster, body)?.why(nodeView("old", { apiVersion: "1.43" }))).toBe(
      "its engine speaks API 1.43, Healthcheck.StartInterval needs 1.44",
    );
    expect(accepted("apiversion", cluster, {})).toEqual(["old", "new"]);
  });
});

describe("platform", () => {
  const cluster = new TestCluster([
    nodeView("intel"),
    nodeView("arm", { standard: { architecture: "aarch64" } }),
    nodeView("win", { standard: { ostype: "windows" } }),
  ]);

  it.each([
    ["linux", ["intel", "arm"], [0, 0]],
    ["linux/arm64/v8", ["intel", "arm"], [1, 0]],
    ["windows/amd64", ["win"], [0]],
    ["arm64", ["intel", "arm", "win"], [1, 0, 1]],
  ])("%s: %j, breaking %j", (platform, nodes, broken) => {
    expect(accepted("platform", cluster, {}, platform)).toEqual(nodes);
    const check = checkOf("platform", cluster, {}, platform);
    const misses = cluster.nodes
      .filter((node) => nodes.includes(node.name))
      .map((node) => check?.soft?.filter((rule) => !rule.holds(node)).length);
    expect(misses).toEqual(broken);
  });
});
