/** What becomes of containers whose node is lost: pending, on another node, on their own again, or left where they are. */
import { afterEach, describe, expect, it } from "vitest";
import {
  BRAKE_NODES,
  ENGINE_GRACE_MS,
  ENGINE_HUNG_MS,
  HOST_LOST_MS,
  RESCHEDULE_EVERY_MS,
} from "../../src/kit/limits.ts";
import { isRunning } from "../engine/container.ts";
import { type ApiFace, openApi } from "./api-face.ts";
import { type Body, GB, type Row, refusal, World, type WorldOptions } from "./world.ts";

let world: World;
let api: ApiFace | undefined;
/** Engines of 2 GB. */
const open = async ({ nodes, ...options }: WorldOptions & { readonly nodes: number }): Promise<World> => {
  world = await World.open({ ...options, nodes: Array.from({ length: nodes }, () => ({ memory: 2 * GB })) });
  return world;
};
afterEach(async () => {
  await api?.close();
  api = undefined;
  await world.close();
});

const always = { RestartPolicy: { Name: "always" } };
const soft = (node: string, host: Body = always, more: Body = {}): Body => ({
  Labels: { "com.docker.swarm.constraints": JSON.stringify([`node==~${node}`]) },
  HostConfig: host,
  ...more,
});

/** The whole host gives no sign any more, and it has been so for long enough. */
async function lose(name: string): Promise<void> {
  world.engine(name).faults.vanished();
  await world.until(`${name} is lost`, () => !world.node(name).reachable);
  // The first dial after the verdict shows that not even the host answers.
  await world.until(`${name} does not take connections`, () => !world.node(name).engine.reached);
  world.clock.skip(HOST_LOST_MS);
  look();
}
const look = (): void => world.clock.hurry(RESCHEDULE_EVERY_MS);
const back = async (name: string): Promise<void> => {
  world.engine(name).faults.clear();
  await world.healthy();
};
async function row(name: string): Promise<Row | undefined> {
  return (await world.list()).find(({ Names }) => Names[0] === `/${name}`);
}
async function until(name: string, what: string, holds: (row: Row | undefined) => boolean): Promise<void> {
  await world.until(`${name} ${what}`, async () => {
    look();
    return holds(await row(name));
  });
}
const runsOn = (node: string) => (row: Row | undefined) =>
  row?.State === "running" && row.Labels["shoal.NODE"] === node && row.Status.startsWith("Up");
const isMoved = (row: Row | undefined, from: string): boolean =>
  row?.State === "running" && row.Labels["shoal.NODE"] !== from;
const isPending = (row: Row | undefined): boolean => row?.State === "pending";

const engineNames = (name: string): string[] =>
  world
    .engine(name)
    .daemon.containers.all()
    .map((container) => `${container.name}${isRunning(container) ? " runs" : ""}`)
    .sort();

describe.each([false, true])("a host that gives no sign (minted IDs: %s)", (mintIds) => {
  it("loses what restarts by itself to another node, under the same ID and name", async () => {
    await open({ nodes: 2, mintIds });
    const web = await world.run("web", soft("node-2", { ...always, Memory: GB }));
    expect(web.node.name).toBe("node-2");
    await world.names();
    await lose("node-2");
    await until("web", "runs elsewhere", runsOn("node-1"));
    expect((await row("web"))?.Id).toBe(web.id);
    expect(world.record("web").epoch).toBe(2);
    await back("node-2");
    await world.until("the old copy is kept aside", () =>
      engineNames("node-2").every((name) => name.startsWith("web.kept-") && !name.endsWith(" runs")),
    );
    expect(await world.names()).toEqual(["web"]);
    const { ledger } = world.cluster;
    expect(["node-1", "node-2"].map((name) => ledger.sums(world.node(name).id).memory)).toEqual([GB, 0]);
  });
});

