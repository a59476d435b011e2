/** Networks over a cluster: where they are made, who may join them, how they are listed, and what becomes of foreign ones. */
import { afterEach, describe, expect, it } from "vitest";
import { type ApiAnswer, ApiClient } from "./api-client.ts";
import { World, type WorldOptions } from "./world.ts";

interface Network {
  readonly Id: string;
  readonly Name: string;
  readonly Labels: Readonly<Record<string, string>>;
  readonly Containers: Readonly<Record<string, { readonly Name: string }>>;
  readonly Node?: { readonly Name: string };
}

interface Settings {
  readonly Networks: Readonly<Record<string, { readonly NetworkID: string }>>;
}

let world: World;
let api: ApiClient;
afterEach(async () => {
  await api.close();
  await world.close();
});

/** Engines that have a network `theirs` each. */
async function open(options: WorldOptions = { nodes: 3, strategy: "spread" }): Promise<void> {
  world = World.prepare(options);
  for (const { daemon } of world.engines) daemon.networks.create({ Name: "theirs" });
  world.join();
  await world.healthy();
  api = await ApiClient.open(world);
}

async function make(Name: string, rest: Record<string, unknown> = {}): Promise<string> {
  const { status, text } = await post("/networks/create", { Name, ...rest });
  expect(status, text).toBe(201);
  expect(JSON.parse(text)).toMatchObject({ Warning: "" });
  return (JSON.parse(text) as { Id: string }).Id;
}

const post = (path: string, body: unknown = {}): Promise<ApiAnswer> => api.call("POST", path, body);
const remove = (ref: string): Promise<ApiAnswer> => api.call("DELETE", `/networks/${ref}`);
/** The engines that have a network of the name. */
const having = (name: string): string[] =>
  world.engines
    .filter(({ daemon }) => daemon.networks.all().some((network) => network.name === name))
    .map((engine) => engine.name);

async function list(filters: Record<string, readonly string[]> = {}): Promise<Network[]> {
  const { status, text } = await api.call("GET", `/networks?filters=${encodeURIComponent(JSON.stringify(filters))}`);
  expect(status, text).toBe(200);
  return JSON.parse(text) as Network[];
}

const names = async (filters: Record<string, readonly string[]> = {}): Promise<string[]> =>
  (await list(filters)).map(({ Name }) => Name);

async function inspect(ref: string): Promise<Network> {
  const { status, text } = await api.call("GET", `/networks/${ref}`);
  expect(status, text).toBe(200);
  return JSON.parse(text) as Network;
}

