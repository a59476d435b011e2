/** A copy that is to take over from a container of a drained node, as several managers see it. */
import { afterEach, describe, expect, it } from "vitest";
import { setAvailability } from "../../src/cluster/availability.ts";
import { newsOf, type Position } from "../../src/cluster/changes.ts";
import type { Cluster } from "../../src/cluster/cluster.ts";
import { takeNews } from "../../src/cluster/follow-leader.ts";
import { listContainers } from "../../src/cluster/list-containers.ts";
import { leaveAll } from "../../src/cluster/membership.ts";
import type { Replacement } from "../../src/cluster/reschedule/replacements.ts";
import { REPLACEMENT_LOOK_MS, REPLACEMENT_STEADY_MS, RESCHEDULE_EVERY_MS } from "../../src/kit/limits.ts";
import { isRunning, type SimContainer } from "../engine/container.ts";
import { expectTrueLedger } from "./truth.ts";
import { GB, World } from "./world.ts";

let world: World;
let follower: Cluster | undefined;
let position: Position;
afterEach(async () => {
  if (follower) await leaveAll(follower);
  follower = undefined;
  await world.close();
});

const until = (what: string, holds: () => boolean | Promise<boolean>): Promise<void> =>
  world.until(what, () => {
    for (const ms of [RESCHEDULE_EVERY_MS, REPLACEMENT_STEADY_MS, REPLACEMENT_LOOK_MS]) world.clock.hurry(ms);
    return holds();
  });
const copyOn = (node: string): SimContainer | undefined =>
  world
    .engine(node)
    .daemon.containers.all()
    .find(({ name }) => name === "web");
const runsOn = (node: string): boolean => {
  const copy = copyOn(node);
  return copy !== undefined && isRunning(copy);
};
const check = (health: "healthy" | "unhealthy"): void => {
  const copy = copyOn("node-1");
  if (!copy) throw new Error("no next copy");
  world.engine("node-1").daemon.lifecycle.check(copy, health);
};
const marksIn = async (): Promise<number> => (await world.store.list("replacements/")).length;
const marksOf = (cluster: Cluster): readonly Replacement[] => cluster.replacements.on(world.node("node-1"));

/** A container of drained node-2, whose next copy on node-1 runs and is not healthy yet. @returns its ID */
async function halfway(): Promise<string> {
  const { id } = await world.run("web", {
    Labels: { "com.docker.swarm.constraints": '["node==~node-2"]', "shoal.drain": "start-first" },
    HostConfig: { RestartPolicy: { Name: "always" }, Memory: GB },
    Healthcheck: { Test: ["CMD", "true"] },
  });
  // Its row tells what it is tied to.
  await world.names();
  expect(world.record("web").node.name).toBe("node-2");
  await setAvailability(world.cluster, world.node("node-2").id, "draining");
  await until("the next copy runs", () => runsOn("node-1"));
  return id;
}

const listed = async (cluster: Cluster): Promise<string[]> => {
  const rows = await listContainers(cluster, { all: true, limit: 0, size: false, filters: null });
  const parsed = JSON.parse(Buffer.concat(rows).toString()) as { Names: string[]; Labels: Record<string, string> }[];
  return parsed.map(({ Names, Labels }) => `${Names[0]} ${Labels["shoal.NODE"] ?? "nowhere"}`);
};
/** A manager that follows from now on. */
async function follow(): Promise<Cluster> {
  const news = newsOf(world.cluster, undefined);
  ({ position } = news);
  follower = await world.follow();
  await takeNews(follower, news);
  return follower;
}
/** What a manager that follows shows, told first what its leader has changed. */
async function shown(cluster: Cluster): Promise<string[]> {
  const news = newsOf(world.cluster, position);
  ({ position } = news);
  await takeNews(cluster, news);
  return listed(cluster);
}
/** It reads all of node-1 again. */
async function readAgain(cluster: Cluster): Promise<void> {
  const node = cluster.nodeByName("node-1");
  if (!node) throw new Error("no node-1");
  cluster.refresher.markAll(node);
  await cluster.refresher.settledOn(node);
}

describe("a manager that follows", () => {
  it.each(["before", "while"])("shows the present copy, then the next (it begins %s both run)", async (when) => {
    world = await World.open({ nodes: [{ memory: 2 * GB }, { memory: 2 * GB }] });
    const before = when === "before" ? await follow() : undefined;
    const id = await halfway();
    const own = before ?? (await follow());
    expect(await shown(own)).toEqual(["/web node-2"]);
    await readAgain(own);
    expect(await shown(own)).toEqual(["/web node-2"]);
    expect(marksOf(own)).toHaveLength(1);
    expect(runsOn("node-1")).toBe(true);
    check("healthy");
    await until("the next copy has taken over", () => world.record("web").epoch === 2);
    expect(await shown(own)).toEqual(["/web node-1"]);
    expect(own.inventory.byId(id)).toMatchObject({ epoch: 2, engineId: copyOn("node-1")?.id });
    expect(marksOf(own)).toEqual([]);
    await readAgain(own);
    expect(await shown(own)).toEqual(["/web node-1"]);
  });

  it("gives up none itself, and forgets one that its leader gave up", async () => {
    world = await World.open({ nodes: [{ memory: 2 * GB }, { memory: 2 * GB }] });
    await halfway();
    const own = await follow();
    await readAgain(own);
    expect(runsOn("node-1")).toBe(true);
    expect(marksOf(own)).toHaveLength(1);
    check("unhealthy");
    await until("it is gone, and its mark", async () => !copyOn("node-1") && (await marksIn()) === 0);
    expect(await shown(own)).toEqual(["/web node-2"]);
    expect(marksOf(own)).toEqual([]);
  });
});

describe("a manager that leads no more", () => {
  it("gives up nothing; the next leader does, and then moves the container", async () => {
    world = await World.open({ nodes: [{ memory: 2 * GB }, { memory: 2 * GB }] });
    const id = await halfway();
    const next = copyOn("node-1")?.id;
    const old = world.cluster;
    await old.standDown();
    check("healthy");
    await until("it has stopped", () => old.rescheduler.reasonOf(world.record("web")) !== undefined);
    await readAgain(old);
    expect(copyOn("node-1")?.id).toBe(next);
    expect(await listed(old)).toEqual(["/web node-2"]);
    expect(await marksIn()).toBe(1);
    await world.crashManager();
    await world.healthy();
    await until("it is made anew", () => copyOn("node-1")?.id !== next && runsOn("node-1"));
    expect(await listed(world.cluster)).toEqual(["/web node-2"]);
    check("healthy");
    await until("it has left", () => world.record("web").epoch === 2 && !runsOn("node-2"));
    expect(await listed(world.cluster)).toEqual(["/web node-1"]);
    expect(world.record("web").id).toBe(id);
    expectTrueLedger(world);
  });
});
