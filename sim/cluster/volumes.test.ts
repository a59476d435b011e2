/** Volumes over several simulated engines: where they are made and used, told apart, listed, removed. */
import { afterEach, describe, expect, it } from "vitest";
import { compileMatcher } from "../../src/scheduler/matcher.ts";
import { type ApiAnswer, ApiClient } from "./api-client.ts";
import { refusal, World, type WorldOptions } from "./world.ts";

let world: World;
let api: ApiClient;
afterEach(async () => {
  await api.close();
  await world.close();
});

/** @param there names of volumes that the engines have before, by node */
async function open(
  there: Readonly<Record<string, readonly string[]>> = {},
  options: WorldOptions = {},
): Promise<void> {
  world = World.prepare({ nodes: 3, strategy: "spread", foreign: "protect", ...options });
  for (const [node, names] of Object.entries(there)) {
    for (const name of names) world.engine(node).daemon.volumes.create(name, {});
  }
  world.join();
  await world.healthy();
  api = await ApiClient.open(world);
}

interface Volume {
  readonly Name: string;
  readonly Labels: Readonly<Record<string, string>> | null;
  readonly Node?: { readonly Name: string };
}

const make = (body: object): Promise<ApiAnswer> => api.call("POST", "/volumes/create", body);
const rm = (ref: string, query = ""): Promise<ApiAnswer> => api.call("DELETE", `/volumes/${ref}${query}`);
const inspect = async (ref: string): Promise<Volume> =>
  JSON.parse((await api.call("GET", `/volumes/${ref}`)).text) as Volume;
async function listed(filters?: Record<string, readonly string[]>): Promise<string[]> {
  const query = filters ? `?filters=${encodeURIComponent(JSON.stringify(filters))}` : "";
  const { status, text } = await api.call("GET", `/volumes${query}`);
  expect(status, text).toBe(200);
  return (JSON.parse(text) as { Volumes: Volume[] }).Volumes.map(({ Name }) => Name);
}
/** The nodes whose engine has a volume of the name. */
const holders = (name: string): string[] =>
  world.engines.filter(({ daemon }) => daemon.volumes.has(name)).map((engine) => engine.name);
const using = (volume: string, more: object = {}) => ({ HostConfig: { Binds: [`${volume}:/data`] }, ...more });
const runs = async (name: string, body: object): Promise<string> => (await world.run(name, { ...body })).node.name;

describe("a volume that is made", () => {
  it("is on one node, and what uses it goes there", async () => {
    await open();
    const made = await make({ Name: "data", Labels: { app: "shop" } });
    expect(made.status).toBe(201);
    expect(JSON.parse(made.text)).toMatchObject({ Name: "data", Labels: { app: "shop" } });
    expect(made.text).not.toContain("shoal.hint");
    const [home] = holders("data");
    expect(holders("data")).toHaveLength(1);
    for (const name of ["one", "two", "three", "four"]) expect(await runs(name, using("data"))).toBe(home);
    expect(await inspect("data")).toMatchObject({ Name: "data", Labels: { app: "shop" }, Node: { Name: home } });
    expect(JSON.stringify(await inspect("data"))).not.toContain("shoal.hint");
    expect(await listed()).toEqual(["data"]);
    expect((await api.call("GET", "/volumes")).text).not.toContain("shoal.hint");
  });

  it("is where the client says, and the name is answered where it lives", async () => {
    await open();
    const made = JSON.parse((await make({ Name: "node-2/data" })).text) as Volume;
    expect(made.Name).toBe("data");
    expect(holders("data")).toEqual(["node-2"]);
    expect((await make({ Name: "data", Labels: { other: "x" } })).status).toBe(201);
    expect(holders("data")).toEqual(["node-2"]);
    // As an engine shows those of a create without any.
    expect((await inspect("data")).Labels).toBeNull();
    expect((await make({ Name: "nowhere/data" })).message).toContain("includes invalid characters");
  });

  it("gets a name from its engine when it has none, and is answered so", async () => {
    await open();
    const { Name } = JSON.parse((await make({})).text) as Volume;
    expect(Name).toMatch(/^[0-9a-f]{64}$/);
    expect(await listed()).toEqual([Name]);
  });

  it("is one when several clients make it at once, and when creates do", async () => {
    await open();
    const bodies = Array.from({ length: 6 }, (_, i) => make({ Name: "data", Labels: { by: String(i) } }));
    for (const { status } of await Promise.all(bodies)) expect(status).toBe(201);
    expect(holders("data")).toHaveLength(1);
    await Promise.all(["one", "two", "three"].map((name) => world.run(name, using("fresh"))));
    await Promise.all([make({ Name: "both" }), world.run("user", using("both")), make({ Name: "both" })]);
    expect(holders("fresh")).toHaveLength(1);
    expect(holders("both")).toHaveLength(1);
  });

  it("goes to the next node when one has no space", async () => {
    await open({}, { nodes: 2 });
    world.engine("node-1").faults.failNext("POST /volumes/create", 500, "mkdir: no space left on device");
    expect((await make({ Name: "data" })).status).toBe(201);
    expect(holders("data")).toEqual(["node-2"]);
    world.engine("node-2").faults.failNext("POST /volumes/create", 400, "create data: driver says no");
    expect(await make({ Name: "data" })).toMatchObject({ status: 400, message: "create data: driver says no" });
  });
});