describe("a network", () => {
  it("is made on one node, listed at once, found by name, ID and node/name, and joined where it is", async () => {
    await open();
    const id = await make("web", { Labels: { tier: "front" } });
    const [home = ""] = having("web");
    expect(having("web")).toHaveLength(1);
    const [row] = await list({ name: ["^web$"] });
    expect(row).toMatchObject({ Id: id, Name: "web", Labels: { tier: "front", "shoal.NODE": home } });
    expect(JSON.stringify(row)).not.toContain("shoal.hint");
    for (const ref of ["web", id, id.slice(0, 8), `${home}/web`]) {
      const found = await inspect(ref);
      expect(found).toMatchObject({ Id: id, Name: "web", Labels: { tier: "front" }, Node: { Name: home } });
      expect(Object.keys(found.Labels)).toEqual(["tier"]);
    }
    for (const [name, mode] of [
      ["c-a", "web"],
      ["c-b", id],
      ["c-c", id.slice(0, 10)],
      ["c-d", `${home}/web`],
    ] as const) {
      const { node } = await world.run(name, {
        HostConfig: { NetworkMode: mode },
        NetworkingConfig: { EndpointsConfig: { [mode]: { Aliases: ["alias"] } } },
      });
      expect(node.name).toBe(home);
    }
    const { Containers } = await inspect("web");
    expect(Object.keys(Containers).sort()).toEqual(
      ["c-a", "c-b", "c-c", "c-d"].map((name) => world.record(name).id).sort(),
    );
    const settings = (await world.inspect("c-d")).NetworkSettings as unknown as Settings;
    expect(settings.Networks.web?.NetworkID).toBe(id);
  });

  it("takes links to containers by their cluster IDs, at create and at connect", async () => {
    await open({ nodes: 2, strategy: "spread", mintIds: true });
    await make("web");
    const { record: db } = await world.create("db", { HostConfig: { NetworkMode: "web" } });
    const on = world.engine(db.node.name);
    const creates = world.meddle(db.node.name).record(/POST \/containers\/create/);
    const connects = world.meddle(db.node.name).record(/POST \/networks\/.*connect/);
    const links = { Links: [`${db.id}:base`, db.id.slice(0, 12), "db:plain"] };
    const known = [`${db.engineId}:base`, `${db.engineId}:${db.id.slice(0, 12)}`, "db:plain"];
    await world.create("app", {
      HostConfig: { NetworkMode: "web" },
      NetworkingConfig: { EndpointsConfig: { web: links } },
    });
    expect(JSON.parse(creates[0] ?? "").NetworkingConfig.EndpointsConfig.web).toEqual({ Links: known });
    await make(`${on.name}/back`);
    expect(await post("/networks/back/connect", { Container: "app", EndpointConfig: links })).toMatchObject({
      status: 200,
    });
    expect(JSON.parse(connects[0] ?? "").EndpointConfig).toEqual({ Links: known });
  });

  it("has its name for itself, also while it is being made", async () => {
    await open();
    const answers = await Promise.all(["1", "2", "3"].map(() => post("/networks/create", { Name: "web" })));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409]);
    expect(answers.find(({ status }) => status === 409)?.message).toBe("network with name web already exists");
    expect(having("web")).toHaveLength(1);
    expect(await post("/networks/create", { Name: "theirs" })).toMatchObject({ status: 409 });
    expect(await post("/networks/create", { Name: "bridge" })).toMatchObject({
      status: 403,
      message: "operation is not permitted on predefined bridge network",
    });
  });

  it("goes to the node that was named, and nowhere else", async () => {
    await open();
    await make("node-2/web");
    expect(having("web")).toEqual(["node-2"]);
    expect(await post("/networks/create", { Name: "node-9/web" })).toMatchObject({
      status: 400,
      message: "there is no node node-9 in the cluster",
    });
    await make("node-3/web");
    expect(await names({ name: ["web"] })).toEqual(["node-2/web", "node-3/web"]);
    expect(await remove("web")).toMatchObject({
      status: 409,
      message: 'The network name "web" is on several nodes: say which one, node-2/web or node-3/web',
    });
    expect((await remove("node-3/web")).status).toBe(204);
    expect(await names({ name: ["web"] })).toEqual(["web"]);
  });

  it("goes to the next node when one has no addresses left, until a network goes from it", async () => {
    await open({ nodes: 2, strategy: "binpack" });
    const first = world.engine("node-1").daemon.networks;
    first.pools = 2;
    await make("node-1/a");
    const full = await post("/networks/create", { Name: "node-1/b" });
    expect(full).toMatchObject({ status: 400, message: "all predefined address pools have been fully subnetted" });
    for (const name of ["c", "d"]) await make(name);
    expect([...having("c"), ...having("d")]).toEqual(["node-2", "node-2"]);
    await make("e", { IPAM: { Config: [{ Subnet: "10.9.0.0/24" }] } });
    const second = world.engine("node-2").daemon.networks;
    second.pools = 0;
    for (let i = 0; i < 2; i++) {
      expect(await post("/networks/create", { Name: "f" })).toMatchObject({
        status: 400,
        message: expect.stringMatching(
          /^all predefined address pools have been fully subnetted \(node node-\d\): remove networks there, give a subnet, or enlarge default-address-pools of its engine$/,
        ),
      });
    }
    expect((await remove("a")).status).toBe(204);
    await make("f");
    expect(having("f")).toEqual(["node-1"]);
    // Room that came without a network that went is found when there is none elsewhere.
    second.pools = 9;
    await make("g");
    expect(having("g")).toEqual(["node-2"]);
  });

  it("that its group's home has no addresses for is refused with who lives there and what helps", async () => {
    await open({ nodes: 2 });
    const Labels = { "com.docker.compose.project": "p" };
    await world.create("p-web", { Labels });
    const home = world.record("p-web").node.name;
    world.engine(home).daemon.networks.pools = 0;
    for (let i = 0; i < 2; i++) {
      expect(await post("/networks/create", { Name: "p_default", Labels })).toMatchObject({
        status: 400,
        message: `all predefined address pools have been fully subnetted (node ${home}, and com.docker.compose.project=p lives on ${home} with 1 container (p-web)): remove networks there, give a subnet, or enlarge default-address-pools of its engine`,
      });
    }
  });

  it("is made again on a node that a network went from while it was being asked", async () => {
    await open({ nodes: 2, strategy: "binpack" });
    const { faults, calls } = world.engine("node-1");
    await make("node-1/a");
    faults.failNext("POST /networks/create", 400, "all predefined address pools have been fully subnetted");
    const before = calls.of("POST /networks/create");
    faults.slowMs = 2_000;
    const passedOn = make("b");
    await world.until("node-1 is asked", () => calls.of("POST /networks/create") > before);
    faults.slowMs = 0;
    expect((await remove("a")).status).toBe(204);
    await passedOn;
    expect(having("b")).toEqual(["node-2"]);
    await make("c");
    expect(having("c")).toEqual(["node-1"]);
  });

  it("is removed, refused while it is used, and gone for everybody", async () => {
    await open();
    const id = await make("web");
    const { name } = await world.run("c-a", { HostConfig: { NetworkMode: "web" } });
    const refused = await remove("web");
    expect(refused.status).toBe(403);
    expect(refused.message).toContain(`name:"${name}"`);
    await world.remove("c-a");
    expect((await remove(id.slice(0, 12))).status).toBe(204);
    expect(await names()).not.toContain("web");
    expect(having("web")).toEqual([]);
    expect(await remove("web")).toMatchObject({ status: 404, message: "network web not found" });
    expect(await api.call("GET", "/networks/web")).toMatchObject({ status: 404, message: "network web not found" });
    await make("web");
  });

  it("of a node that does not answer stays listed, and is not removed", async () => {
    await open({ nodes: 2, strategy: "spread" });
    await make("node-2/web");
    expect(await names()).toContain("web");
    world.engine("node-2").faults.dead();
    await world.until("it is missed", () => !world.node("node-2").reachable);
    expect(await names()).toContain("web");
    for (const answer of [await remove("web"), await api.call("GET", "/networks/web")]) {
      expect(answer).toMatchObject({ status: 503, message: expect.stringContaining("node node-2 cannot be reached") });
    }
    expect(await post("/networks/create", { Name: "web" })).toMatchObject({ status: 409 });
  });

  it("that every engine makes for itself is listed once, and shows the containers of all", async () => {
    await open({ nodes: 2, strategy: "spread" });
    await world.run("c-a", { Env: ["constraint:node==node-1"] });
    await world.run("c-b", { Env: ["constraint:node==node-2"] });
    expect(await names({ type: ["builtin"] })).toEqual(["bridge", "host", "none"]);
    const { Id, Containers } = await inspect("bridge");
    expect(Object.keys(Containers).sort()).toEqual([world.record("c-a").id, world.record("c-b").id].sort());
    expect((await inspect(Id)).Name).toBe("bridge");
    expect(Object.keys((await inspect("node-2/bridge")).Containers)).toEqual([world.record("c-b").id]);
    expect(await remove("bridge")).toMatchObject({
      status: 403,
      message: "bridge is a pre-defined network and cannot be removed",
    });
  });
});

