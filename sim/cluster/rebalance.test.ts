/** What `shoal rebalance` proposes: moves onto nodes that are new, back or better, none of them made. */
import { afterEach, describe, expect, it } from "vitest";
import { RESCHEDULE_EVERY_MS } from "../../src/kit/limits.ts";
import { type ApiFace, openApi } from "./api-face.ts";
import { type Body, entryOf, GB, World } from "./world.ts";

let world: World;
let api: ApiFace;
const size = { memory: 2 * GB };
async function open(nodes: number, labels: Readonly<Record<string, string>> = {}): Promise<void> {
  world = await World.open({ nodes: Array.from({ length: nodes }, () => ({ ...size, labels })) });
  api = await openApi(world);
}
afterEach(async () => {
  await api.close();
  await world.close();
});

const always = { RestartPolicy: { Name: "always" } };
const wishes = (wish: string, host: Body = always): Body => ({
  Labels: { "com.docker.swarm.constraints": JSON.stringify([wish]) },
  HostConfig: host,
});
interface Move {
  readonly Name: string;
  readonly From: string;
  readonly To: string;
  readonly Why: string;
  readonly With: readonly string[];
}
async function proposals(query = ""): Promise<readonly Move[]> {
  const { status, text } = await api.call("GET", `/shoal/rebalance${query}`).over;
  expect(status).toBe(200);
  return JSON.parse(text);
}
const inShort = ({ Name, From, To }: Move): string => `${Name} ${From} ${To}`;
async function joinNode(labels: Readonly<Record<string, string>> = {}): Promise<string> {
  const { name } = world.addEngine({ ...size, labels });
  world.join(world.engines.map((_, index) => entryOf(index + 1)));
  await world.healthy();
  return name;
}
const places = async (): Promise<string[]> =>
  (await world.list()).map(({ Names, Labels }) => `${Names[0]} ${Labels["shoal.NODE"]}`).sort();

describe("shoal rebalance", () => {
  it("proposes to fill a new node until all are as full, and moves nothing", async () => {
    await open(1);
    for (const name of ["one", "two", "three", "four"])
      await world.run(name, { HostConfig: { ...always, Memory: GB / 2 } });
    expect(await proposals()).toEqual([]);
    await joinNode();
    const before = await places();
    const moves = await proposals();
    expect(moves.map(({ From, To }) => `${From} ${To}`)).toEqual(["node-1 node-2", "node-1 node-2"]);
    expect(moves[0]?.Why).toBe(
      "100 % of the memory reserved with it on node-1, 25 % of the memory reserved with it on node-2",
    );
    world.clock.hurry(RESCHEDULE_EVERY_MS);
    expect(await proposals()).toEqual(moves);
    expect(await places()).toEqual(before);
    // Few nodes that are full are full already.
    expect(await proposals("?strategy=binpack")).toEqual([]);
    expect((await api.call("GET", "/shoal/rebalance?strategy=random").over).status).toBe(400);
  });

  it("evens out what reserves nothing by number", async () => {
    await open(1);
    for (const name of ["one", "two", "three"]) await world.run(name, { HostConfig: always });
    await joinNode();
    const moves = await proposals();
    expect(moves.map(({ From, To, Why }) => `${From} ${To}: ${Why}`)).toEqual([
      "node-1 node-2: node-1 has 2 containers beside it, node-2 0",
    ]);
  });

  it("proposes what keeps a wish that the present node does not", async () => {
    await open(1);
    await world.run("soft", wishes("storage==~ssd"));
    await world.run("hard", wishes("node==node-1"));
    await joinNode({ storage: "ssd" });
    expect((await proposals()).map((move) => `${inShort(move)}: ${move.Why}`)).toEqual([
      "soft node-1 node-2: node-2 keeps constraint storage==~ssd, which node-1 does not",
    ]);
  });

  it("leaves alone what may not move by itself, and proposes what belongs together as a whole", async () => {
    await open(1);
    const call = (path: string, body: unknown) => api.call("POST", path, body).over;
    await world.run("job", { HostConfig: { Memory: GB / 4 } });
    await world.run("data", { HostConfig: { ...always, Memory: GB / 4, Binds: ["data:/data"] } });
    expect((await call("/networks/create", { Name: "shop" })).status).toBe(201);
    const member = { HostConfig: { ...always, Memory: GB / 2, NetworkMode: "shop" } };
    await world.run("db", member);
    await world.run("web", member);
    await world.names();
    await joinNode();
    await world.until("the network is read", async () => (await proposals()).length > 0);
    expect((await proposals()).map((move) => `${inShort(move)} with ${move.With}`)).toEqual([
      "db node-1 node-2 with web",
      "web node-1 node-2 with db",
    ]);
    await world.run("stays", { HostConfig: { NetworkMode: "shop" } });
    await world.names();
    expect(await proposals()).toEqual([]);
  });
});