describe("a name that several nodes have", () => {
  const there = { "node-1": ["data", "one"], "node-3": ["data"] };

  it("is told apart, never guessed", async () => {
    await open(there);
    expect(await listed()).toEqual(["node-1/data", "node-3/data", "one"]);
    const refused = 'The volume name "data" is on several nodes: say which one, node-1/data or node-3/data';
    for (const answer of [await make({ Name: "data" }), await rm("data"), await api.call("GET", "/volumes/data")]) {
      expect(answer).toMatchObject({ status: 409, message: refused });
    }
    expect(await refusal(world.create("web", using("data")))).toEqual({ status: 409, message: refused });
    expect(await inspect("node-3/data")).toMatchObject({ Name: "data", Node: { Name: "node-3" } });
    expect(holders("data")).toEqual(["node-1", "node-3"]);
  });

  it("is used where the client says (F11), or where all else leaves one", async () => {
    await open(there);
    expect(await runs("aa", using("node-3/data"))).toBe("node-3");
    expect(
      await runs("bb", { HostConfig: { Mounts: [{ Type: "volume", Source: "node-1/data", Target: "/d" }] } }),
    ).toBe("node-1");
    expect(await runs("cc", using("data", { Env: ["constraint:node==node-3"] }))).toBe("node-3");
    expect(await runs("dd", { HostConfig: { Binds: ["data:/d", "one:/o"] } })).toBe("node-1");
    expect(holders("data")).toEqual(["node-1", "node-3"]);
    expect((await world.inspect("bb")).Mounts).toMatchObject([{ Type: "volume", Name: "data" }]);
  });

  it("may be a cache's: used anywhere, one stands for all, and all go", async () => {
    await open(there, { cacheVolumes: [compileMatcher("da*")], foreign: "manage" });
    expect(await runs("aa", using("data", { Env: ["constraint:node==node-2"] }))).toBe("node-2");
    expect(["node-1", "node-3"]).toContain(await runs("bb", using("data")));
    expect((await make({ Name: "data" })).status).toBe(201);
    expect((await inspect("data")).Node?.Name).toBe("node-1");
    for (const name of ["aa", "bb"]) await world.remove(name);
    expect((await rm("data")).status).toBe(204);
    expect(holders("data")).toEqual([]);
  });
});

describe("a volume on a node that is lost", () => {
  it("is not made again elsewhere, by this manager or by the next", async () => {
    await open();
    await make({ Name: "node-1/data" });
    await world.run("user", using("way", { Env: ["constraint:node==node-1"] }));
    world.engine("node-1").faults.dead(true);
    await world.until("it is noticed", () => !world.node("node-1").reachable);
    const check = async (): Promise<void> => {
      for (const name of ["data", "way"]) {
        const { status, message } = await refusal(world.create("web", using(name)));
        expect(status).toBe(409);
        expect(message).toContain(`volume ${name} is on node-1`);
      }
      expect((await make({ Name: "data" })).status).toBe(503);
    };
    await check();
    expect(await rm("data")).toMatchObject({ status: 503 });
    await world.cluster.writer.idle();
    await world.crashManager();
    await world.until("the others are there", () =>
      ["node-2", "node-3"].every((name) => world.cluster.nodeByName(name)?.known),
    );
    await api.close();
    api = await ApiClient.open(world);
    await check();
    expect(holders("data")).toEqual(["node-1"]);
    world.engine("node-1").faults.dead(false);
  });
});