describe("the list of networks", () => {
  it.each([
    [{ name: ["web"] }, ["api", "web"].filter((name) => name === "web")],
    [{ label: ["tier=front"] }, ["web"]],
    [{ driver: ["host"] }, ["host"]],
    [{ scope: ["global"] }, []],
    [{ type: ["custom"], node: ["node-1"] }, ["api", "node-1/theirs", "web"]],
    [{ dangling: ["true"], node: ["node-1"] }, ["api", "node-1/theirs"]],
    [{ dangling: ["false"], node: ["node-1"] }, ["bridge", "host", "none", "web"]],
  ] as const)("keeps with %j: %j", async (filters, expected) => {
    await open({ nodes: 2, strategy: "spread" });
    await make("node-1/web", { Labels: { tier: "front" } });
    await make("node-1/api");
    await world.run("c-a", { HostConfig: { NetworkMode: "web" } });
    expect(await names(filters)).toEqual(expected);
    const id = (await inspect("web")).Id;
    expect(await names({ id: [id.slice(0, 20)] })).toEqual(["web"]);
  });

  it("refuses bad filters", async () => {
    await open({ nodes: 1 });
    const bad = (filters: string): Promise<ApiAnswer> =>
      api.call("GET", `/networks?filters=${encodeURIComponent(filters)}`);
    expect(await bad('{"nosuch":["x"]}')).toMatchObject({ status: 400, message: "invalid filter 'nosuch'" });
    expect(await bad('{"type":["x"]}')).toMatchObject({ message: "invalid filter: 'type'='x'" });
    expect(await bad("{")).toMatchObject({ status: 400 });
  });
});

