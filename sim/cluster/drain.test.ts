/** What an operator does: nodes that take nothing new or are emptied, and copies that were kept aside. */
import { afterEach, describe, expect, it } from "vitest";
import { remainingOn } from "../../src/cluster/reschedule/drain.ts";
import { keptView } from "../../src/cluster/reschedule/kept.ts";
import { RESCHEDULE_EVERY_MS } from "../../src/kit/limits.ts";
import { isRunning } from "../engine/container.ts";
import { type ApiFace, openApi } from "./api-face.ts";
import { type Body, GB, refusal, World, type WorldOptions } from "./world.ts";

let world: World;
let api: ApiFace;
const open = async ({ nodes, ...options }: WorldOptions & { readonly nodes: number }): Promise<void> => {
  world = await World.open({ ...options, nodes: Array.from({ length: nodes }, () => ({ memory: 2 * GB })) });
  api = await openApi(world);
};
afterEach(async () => {
  await api.close();
  await world.close();
});

const always = { RestartPolicy: { Name: "always" } };
const prefers = (node: string, host: Body = always): Body => ({
  Labels: { "com.docker.swarm.constraints": JSON.stringify([`node==~${node}`]) },
  HostConfig: host,
});
const post = async (path: string): Promise<number> => (await api.call("POST", path).over).status;
const until = (what: string, holds: () => boolean | Promise<boolean>): Promise<void> =>
  world.until(what, () => {
    world.clock.hurry(RESCHEDULE_EVERY_MS);
    return holds();
  });
const placeOf = async (name: string): Promise<string> => {
  const row = (await world.list()).find(({ Names }) => Names[0] === `/${name}`);
  return `${row?.State} ${row?.Labels["shoal.NODE"] ?? "nowhere"}`;
};
const on = (node: string, host: Body): Body => ({
  Labels: { "com.docker.swarm.constraints": JSON.stringify([`node==${node}`]) },
  HostConfig: host,
});
const onNode = async (node: string): Promise<string[]> =>
  (await world.list())
    .filter(({ Labels }) => Labels["shoal.NODE"] === node)
    .map(({ Names, State }) => `${Names[0]} ${State}`)
    .sort();
const reasonsOn = (node: string): string[] => remainingOn(world.cluster, world.node(node)).map(({ why }) => why);
const PROJECT = { "com.docker.compose.project": "shop" };
const member = { HostConfig: { ...always, Memory: GB / 2, NetworkMode: "shop_default" } };
const networkIds = async (): Promise<string[]> =>
  (JSON.parse((await api.call("GET", "/networks").over).text) as { Id: string; Name: string }[])
    .filter(({ Name }) => Name === "shop_default")
    .map(({ Id }) => Id);
/** A network and two containers of one project on node-2. @returns the network's ID */
async function project(db: Body = {}): Promise<string> {
  const others = ["node-1", "node-3"].filter((name) => world.cluster.nodeByName(name));
  for (const name of others) await post(`/shoal/nodes/${name}/cordon`);
  const made = await api.call("POST", "/networks/create", { Name: "shop_default", Labels: PROJECT }).over;
  expect(made.status).toBe(201);
  await world.run("db", { Labels: PROJECT, HostConfig: { ...member.HostConfig, ...db } });
  await world.run("web", { Labels: PROJECT, ...member });
  await world.names();
  for (const name of others) await post(`/shoal/nodes/${name}/activate`);
  expect(await onNode("node-2")).toEqual(["/db running", "/web running"]);
  return JSON.parse(made.text).Id;
}
const onEngine = (node: string): string[] =>
  world
    .engine(node)
    .daemon.containers.all()
    .map((one) => `${one.name}${isRunning(one) ? " runs" : ""}`)
    .sort();

describe("a cordoned node", () => {
  it("takes nothing new, over a manager's restart, until it is activated", async () => {
    await open({ nodes: 2 });
    await world.run("before", prefers("node-2"));
    expect(await post("/shoal/nodes/node-2/cordon")).toBe(204);
    expect((await world.create("one", prefers("node-2"))).record.node.name).toBe("node-1");
    await world.restartManager();
    expect(world.node("node-2").cordoned).toBe(true);
    expect((await world.create("two", prefers("node-2"))).record.node.name).toBe("node-1");
    expect(await placeOf("before")).toBe("running node-2");
    await api.close();
    api = await openApi(world);
    expect(await post("/shoal/nodes/node-2/activate")).toBe(204);
    expect((await world.create("three", prefers("node-2"))).record.node.name).toBe("node-2");
    expect(await post("/shoal/nodes/node-9/cordon")).toBe(404);
  });
});

