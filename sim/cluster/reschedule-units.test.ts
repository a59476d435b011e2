/** What belongs together leaves a lost node as a whole or not at all, and its networks go with it. */
import { afterEach, describe, expect, it } from "vitest";
import { HOST_LOST_MS, RESCHEDULE_EVERY_MS } from "../../src/kit/limits.ts";
import { isRunning } from "../engine/container.ts";
import { type ApiFace, openApi } from "./api-face.ts";
import { type Body, GB, World } from "./world.ts";

let world: World;
let api: ApiFace;
async function open(mintIds = false): Promise<void> {
  world = await World.open({ mintIds, nodes: [{ memory: 2 * GB }, { memory: 2 * GB }] });
  api = await openApi(world);
}
afterEach(async () => {
  await api.close();
  await world.close();
});

const PROJECT = { "com.docker.compose.project": "shop" };
const member = (host: Body = {}, more: Body = {}): Body => ({
  Labels: PROJECT,
  HostConfig: { RestartPolicy: { Name: "always" }, NetworkMode: "shop_default", ...host },
  ...more,
});
const call = async (method: string, path: string, body?: unknown): Promise<{ status: number; text: string }> =>
  api.call(method, path, body).over;
const look = (): void => world.clock.hurry(RESCHEDULE_EVERY_MS);
async function lose(name: string): Promise<void> {
  world.engine(name).faults.vanished();
  await world.until(`${name} is lost`, () => !world.node(name).reachable);
  await world.until(`${name} does not take connections`, () => !world.node(name).engine.reached);
  world.clock.skip(HOST_LOST_MS);
  look();
}
const back = async (name: string): Promise<void> => {
  world.engine(name).faults.clear();
  await world.healthy();
};
const places = async (): Promise<string[]> =>
  (await world.list())
    .map(({ Names, State, Labels }) => `${Names[0]} ${State} ${Labels["shoal.NODE"] ?? "nowhere"}`)
    .sort();
const until = (expected: readonly string[]): Promise<void> =>
  world.until(expected.join(), async () => {
    look();
    return (await places()).join() === expected.join();
  });
const networkIds = async (name: string): Promise<string[]> =>
  (JSON.parse((await call("GET", "/networks")).text) as { Id: string; Name: string }[])
    .filter(({ Name }) => Name === name)
    .map(({ Id }) => Id);
const onEngine = (node: string): string[] => {
  const { containers, networks } = world.engine(node).daemon;
  return [
    ...containers.all().map((one) => `${one.name}${isRunning(one) ? " runs" : ""}`),
    ...networks
      .all()
      .filter(({ name }) => name === "shop_default")
      .map(({ name }) => name),
  ].sort();
};
/** A network and two containers of one project on node-2. */
async function project(web: Body = member(), db: Body = member()): Promise<string> {
  await world.run("full", {
    HostConfig: { Memory: 2 * GB },
    Labels: { "com.docker.swarm.constraints": '["node==node-1"]' },
  });
  // The emptier node is the group's home.
  const made = await call("POST", "/networks/create", { Name: "shop_default", Labels: PROJECT });
  expect(made.status).toBe(201);
  await world.run("db", db);
  await world.run("web", web);
  expect(await places()).toEqual(["/db running node-2", "/full running node-1", "/web running node-2"]);
  return (await networkIds("shop_default"))[0] ?? "";
}

describe.each([false, true])("a project of a lost node (minted IDs: %s)", (mintIds) => {
  it("goes on elsewhere with its network, and leaves nothing that holds its name", async () => {
    await open(mintIds);
    const id = await project();
    await world.remove("full");
    await lose("node-2");
    await until(["/db running node-1", "/web running node-1"]);
    expect(await networkIds("shop_default")).toEqual([id]);
    expect(onEngine("node-1")).toEqual(["db runs", "shop_default", "web runs"]);
    const inspect = JSON.parse((await call("GET", "/networks/shop_default")).text);
    expect([inspect.Id, Object.keys(inspect.Containers).length]).toEqual([id, 2]);
    await back("node-2");
    await world.until("its old copies are aside, and the old network is gone", () => {
      const left = onEngine("node-2");
      return left.length === 2 && left.every((name) => name.includes(".kept-") && !name.endsWith(" runs"));
    });
    expect(await networkIds("shop_default")).toEqual([id]);
    expect(await places()).toEqual(["/db running node-1", "/web running node-1"]);
  });

  it("waits with its network, and goes on where it was when nobody had room", async () => {
    await open(mintIds);
    const id = await project(member({ Memory: GB }), member({ Memory: GB / 2 }));
    await lose("node-2");
    await until(["/db pending nowhere", "/full running node-1", "/web pending nowhere"]);
    expect(await networkIds("shop_default")).toEqual([id]);
    expect(JSON.parse((await call("GET", "/networks/shop_default")).text).Name).toBe("shop_default");
    expect((await call("POST", "/networks/create", { Name: "shop_default" })).status).toBe(409);
    await world.crashManager();
    await api.close();
    api = await openApi(world);
    await world.until("node-1 is read", () => world.cluster.reachable().length === 1);
    expect(await networkIds("shop_default")).toEqual([id]);
    await back("node-2");
    await until(["/db running node-2", "/full running node-1", "/web running node-2"]);
    expect(await networkIds("shop_default")).toEqual([id]);
    expect(onEngine("node-2")).toEqual(["db runs", "shop_default", "web runs"]);
    await world.cluster.writer.idle();
    expect([...(await world.store.list("left/")), ...(await world.store.list("tombstones/"))]).toEqual([]);
  });
});

describe("a whole of which one part stays", () => {
  it("stays: a member that says never, or has a volume", async () => {
    await open();
    await project(member(), member({ Binds: ["data:/data"] }));
    await world.remove("full");
    await lose("node-2");
    look();
    await world.clock.sleep(20);
    look();
    await world.clock.sleep(20);
    expect((await world.list()).map(({ Status }) => Status)).toEqual(["Host Down", "Host Down"]);
    await back("node-2");
    await until(["/db running node-2", "/web running node-2"]);
  });

  it.each<[string, Body]>([
    ["its ipc namespace", { IpcMode: "container:main" }],
    ["its pid namespace", { PidMode: "container:main" }],
    ["its volumes", { VolumesFrom: ["main"] }],
  ])("stays while something that does not move uses %s, also for the next manager", async (_what, uses) => {
    await open();
    const Labels = { "com.docker.swarm.constraints": '["node==~node-2"]' };
    const always = { RestartPolicy: { Name: "always" } };
    await world.run("main", { Labels, HostConfig: always });
    await world.run("user", { HostConfig: uses });
    await world.run("other", { Labels, HostConfig: always });
    await world.names();
    await world.cluster.writer.idle();
    world.engine("node-2").faults.vanished();
    await world.crashManager();
    await lose("node-2");
    await world.until("the other has left", async () => {
      look();
      return (await places()).includes("/other running node-1");
    });
    const lost = (await world.list()).filter(({ Status }) => Status === "Host Down");
    expect(lost.map(({ Names }) => Names[0]).sort()).toEqual(["/main", "/user"]);
  });

  it("takes along what shares another's network, once that one is there", async () => {
    await open();
    const soft = { "com.docker.swarm.constraints": '["node==~node-2"]' };
    const always = { RestartPolicy: { Name: "always" } };
    await world.run("main", { Labels: soft, HostConfig: always });
    await world.run("side", { HostConfig: { ...always, NetworkMode: "container:main" } });
    await world.names();
    await lose("node-2");
    await until(["/main running node-1", "/side running node-1"]);
  });
});