describe("connecting and disconnecting", () => {
  it("happens on the node of both", async () => {
    await open();
    const id = await make("web");
    const [home = ""] = having("web");
    await world.run("c-a", { Env: [`constraint:node==${home}`] });
    for (const ref of ["web", id, `${home}/web`]) {
      expect((await post(`/networks/${ref}/connect`, { Container: world.record("c-a").id.slice(0, 12) })).status).toBe(
        200,
      );
      const [row] = await world.list({ filters: { name: ["^c-a$"] } });
      expect(row?.NetworkSettings.Networks.web?.NetworkID).toBe(id);
      expect((await post(`/networks/${ref}/disconnect`, { Container: "c-a", Force: true })).status).toBe(200);
      expect((await world.list())[0]?.NetworkSettings.Networks.web).toBeUndefined();
    }
    expect((await post("/networks/bridge/disconnect", { Container: "c-a" })).status).toBe(200);
    expect((await post("/networks/nosuch/connect", { Container: "c-a" })).message).toBe("network nosuch not found");
    expect((await post("/networks/web/connect", { Container: "c-b" })).message).toBe("No such container: c-b");
  });

  it("takes a network that nothing is in to the container's node, under its ID, for the next manager too", async () => {
    await open({ nodes: 3, strategy: "spread" });
    const IPAM = { Config: [{ Subnet: "10.77.0.0/24" }] };
    const id = await make("web", { Labels: { tier: "front" }, Internal: true, IPAM });
    const [first = ""] = having("web");
    const [other = "", third = ""] = world.engines.map(({ name }) => name).filter((name) => name !== first);
    await world.run("c-a", { Env: [`constraint:node==${other}`] });
    await world.run("c-b", { Env: [`constraint:node==${third}`] });
    expect(await post("/networks/web/connect", { Container: "c-a" })).toMatchObject({ status: 200 });
    expect(having("web")).toEqual([other]);
    const moved = { Id: id, Name: "web", Internal: true, Labels: { tier: "front" }, Node: { Name: other } };
    expect(await inspect(id)).toMatchObject({ ...moved, IPAM });
    expect((await list({ name: ["web"] })).map(({ Id }) => Id)).toEqual([id]);
    expect(world.warnings).toEqual([]);
    // Now it has a member.
    expect(await post("/networks/web/connect", { Container: "c-b" })).toMatchObject({ status: 409 });
    expect(having("web")).toEqual([other]);
    await world.restartManager();
    await api.close();
    api = await ApiClient.open(world);
    expect(await inspect("web")).toMatchObject(moved);
    expect((await post("/networks/web/disconnect", { Container: "c-a" })).status).toBe(200);
    expect((await post(`/networks/${id}/connect`, { Container: "c-b" })).status).toBe(200);
    expect(having("web")).toEqual([third]);
    expect((await remove(id)).status).toBe(403);
  });

  it("takes it along with one of two that are connected at once from two nodes", async () => {
    await open({ nodes: 3, strategy: "spread" });
    await make("web");
    const [first = ""] = having("web");
    const others = world.engines.map(({ name }) => name).filter((name) => name !== first);
    for (const node of others) await world.run(`c-${node}`, { Env: [`constraint:node==${node}`] });
    await list();
    const seenUnused = world.meddle(first).hold(/^GET \/containers\/json.*network/, 2);
    const { calls } = world.engine(first);
    calls.reset();
    const asked = others.map((node) => post("/networks/web/connect", { Container: `c-${node}` }));
    await world.until("both have looked", () => calls.of("GET /containers/json") >= 2);
    seenUnused();
    const answers = await Promise.all(asked);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect(having("web")).toHaveLength(1);
  });

  it("leaves a network where it is that a stopped container or a group has, or that is foreign", async () => {
    await open({ nodes: 2, strategy: "spread" });
    await make("used");
    const [first = ""] = having("used");
    const other = world.engines.find(({ name }) => name !== first)?.name ?? "";
    await world.create("ended", { HostConfig: { NetworkMode: "used" } });
    await make("grouped", { Labels: { "com.docker.compose.project": "shop" } });
    const [home = ""] = having("grouped");
    world.engine(first).daemon.networks.create({ Name: "strange" });
    await world.until("it is known", () => world.cluster.networks.named("strange").size === 1);
    await world.run("c-a", { Env: [`constraint:node==${other}`] });
    await world.run("c-b", { Env: [`constraint:node!=${home}`] });
    expect(await post("/networks/used/connect", { Container: "c-a" })).toMatchObject({ status: 409 });
    expect(await post("/networks/grouped/connect", { Container: "c-b" })).toMatchObject({ status: 409 });
    expect(await post("/networks/strange/connect", { Container: "c-a" })).toMatchObject({ status: 409 });
    expect([having("used"), having("grouped"), having("strange")]).toEqual([[first], [home], [first]]);
  });

  it("says what to do when they are on two nodes", async () => {
    await open({ nodes: 2, strategy: "spread" });
    await make("node-1/web");
    await world.run("c-a", { Env: ["constraint:node==node-2"] });
    expect(await post("/networks/web/connect", { Container: "c-a" })).toMatchObject({
      status: 409,
      message:
        "container c-a is on node node-2 and network web is on node node-1: make the container again with --network web, or the network with the label shoal.network=per-node",
    });
    expect((await post("/networks/web/disconnect", { Container: "c-a" })).message).toContain(
      "is not connected to network web",
    );
  });
});