describe("a drained node", () => {
  it("loses what may leave, and says why the rest stays", async () => {
    await open({ nodes: 2 });
    const web = await world.run("web", prefers("node-2"));
    await world.run("job", prefers("node-2", {}));
    await world.run("data", prefers("node-2", { ...always, Binds: ["data:/data"] }));
    await world.names();
    expect(await post("/shoal/nodes/node-2/drain")).toBe(204);
    await until("web has left", async () => (await placeOf("web")) === "running node-1");
    expect(world.record("web")).toMatchObject({ id: web.id, epoch: 2 });
    await until("its copy is kept aside", () => onEngine("node-2").some((name) => name.startsWith("web.kept-")));
    expect(remainingOn(world.cluster, world.node("node-2")).map(({ name }) => name)).toEqual(["data", "job"]);
    expect(await placeOf("job")).toBe("running node-2");
    expect((await world.create("new", prefers("node-2"))).record.node.name).toBe("node-1");
  });

  it("keeps running what fits nowhere else", async () => {
    await open({ nodes: 2 });
    await world.run("full", prefers("node-1", { Memory: 1.5 * GB }));
    await world.run("web", prefers("node-2", { ...always, Memory: GB }));
    await world.names();
    await post("/shoal/nodes/node-2/drain");
    await until(
      "it is said",
      () => remainingOn(world.cluster, world.node("node-2"))[0]?.why.includes("no resources") === true,
    );
    expect(await placeOf("web")).toBe("running node-2");
    await world.remove("full");
    await until("web has left", async () => (await placeOf("web")) === "running node-1");
  });
});

describe("what leaves a drained node", () => {
  it("does not leave in numbers that no other node has room for", async () => {
    await open({ nodes: 2 });
    for (const name of ["one", "two", "three"]) await world.run(name, prefers("node-2", { ...always, Memory: GB / 2 }));
    await world.run("full", prefers("node-1", { Memory: GB }));
    await world.names();
    await post("/shoal/nodes/node-2/drain");
    await until("two have left", async () => (await onNode("node-1")).length === 3);
    await until("it is said", () => reasonsOn("node-2").join().includes("no resources"));
    expect(await onNode("node-2")).toHaveLength(1);
    expect(onEngine("node-2").filter((name) => name.endsWith(" runs"))).toHaveLength(1);
    expect(world.cluster.ledger.sums(world.node("node-1").id).memory).toBe(2 * GB);
  });

  it("goes as a whole with its network, and only where all of it has room", async () => {
    await open({ nodes: 3 });
    const id = await project();
    await world.run("full-1", on("node-1", { Memory: 1.5 * GB }));
    await world.run("full-3", on("node-3", { Memory: 1.5 * GB }));
    await world.names();
    await post("/shoal/nodes/node-2/drain");
    await until("it is said", () => reasonsOn("node-2").every((why) => why.includes("no resources")));
    expect(await onNode("node-2")).toEqual(["/db running", "/web running"]);
    await world.remove("full-3");
    await until("both have left", async () => (await onNode("node-3")).join() === "/db running,/web running");
    expect(await networkIds()).toEqual([id]);
    const networksOn = (node: string) =>
      world
        .engine(node)
        .daemon.networks.all()
        .map(({ name }) => name);
    await until("what it left is at rest, and the old network gone", () => {
      const aside = onEngine("node-2").every((name) => /^(db|web)\.kept-\w+$/.test(name));
      return aside && !networksOn("node-2").includes("shop_default");
    });
    expect(networksOn("node-3")).toContain("shop_default");
    await world.create("third", { ...member, Labels: PROJECT });
    expect(world.record("third").node.name).toBe("node-3");
    await world.cluster.writer.idle();
    expect(await world.store.list("left/")).toEqual([]);
  });

  it("stays as a whole, and says because of whom", async () => {
    await open({ nodes: 2 });
    await project({ Binds: ["data:/data"] });
    await post("/shoal/nodes/node-2/drain");
    await until("it is said", () => reasonsOn("node-2").length === 2);
    for (const why of reasonsOn("node-2")) expect(why).toContain("it belongs to db, and neither");
    expect(await onNode("node-2")).toEqual(["/db running", "/web running"]);
  });

  it("runs on where it is when the other node cannot pull its image", async () => {
    world = await World.open({ nodes: [{ memory: 2 * GB, pullable: [] }, { memory: 2 * GB }] });
    api = await openApi(world);
    await world.node("node-2").engine.text("POST", "/images/create?fromImage=private");
    await world.run("web", { ...prefers("node-2"), Image: "private" });
    await world.names();
    await post("/shoal/nodes/node-2/drain");
    await until("it is said", () => reasonsOn("node-2").join().includes("cannot pull private"));
    expect(await onNode("node-2")).toEqual(["/web running"]);
    expect(onEngine("node-2")).toEqual(["web runs"]);
  });

  it("is started again when its engine does not stop all of it", async () => {
    await open({ nodes: 2 });
    await project();
    const { engineId } = world.record("db");
    world.meddle("node-2").loseRequest(new RegExp(`^POST /containers/${engineId}/stop`));
    await post("/shoal/nodes/node-2/drain");
    await until("it is said", () => reasonsOn("node-2").length === 2 && !reasonsOn("node-2").join().includes("about"));
    await until("both run", () => onEngine("node-2").join() === "db runs,web runs");
    await until("it is known", () => !world.record("web").startsAgain && !world.record("db").startsAgain);
    expect(await onNode("node-2")).toEqual(["/db running", "/web running"]);
  });
});

