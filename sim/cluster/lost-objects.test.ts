/** Networks and volumes when their node or their manager is lost: what was told stays known, what was not is made once. */
import { afterEach, describe, expect, it } from "vitest";
import { type ApiAnswer, ApiClient } from "./api-client.ts";
import { refusal, World } from "./world.ts";

let world: World;
let api: ApiClient;
afterEach(async () => {
  await api.close();
  await world.close();
});

async function open(mintIds = false): Promise<void> {
  world = await World.open({ nodes: 2, strategy: "spread", foreign: "protect", mintIds });
  api = await ApiClient.open(world);
}

const call = (method: string, path: string, body?: object): Promise<ApiAnswer> => api.call(method, path, body);
const make = (kind: string, Name: string, Labels: object = {}): Promise<ApiAnswer> =>
  call("POST", `/${kind}/create`, { Name, Labels });
const idOf = ({ text }: ApiAnswer): string => (JSON.parse(text) as { Id: string }).Id;

async function listed(kind: "networks" | "volumes"): Promise<readonly { Name: string; Id?: string }[]> {
  const told = JSON.parse((await call("GET", `/${kind}`)).text);
  return kind === "networks" ? told : told.Volumes;
}

/** The engines that have it. */
const having = (kind: "networks" | "volumes", name: string): string[] =>
  world.engines
    .filter(({ daemon }) => [...daemon[kind].all()].some((one) => one.name === name))
    .map((engine) => engine.name);

/** The node dies, then the manager; the next one knows all others. */
async function restartWithout(name: string): Promise<void> {
  world.engine(name).faults.dead();
  await world.crashManager();
  await world.until("the others are read", () => world.cluster.reachable().length === world.engines.length - 1);
  await api.close();
  api = await ApiClient.open(world);
}

async function back(name: string): Promise<void> {
  world.engine(name).faults.dead(false);
  await world.healthy();
}

const PROJECT = { "com.docker.compose.project": "shop" };

describe.each([false, true])("a new manager while a node is down (minted IDs: %s)", (mintIds) => {
  it("lists its networks and volumes, finds them, and makes none of them again", async () => {
    await open(mintIds);
    const id = idOf(await make("networks", "node-1/web"));
    await make("volumes", "node-1/data");
    world.engine("node-1").daemon.networks.create({ Name: "theirs" });
    await world.until("it is seen", async () => (await listed("networks")).some(({ Name }) => Name === "theirs"));
    await world.cluster.refresher.settled();
    await world.cluster.writer.idle();
    await restartWithout("node-1");
    expect((await listed("networks")).find(({ Name }) => Name === "web")?.Id).toBe(id);
    expect((await listed("networks")).map(({ Name }) => Name)).toContain("theirs");
    expect((await listed("volumes")).map(({ Name }) => Name)).toEqual(["data"]);
    for (const path of ["/networks/web", `/networks/${id}`, "/networks/theirs", "/volumes/data"]) {
      expect((await call("GET", path)).status, path).toBe(503);
    }
    for (const name of ["web", "theirs"]) expect((await make("networks", name)).status).toBe(409);
    expect((await make("volumes", "data")).status).toBe(503);
    const joining = await refusal(world.create("joins", { HostConfig: { NetworkMode: "web" } }));
    expect(joining).toMatchObject({ status: 409, message: expect.stringContaining("node-1") });
    await back("node-1");
    expect((await call("GET", `/networks/${id}`)).status).toBe(200);
    expect([having("networks", "web"), having("volumes", "data")]).toEqual([["node-1"], ["node-1"]]);
  });
});

describe("a network that was told of before any list showed it", () => {
  it("is listed by the next manager while its node is down", async () => {
    await open();
    world.meddle("node-1").hold(/^GET \/networks$/, 100);
    const id = idOf(await make("networks", "node-1/web", { tier: "front" }));
    await restartWithout("node-1");
    expect(await listed("networks")).toContainEqual(
      expect.objectContaining({ Id: id, Name: "web", Labels: { tier: "front", "shoal.NODE": "node-1" } }),
    );
  });
});