describe("a network on every node", () => {
  const label = { "shoal.network": "per-node" };

  it("is one network of one ID that containers join anywhere, later nodes included", async () => {
    await open({ nodes: 2, strategy: "spread" });
    const id = await make("mesh", { Labels: label });
    expect(having("mesh")).toEqual(["node-1", "node-2"]);
    expect((await list({ name: ["mesh"] })).map(({ Id, Name }) => [Id, Name])).toEqual([[id, "mesh"]]);
    world.addEngine({});
    world.join();
    await world.healthy();
    for (const [name, node, mode] of [
      ["c-a", "node-1", "mesh"],
      ["c-b", "node-2", id],
      ["c-c", "node-3", id.slice(0, 12)],
    ] as const) {
      await world.run(name, {
        Env: [`constraint:node==${node}`],
        HostConfig: { NetworkMode: mode },
        NetworkingConfig: { EndpointsConfig: { [mode]: {} } },
      });
    }
    expect(having("mesh")).toEqual(["node-1", "node-2", "node-3"]);
    expect((await list({ name: ["mesh"] })).map(({ Id }) => Id)).toEqual([id]);
    const { Containers } = await inspect(id);
    expect(
      Object.values(Containers)
        .map(({ Name }) => Name)
        .sort(),
    ).toEqual(["c-a", "c-b", "c-c"]);
    const settings = (await world.inspect("c-c")).NetworkSettings as unknown as Settings;
    expect(settings.Networks.mesh?.NetworkID).toBe(id);
    expect((await remove("mesh")).status).toBe(403);
    expect(having("mesh")).toHaveLength(3);
    for (const name of ["c-a", "c-b", "c-c"]) await world.remove(name);
    expect((await remove("mesh")).status).toBe(204);
    expect(having("mesh")).toEqual([]);
  });

  it("is the same for the next manager, and what joins by connect finds it on its node", async () => {
    await open({ nodes: 2, strategy: "spread" });
    const id = await make("mesh", { Labels: label });
    world.addEngine({});
    world.join();
    await world.healthy();
    await world.restartManager();
    await api.close();
    api = await ApiClient.open(world);
    expect((await inspect("mesh")).Id).toBe(id);
    await world.run("c-a", { Env: ["constraint:node==node-3"] });
    expect((await post("/networks/mesh/connect", { Container: "c-a" })).status).toBe(200);
    expect(having("mesh")).toEqual(["node-1", "node-2", "node-3"]);
    expect((await list({ name: ["mesh"] })).map(({ Id }) => Id)).toEqual([id]);
  });

  it("has its ID in the events of its end, too, which come when it is known to be gone already", async () => {
    await open({ nodes: 2, strategy: "spread" });
    const reader = world.cluster.events.subscribe();
    const told: string[] = [];
    const read = async (count: number): Promise<void> => {
      while (told.length < count) {
        for (const { action, actorId } of (await reader.next()) ?? []) told.push(`${action} ${actorId}`);
      }
    };
    const id = await make("mesh", { Labels: label });
    await read(2);
    const releases = ["node-1", "node-2"].map((name) => world.meddle(name).holdEvents());
    expect((await remove("mesh")).status).toBe(204);
    expect(await names()).not.toContain("mesh");
    for (const release of releases) release();
    await read(4);
    world.cluster.events.unsubscribe(reader);
    expect(told).toEqual([`create ${id}`, `create ${id}`, `destroy ${id}`, `destroy ${id}`]);
  });
});