describe("removing a volume", () => {
  it("takes what is ours, once, in an engine's words", async () => {
    await open();
    await make({ Name: "data" });
    await world.run("user", using("data"));
    const { id } = world.record("user");
    expect(await rm("data")).toMatchObject({ status: 409, message: `remove data: volume is in use - [${id}]` });
    await world.remove("user");
    expect((await rm("data")).status).toBe(204);
    expect(holders("data")).toEqual([]);
    expect(await listed()).toEqual([]);
    expect(await rm("data")).toMatchObject({ status: 404, message: "get data: no such volume" });
    expect((await rm("data", "?force=1")).status).toBe(204);
    expect(await api.call("GET", "/volumes/data")).toMatchObject({ status: 404, message: "get data: no such volume" });
  });

  it("leaves what is foreign alone unless its node is named, also when a create of ours found it there", async () => {
    await open({ "node-1": ["theirs", "unused"] });
    await make({ Name: "theirs" });
    await world.run("user", using("theirs"));
    await world.remove("user");
    for (const query of ["", "?force=1"]) {
      const { status, message } = await rm("theirs", query);
      expect(status).toBe(409);
      expect(message).toContain("was not created through shoal: to remove it, address it as node-1/theirs");
    }
    await api.call("POST", "/volumes/prune?filters=%7B%22all%22%3A%5B%22true%22%5D%7D");
    expect(holders("theirs")).toEqual(["node-1"]);
    expect((await rm("node-1/theirs")).status).toBe(204);
    expect(holders("theirs")).toEqual([]);
  });

  it("by a prune takes what was made by itself and on a container's way, by labels too", async () => {
    await open({ "node-2": ["theirs"] });
    await make({ Name: "named", Labels: { keep: "no" } });
    await make({ Name: "kept", Labels: { keep: "yes" } });
    const { Name: unnamed } = JSON.parse((await make({})).text) as Volume;
    await world.run("user", using("way"));
    await world.remove("user");
    const prune = async (filters: object): Promise<string[]> => {
      const answer = await api.call("POST", `/volumes/prune?filters=${encodeURIComponent(JSON.stringify(filters))}`);
      return [...(JSON.parse(answer.text) as { VolumesDeleted: string[] }).VolumesDeleted].sort();
    };
    expect(await prune({})).toEqual([unnamed]);
    expect(await prune({ all: ["true"], "label!": ["keep=yes"] })).toEqual(["named", "way"]);
    expect(await prune({ all: ["true"], label: ["keep"] })).toEqual(["kept"]);
    expect(await listed()).toEqual(["theirs"]);
  });

  it("is known to be ours by what the engine keeps, when the store is lost", async () => {
    await open({}, { nodes: 2 });
    await make({ Name: "data" });
    await world.cluster.writer.idle();
    world.storeData.restore([]);
    await world.restartManager();
    await api.close();
    api = await ApiClient.open(world);
    expect((await rm("data")).status).toBe(204);
  });
});

describe("the list of volumes", () => {
  it("is filtered as an engine filters", async () => {
    await open({ "node-1": ["aa", "ab"], "node-2": ["bb"] });
    await make({ Name: "node-3/cc", Labels: { app: "shop" } });
    await world.run("user", using("ab"));
    expect(await listed()).toEqual(["aa", "ab", "bb", "cc"]);
    expect(await listed({ name: ["^a"] })).toEqual(["aa", "ab"]);
    expect(await listed({ label: ["app=shop"] })).toEqual(["cc"]);
    expect(await listed({ driver: ["local"], node: ["node-2"] })).toEqual(["bb"]);
    expect(await listed({ driver: ["other"] })).toEqual([]);
    expect(await listed({ dangling: ["true"] })).toEqual(["aa", "bb", "cc"]);
    expect(await listed({ dangling: ["false"] })).toEqual(["ab"]);
    for (const [filters, message] of [
      [{ nosuch: ["1"] }, "invalid filter 'nosuch'"],
      [{ dangling: ["maybe"] }, "invalid filter 'dangling=[maybe]'"],
    ] as const) {
      const answer = await api.call("GET", `/volumes?filters=${encodeURIComponent(JSON.stringify(filters))}`);
      expect(answer).toMatchObject({ status: 400, message });
    }
    const { text } = await api.call("GET", "/volumes?filters=%7B%22name%22%3A%5B%22cc%22%5D%7D");
    expect((JSON.parse(text) as { Volumes: Volume[] }).Volumes[0]?.Labels).toEqual({
      app: "shop",
      "shoal.NODE": "node-3",
    });
  });
});

describe("bodies that are not as they should be", () => {
  it.each([
    ["[]", 400],
    ['{"Name":"xx","Labels":[]}', 400],
    ['{"Name":"xx","name":"yy"}', 400],
    ['{"Name":', 400],
  ])("are refused, and nothing is made: %s", async (text, status) => {
    await open({}, { nodes: 1 });
    const answer = await api.call("POST", "/volumes/create", Buffer.from(text), { "Content-Type": "application/json" });
    expect(answer.status).toBe(status);
    expect(await listed()).toEqual([]);
  });
});