describe("a group whose home is down when its manager is started", () => {
  it("stays there, by a network alone", async () => {
    await open();
    await make("networks", "shop_default", PROJECT);
    const [home = ""] = having("networks", "shop_default");
    await restartWithout(home);
    const { message } = await refusal(world.create("web", { Labels: PROJECT }));
    expect(message).toContain(`lives on ${home}`);
    expect((await make("volumes", "shop_data", PROJECT)).message).toContain(home);
  });

  it("stays there, by a container whose row is not in the store yet", async () => {
    await open();
    const read = world.meddle("node-1").hold(/^GET \/containers\/json/, 100);
    await world.create("web", { Labels: PROJECT, Env: ["constraint:node==node-1"] });
    await restartWithout("node-1");
    read();
    const { message } = await refusal(world.create("api", { Labels: PROJECT }));
    expect(message).toContain("lives on node-1");
  });

  it("stays there, by a create that its manager left open, and so do the volumes of that", async () => {
    await open();
    const home = "node-1";
    const answer = world.meddle(home).hold(/^POST \/containers\/create/, 1);
    const body = { Labels: PROJECT, Env: [`constraint:node==${home}`], HostConfig: { Binds: ["data:/data"] } };
    const left = refusal(world.create("web", body));
    await world.until("it is made", () => having("volumes", "data").length > 0);
    await restartWithout(home);
    answer();
    await left;
    expect((await refusal(world.create("api", { Labels: PROJECT }))).message).toContain(`lives on ${home}`);
    const other = await refusal(world.create("other", { HostConfig: { Binds: ["data:/data"] } }));
    expect(other.message).toContain(`volume data is on ${home}`);
    await back(home);
    expect(having("volumes", "data")).toEqual([home]);
  });
});

describe("the volume of a create that its manager left open", () => {
  it("is where its container is, before any list of volumes tells", async () => {
    await open();
    const answer = world.meddle("node-1").hold(/^POST \/containers\/create/, 1);
    const body = { Env: ["constraint:node==node-1"], HostConfig: { Binds: ["data:/data"] } };
    const left = refusal(world.create("web", body));
    await world.until("it is made", () => having("volumes", "data").length > 0);
    const read = world.meddle("node-1").hold(/^GET \/volumes/, 100);
    const { calls } = world.engine("node-1");
    calls.reset();
    await world.crashManager();
    answer();
    await left;
    await world.until("its containers are read", () => calls.of("GET /containers/json") > 0);
    await api.close();
    api = await ApiClient.open(world);
    expect((await make("volumes", "data")).status).toBe(503);
    expect(having("volumes", "data")).toEqual(["node-1"]);
    read();
  });
});

describe("a create of a network that was not answered", () => {
  const NAME = "web";
  const lose = (how: "loseAnswer" | "loseRequest"): void => {
    for (const node of ["node-1", "node-2"]) world.meddle(node)[how](/^POST \/networks\/create/);
  };

  it("is found when somebody asks for the name again", async () => {
    await open();
    lose("loseAnswer");
    expect((await make("networks", NAME)).status).toBe(502);
    expect((await make("networks", NAME)).status).toBe(409);
    expect(having("networks", NAME)).toHaveLength(1);
  });

  it("leaves its name free when it was not made", async () => {
    await open();
    lose("loseRequest");
    expect((await make("networks", NAME)).status).toBe(502);
    expect((await make("networks", NAME)).status).toBe(201);
  });

  it("keeps its name while its node cannot be asked, for this manager and for the next", async () => {
    await open();
    const home = "node-1";
    world.meddle(home).loseRequest(/^POST \/networks\/create/);
    // Nor can it be read afterwards.
    const read = world.meddle(home).hold(/^GET \/networks$/, 100);
    expect((await make("networks", `${home}/${NAME}`)).status).toBe(502);
    world.engine(home).faults.dead();
    await world.until("it is noticed", () => !world.node(home).reachable);
    const held = { status: 503, message: expect.stringContaining(`may have been made on node ${home}`) };
    expect(await make("networks", NAME)).toMatchObject(held);
    await restartWithout(home);
    read();
    expect(await make("networks", NAME)).toMatchObject(held);
    expect((await refusal(world.create("joins", { HostConfig: { NetworkMode: NAME } }))).message).toContain(home);
    await back(home);
    expect((await make("networks", NAME)).status).toBe(201);
    expect(having("networks", NAME)).toHaveLength(1);
  });
});

describe("a create of a volume that was not answered", () => {
  it("goes to the same node again, and to no other while that cannot be asked", async () => {
    await open();
    for (const node of ["node-1", "node-2"]) world.meddle(node).loseAnswer(/^POST \/volumes\/create/);
    expect((await make("volumes", "data")).status).toBe(502);
    const [home = ""] = having("volumes", "data");
    world.engine(home).faults.dead();
    await world.until("it is noticed", () => !world.node(home).reachable);
    expect((await make("volumes", "data")).status).toBe(503);
    await restartWithout(home);
    expect((await make("volumes", "data")).status).toBe(503);
    await back(home);
    expect((await make("volumes", "data")).status).toBe(201);
    expect(having("volumes", "data")).toEqual([home]);
  });
});