describe("a foreign network", () => {
  it("is listed and joined, and left alone otherwise, unless its node is named", async () => {
    await open({ nodes: 2, strategy: "spread" });
    world.engine("node-2").daemon.networks.create({ Name: "alone" });
    await world.until("it is known", () => world.cluster.networks.named("alone").size === 1);
    const { node } = await world.run("c-a", { HostConfig: { NetworkMode: "alone" } });
    expect(node.name).toBe("node-2");
    await world.run("c-b", { Env: ["constraint:node==node-2"] });
    for (const [answer, verb] of [
      [await remove("alone"), "remove"],
      [await post("/networks/alone/connect", { Container: "c-b" }), "connect"],
      [await post("/networks/alone/disconnect", { Container: "c-a" }), "disconnect"],
    ] as const) {
      expect(answer).toMatchObject({
        status: 409,
        message: `network alone on node node-2 was not created through shoal: to ${verb} it, address it as node-2/alone, or start the manager with --foreign manage`,
      });
    }
    expect((await post("/networks/node-2/alone/disconnect", { Container: "c-a" })).status).toBe(200);
    expect((await remove("node-2/alone")).status).toBe(204);
  });

  it("is not pruned; what is ours and unused is, by its filters", async () => {
    await open({ nodes: 2, strategy: "spread" });
    for (const name of ["old", "kept", "used"]) await make(name, { Labels: { [name]: "1" } });
    await world.run("c-a", { HostConfig: { NetworkMode: "used" } });
    const prune = async (filters: Record<string, readonly string[]>): Promise<unknown> =>
      JSON.parse((await post(`/networks/prune?filters=${encodeURIComponent(JSON.stringify(filters))}`)).text);
    expect(await prune({ until: ["24h"] })).toEqual({ NetworksDeleted: null });
    expect(await prune({ "label!": ["kept"] })).toEqual({ NetworksDeleted: ["old"] });
    expect(await prune({ label: ["used"] })).toEqual({ NetworksDeleted: null });
    expect(await prune({})).toEqual({ NetworksDeleted: ["kept"] });
    expect(await names({ type: ["custom"] })).toEqual(["node-1/theirs", "node-2/theirs", "used"]);
  });

  it("stays foreign, and ours ours, for the next manager, whose store may be new", async () => {
    await open({ nodes: 2, strategy: "spread", foreign: "protect" });
    await make("web");
    await world.restartManager();
    await api.close();
    api = await ApiClient.open(world);
    expect((await remove("web")).status).toBe(204);
    expect((await remove("node-1/theirs")).status).toBe(204);
    expect((await remove("theirs")).status).toBe(409);
  });
});

describe("with IDs unlike the engines'", () => {
  it("networks too are known by their cluster IDs alone", async () => {
    await open({ nodes: 2, strategy: "spread", mintIds: true });
    const reader = world.cluster.events.subscribe();
    const id = await make("web");
    const [home = ""] = having("web");
    const engineId = world.engine(home).daemon.networks.get("web").id;
    expect(id).not.toBe(engineId);
    await world.run("c-a", { HostConfig: { NetworkMode: id.slice(0, 12) } });
    expect((await list()).map(({ Id }) => Id)).toContain(id);
    expect(Object.keys((await inspect(id)).Containers)).toEqual([world.record("c-a").id]);
    const [row] = await world.list({ filters: { network: [id] } });
    expect(row?.NetworkSettings.Networks.web?.NetworkID).toBe(id);
    expect((await api.call("GET", `/networks/${engineId}`)).status).toBe(404);
    world.cluster.events.unsubscribe(reader);
    const told: string[] = [];
    for (const { type, action, actorId } of (await reader.next()) ?? []) {
      if (type === "network") told.push(`${action} ${actorId}`);
    }
    expect(told).toEqual([`create ${id}`, `connect ${id}`]);
  });
});