describe("a node that is drained by force", () => {
  it("keeps nothing of ours running, and starts again what it stopped when it is active", async () => {
    await open({ nodes: 2 });
    await world.run("full", prefers("node-1", { Memory: 1.5 * GB }));
    await world.run("small", prefers("node-2"));
    await world.run("large", prefers("node-2", { ...always, Memory: GB }));
    await world.run("job", prefers("node-2", {}));
    await world.run("data", prefers("node-2", { ...always, Binds: ["data:/data"] }));
    const { containers, lifecycle } = world.engine("node-2").daemon;
    await world.node("node-2").engine.text("POST", "/containers/create?name=past", { Image: "busybox" });
    lifecycle.start(containers.get("past"));
    await world.until("what was made past shoal is known", async () => (await world.names()).includes("past"));
    expect(await post("/shoal/nodes/node-2/drain?force=1")).toBe(204);
    const runsThere = (): string =>
      onEngine("node-2")
        .filter((name) => name.endsWith(" runs"))
        .join();
    await until("it is as empty as may be", () => runsThere() === "past runs");
    await until("what found room runs", async () => (await placeOf("small")) === "running node-1");
    await until("what found none is pending", async () => (await placeOf("large")) === "pending nowhere");
    expect(reasonsOn("node-2")).toEqual([
      expect.stringMatching(/^it is stopped until node-2 is active again: neither/),
      expect.stringMatching(/^it is stopped until node-2 is active again: neither/),
      "it was not created through shoal",
    ]);
    await world.restartManager();
    await api.close();
    api = await openApi(world);
    expect(world.info().nodes["node-2"]?.Status ?? "").not.toBe("");
    await until("the manager has looked", async () => (await placeOf("large")) === "pending nowhere");
    expect(runsThere()).toBe("past runs");
    expect(await post("/shoal/nodes/node-2/activate")).toBe(204);
    await until("all run again", async () => {
      const places = await Promise.all(["job", "data", "large"].map(placeOf));
      return places.every((place) => place === "running node-2");
    });
    expect(await placeOf("small")).toBe("running node-1");
    await until("it is known", () => ["job", "data"].every((name) => !world.record(name).startsAgain));
  });
});

describe("a kept copy", () => {
  const replaced = async (): Promise<string> => {
    await open({ nodes: 2 });
    const { engineId } = await world.run("web", prefers("node-2"));
    await world.names();
    await post("/shoal/nodes/node-2/drain");
    await until("web has left", async () => (await placeOf("web")) === "running node-1");
    await until("its copy is kept aside", () => onEngine("node-2").join() === `web.kept-${engineId.slice(0, 12)}`);
    return engineId;
  };

  it("is told of once it is at rest, after what became of its container", async () => {
    const kept = await replaced();
    const { missedEvents } = world.cluster;
    await until("it is told", () => missedEvents.some(({ action }) => action === "kept"));
    const { id } = world.record("web");
    const told = missedEvents.filter(({ actorId }) => actorId === id);
    expect(told.map(({ action }) => action).sort()).toEqual(["kept", "pending", "reschedule"]);
    const attributes = told.find(({ action }) => action === "kept")?.attributes;
    expect(attributes).toMatchObject({ name: "web", kept, "node.name": "node-2" });
  });

  it("is shown, and removed for good by an operator alone", async () => {
    const id = await replaced();
    expect(keptView(world.cluster)).toMatchObject([{ ID: id, Name: "web", Node: "node-2", Reason: "replaced" }]);
    expect((await api.call("DELETE", "/shoal/kept/0123").over).status).toBe(404);
    expect((await api.call("DELETE", `/shoal/kept/${id.slice(0, 12)}`).over).status).toBe(204);
    expect(onEngine("node-2")).toEqual([]);
    expect(keptView(world.cluster)).toEqual([]);
    await world.cluster.writer.idle();
    expect(await world.store.list("tombstones/")).toEqual([]);
  });

  it("is a container again under a free name, also for the next manager", async () => {
    const id = await replaced();
    expect(await post(`/shoal/kept/${id}/restore`)).toBe(409);
    const made = await api.call("POST", `/shoal/kept/${id}/restore?name=old`).over;
    expect(made.status).toBe(201);
    expect(await placeOf("old")).toBe("exited node-2");
    expect(await refusal(world.create("old"))).toMatchObject({ status: 409 });
    await world.restartManager();
    expect(world.record("old").id).toBe(JSON.parse(made.text).Id);
    expect(world.record("web").node.name).toBe("node-1");
    await world.start("old");
    expect(await placeOf("old")).toBe("running node-2");
  });
});