describe("what is lost with its node", () => {
  it("is looked after no more when its manager leads no more", async () => {
    await open({ nodes: 2 });
    await world.run("full", soft("node-1", { Memory: 1.5 * GB }));
    await world.run("web", soft("node-2", { ...always, Memory: GB }));
    await world.names();
    await lose("node-2");
    await until("web", "is pending", isPending);
    await world.until("it is looked for again and again", () => world.clock.pending(RESCHEDULE_EVERY_MS) === 1);
    await world.cluster.standDown();
    world.cluster.rescheduler.wake();
    expect(world.clock.pending(RESCHEDULE_EVERY_MS)).toBe(0);
  });

  it("waits as pending with the reason until a node has room, and says so", async () => {
    await open({ nodes: 2 });
    api = await openApi(world);
    await world.run("full", soft("node-1", { Memory: 1.5 * GB }));
    const { id } = await world.run("web", soft("node-2", { ...always, Memory: GB }, { Env: ["A=b"] }));
    await world.names();
    await lose("node-2");
    await until("web", "is pending", isPending);
    const pending = await row("web");
    expect(pending).toMatchObject({ Id: id, State: "pending", Ports: [] });
    expect(pending?.Labels["shoal.NODE"]).toBeUndefined();
    await world.until("a reason", () => world.cluster.rescheduler.reasonOf({ id } as never) !== undefined);
    const inspect = JSON.parse((await api.call("GET", "/containers/web/json").over).text);
    expect(inspect).toMatchObject({ Id: id, Name: "/web", State: { Status: "pending" }, Config: { Env: ["A=b"] } });
    expect(inspect.State.Error).toContain("no resources available to schedule container");
    const [waits, ...others] = JSON.parse((await api.call("GET", "/shoal/pending").over).text);
    expect([waits, others]).toMatchObject([{ ID: id, Name: "web", Image: "busybox", Left: "node-2" }, []]);
    expect(waits.Why).toBe(inspect.State.Error);
    const start = await api.call("POST", "/containers/web/start").over;
    expect([start.status, start.text]).toEqual([
      409,
      expect.stringContaining("container web is pending: no resources"),
    ]);
    expect((await refusal(world.create("web"))).status).toBe(409);
    await world.remove("full");
    await until("web", "runs", runsOn("node-1"));
  });

  it("goes on where it was when its node is back before another one has room", async () => {
    await open({ nodes: 2 });
    await world.run("full", soft("node-1", { Memory: 1.5 * GB }));
    const { id, engineId } = await world.run("web", soft("node-2", { ...always, Memory: GB }));
    await world.names();
    await lose("node-2");
    await until("web", "is pending", isPending);
    await back("node-2");
    await until("web", "runs", runsOn("node-2"));
    // Newer than a copy that was asked for meanwhile.
    expect(world.record("web")).toMatchObject({ id, engineId, epoch: 2 });
    expect(engineNames("node-2")).toEqual(["web runs"]);
    expect(await world.store.list("tombstones/")).toEqual([]);
  });

  it("stays pending when its node is back and its room there is taken", async () => {
    await open({ nodes: 2 });
    await world.run("full", soft("node-1", { Memory: 1.5 * GB }));
    await world.run("web", soft("node-2", { ...always, Memory: GB }));
    await world.names();
    await world.cluster.writer.idle();
    // It runs elsewhere for a while, so that its first copy is kept aside; then there is no room for it.
    await lose("node-2");
    await until("web", "is pending", isPending);
    await world.remove("full");
    await until("web", "runs", runsOn("node-1"));
    await back("node-2");
    await world.until("the old copy is kept aside", () => engineNames("node-2").join().includes("web.kept-"));
    await world.run("other", soft("node-2", { Memory: 1.5 * GB }));
    await lose("node-1");
    await until("web", "is pending", isPending);
    world.node("node-2").engine.resync();
    await world.clock.sleep(10_000);
    expect((await row("web"))?.State).toBe("pending");
    expect(world.cluster.ledger.sums(world.node("node-2").id).memory).toBe(1.5 * GB);
    await world.remove("other");
    await until("web", "runs", runsOn("node-2"));
  });

  it("is removed by rm while it is pending, and its copy kept aside", async () => {
    await open({ nodes: 2 });
    api = await openApi(world);
    await world.run("full", soft("node-1", { Memory: 1.5 * GB }));
    await world.run("web", soft("node-2", { ...always, Memory: GB }));
    await world.names();
    await lose("node-2");
    await until("web", "is pending", isPending);
    const removed = await api.call("DELETE", "/containers/web").over;
    expect([removed.status, removed.headers.warning]).toEqual([
      204,
      expect.stringContaining("node node-2 cannot be reached"),
    ]);
    expect(await world.names()).toEqual(["full"]);
    expect(await world.store.list("recipes/")).toEqual([]);
    await back("node-2");
    await world.until("kept aside", () => engineNames("node-2").join().startsWith("web.removed-"));
    expect(await world.names()).toEqual(["full"]);
  });

  it("stays where it is without a restart policy, with something of its node's, or when it says never", async () => {
    await open({ nodes: 2 });
    const label = (policy: string): Body => ({
      ...soft("node-2"),
      Labels: {
        ...(soft("node-2").Labels as object),
        "com.docker.swarm.reschedule-policies": JSON.stringify([policy]),
      },
    });
    await world.run("job", soft("node-2", {}));
    await world.run("data", soft("node-2", { ...always, Binds: ["data:/data"] }));
    await world.run("never", label("never"));
    await world.run("asked", { ...label("on-node-failure"), HostConfig: {} });
    await world.names();
    await lose("node-2");
    await until("asked", "runs elsewhere", runsOn("node-1"));
    for (const name of ["job", "data", "never"]) expect((await row(name))?.Status).toBe("Host Down");
    await back("node-2");
    for (const name of ["job", "data", "never"]) await until(name, "is there", runsOn("node-2"));
  });

  it("does not move while its engine alone is down or stands still, until that has lasted", async () => {
    await open({ nodes: 3 });
    await world.run("down", soft("node-2"));
    await world.run("still", soft("node-3"));
    await world.names();
    world.engine("node-2").faults.dead();
    await world.until("it is down", () => !world.node("node-2").reachable);
    world.clock.skip(ENGINE_GRACE_MS / 2);
    look();
    expect((await row("down"))?.Status).toBe("Host Down");
    world.engine("node-3").faults.hung();
    await world.until("it stands still", () => !world.node("node-3").reachable);
    await world.until("its host answers", () => world.node("node-3").engine.reached);
    world.clock.skip(HOST_LOST_MS);
    look();
    expect((await row("still"))?.Status).toBe("Host Down");
    world.clock.skip(ENGINE_HUNG_MS);
    await until("still", "runs elsewhere", runsOn("node-1"));
    expect((await row("down"))?.Status).toBe("Host Down");
    world.clock.skip(ENGINE_GRACE_MS / 2);
    await until("down", "runs elsewhere", runsOn("node-1"));
  });

  it("does not move when too many vanish at once, until an operator says so", async () => {
    await open({ nodes: 3 });
    await world.run("web", soft("node-2"));
    await world.names();
    for (const name of ["node-2", "node-3"]) world.engine(name).faults.vanished();
    await world.until("both are lost", () => world.cluster.reachable().length === 1);
    world.clock.skip(ENGINE_GRACE_MS);
    look();
    look();
    expect((await row("web"))?.Status).toBe("Host Down");
    expect(world.cluster.rescheduler.losses.doubted.size).toBe(2);
    expect(world.cluster.rescheduler.resume()).toBe(2);
    await until("web", "runs elsewhere", runsOn("node-1"));
  });

  it("moves off a few nodes of many, and not off a dozen that vanish at once", async () => {
    await open({ nodes: 34 });
    const vanish = async (...nodes: number[]) => {
      for (const node of nodes) world.engine(`node-${node}`).faults.vanished();
      await world.until("they are lost", () => nodes.every((node) => !world.node(`node-${node}`).reachable));
    };
    await world.run("first", soft("node-1"));
    await world.run("second", soft("node-4"));
    await world.names();
    await vanish(1, 2, 3);
    await until("first", "runs elsewhere", (row) => isMoved(row, "node-1"));
    await vanish(...Array.from({ length: BRAKE_NODES - 2 }, (_, n) => n + 4));
    await world.clock.sleep(2 * HOST_LOST_MS);
    expect((await row("second"))?.Status).toBe("Host Down");
    expect(world.cluster.rescheduler.losses.doubted.size).toBe(BRAKE_NODES + 1);
  });

  it("is pulled for where its image is missing", async () => {
    await open({ nodes: 2 });
    const body = soft("node-2", always, { Image: "redis:7" });
    await refusal(world.create("web", body));
    expect(await world.pull("redis:7")).toEqual(["node-2"]);
    await world.run("web", body);
    await world.names();
    await lose("node-2");
    await until("web", "runs elsewhere", runsOn("node-1"));
  });

  it("is still pending, or on its way, for the next manager", async () => {
    await open({ nodes: 2 });
    await world.run("full", soft("node-1", { Memory: 1.5 * GB }));
    const { id } = await world.run("web", soft("node-2", { ...always, Memory: GB }));
    await world.names();
    await lose("node-2");
    await until("web", "is pending", isPending);
    await world.crashManager();
    await world.until("node-1 is read", () => world.cluster.reachable().length === 1);
    expect(await row("web")).toMatchObject({ Id: id, State: "pending", Status: "pending" });
    await world.remove("full");
    await until("web", "runs", runsOn("node-1"));
    expect((await row("web"))?.Id).toBe(id);
  });

  it.each(Array.from({ length: 14 }, (_, n) => n + 1))("survives a manager that dies at its act %i", async (act) => {
    await open({ nodes: 2 });
    const { id } = await world.run("web", soft("node-2"));
    await world.names();
    await world.cluster.writer.idle();
    world.engine("node-2").faults.vanished();
    await world.until("lost", () => !world.node("node-2").reachable);
    await world.until("not even the host", () => !world.node("node-2").engine.reached);
    world.clock.skip(HOST_LOST_MS);
    world.life.dieAt(act);
    look();
    await world.clock.sleep(30);
    look();
    await world.clock.sleep(30);
    await world.crashManager();
    await world.until("node-1 is read", () => world.cluster.reachable().length === 1);
    await world.until("web runs", async () => {
      // The new manager has to find out as well.
      world.clock.skip(HOST_LOST_MS);
      look();
      return runsOn("node-1")(await row("web"));
    });
    expect((await row("web"))?.Id).toBe(id);
    await back("node-2");
    await world.until("one copy runs", () => !engineNames("node-2").some((name) => name.endsWith(" runs")));
    expect(engineNames("node-1")).toEqual(["web runs"]);
    expect(await world.names()).toEqual(["web"]);
  });
});
