/** What was not made through shoal: whom the API refuses what, the ways round it, and prune. */
import { afterEach, describe, expect, it } from "vitest";
import { pruneContainers } from "../../src/cluster/prune.ts";
import { inspected } from "../engine/container.ts";
import { ApiClient } from "./api-client.ts";
import { World, type WorldOptions } from "./world.ts";

let world: World;
let api: ApiClient;
afterEach(async () => {
  await api.close();
  await world.close();
});

/** Two engines (or what is asked for), each with a running container `theirs-0` or `theirs-1` made past shoal. */
async function open(options: WorldOptions = { nodes: 2 }): Promise<void> {
  world = World.prepare(options);
  for (const [i, engine] of world.engines.entries()) makePast(engine.name, `theirs-${i}`);
  world.join();
  await world.healthy();
  api = await ApiClient.open(world);
}

/** A container of somebody else. @returns its ID */
function makePast(node: string, name: string, body: Record<string, unknown> = {}, start = true): string {
  const { containers, images, lifecycle, facts } = world.engine(node).daemon;
  if (!images.find("busybox")) images.add("busybox");
  const made = containers.create(name, { Image: "busybox", Cmd: ["sleep", "infinity"], ...body }, facts.apiVersion);
  if (start) lifecycle.start(made);
  return made.id;
}

const told = (name: string, node: string, verb: string): string =>
  `container ${name} on node ${node} was not created through shoal: to ${verb} it, address it as ${node}/${name}, or start the manager with --foreign manage`;

const CHANGES: readonly (readonly [string, string, string, unknown?])[] = [
  ["POST", "/containers/NAME/start", "start"],
  ["POST", "/containers/NAME/stop", "stop"],
  ["POST", "/containers/NAME/restart", "restart"],
  ["POST", "/containers/NAME/kill?signal=HUP", "kill"],
  ["POST", "/containers/NAME/pause", "pause"],
  ["POST", "/containers/NAME/unpause", "unpause"],
  ["POST", "/containers/NAME/rename?name=other", "rename"],
  ["POST", "/containers/NAME/update", "update", { Memory: 64 << 20 }],
  ["POST", "/containers/NAME/resize?h=1&w=1", "resize"],
  ["POST", "/containers/NAME/exec", "run commands in", { Cmd: ["true"] }],
  ["POST", "/containers/NAME/attach?stream=1&stdin=1", "write to"],
  ["GET", "/containers/NAME/attach/ws?stream=1", "write to"],
  ["PUT", "/containers/NAME/archive?path=/tmp", "copy into"],
  ["DELETE", "/containers/NAME?link=1", "remove"],
  ["DELETE", "/containers/NAME?force=1&v=1", "remove"],
];

describe("a container made past shoal", () => {
  it.for(CHANGES)("is not changed by %s %s", async ([method, path, verb, body]) => {
    await open();
    const engine = world.engine("node-2");
    const state = (): string => JSON.stringify(inspected(engine.daemon.containers.get("theirs-1"), "overlay2", false));
    const before = state();
    const writes = (): unknown =>
      Object.entries(engine.calls.snapshot()).filter(([route]) => !/^(GET|HEAD)/.test(route));
    const asked = writes();
    const { id } = world.record("theirs-1");
    for (const ref of ["theirs-1", id, id.slice(0, 12)]) {
      const answer = await api.call(method, path.replace("NAME", ref), body);
      expect(answer).toMatchObject({ status: 409, message: told("theirs-1", "node-2", verb) });
    }
    expect(writes()).toEqual(asked);
    expect(state()).toBe(before);
  });

  it("is not meant by the name of one that is no more, though its ID begins so", async () => {
    world = World.prepare({ nodes: 1, foreign: "protect" });
    const theirs = makePast("node-1", "theirs", {}, false);
    world.join();
    await world.healthy();
    api = await ApiClient.open(world);
    const name = theirs.slice(0, 4);
    const ours = await world.run(name);
    // Read back: nothing is read again by itself for a while.
    await world.names();
    const { daemon } = world.engine("node-1");
    // Somebody removed it, and the manager has not heard of it yet.
    daemon.events.silently(() => daemon.lifecycle.remove(daemon.containers.get(ours.engineId), true, false));
    expect((await api.call("POST", `/containers/${name}/start`)).status).toBe(404);
    expect(inspected(daemon.containers.get("theirs"), "overlay2", false).State).toMatchObject({ Running: false });
  });

  it("is read as every other one", async () => {
    await open();
    for (const path of ["json", "top", "logs?stdout=1", "changes", "stats?stream=0", "export", "archive?path=/etc"]) {
      expect((await api.call("GET", `/containers/theirs-1/${path}`)).status, path).toBe(200);
    }
    expect((await api.call("POST", "/commit?container=theirs-1&repo=copy")).status).toBe(201);
    expect((await world.list()).map(({ Names }) => Names[0]).sort()).toEqual(["/theirs-0", "/theirs-1"]);
  });

  it("may be shared by a create, and its name is taken", async () => {
    await open();
    const shared = { HostConfig: { VolumesFrom: ["theirs-1"], NetworkMode: "container:theirs-1" } };
    const { record } = await world.create("mine", shared);
    expect(record.node.name).toBe("node-2");
    const taken = await api.call("POST", "/containers/create?name=theirs-0", { Image: "busybox" });
    expect(taken.status).toBe(409);
    expect(taken.message).toContain('The container name "/theirs-0" is already in use');
  });

  it("is changed when it is addressed with its node", async () => {
    await open();
    expect((await api.call("POST", "/containers/node-2/theirs-1/stop")).status).toBe(204);
    expect((await api.call("POST", "/containers/node-1/theirs-1/start")).status).toBe(404);
    expect((await api.call("POST", "/containers/node-2/theirs-1/rename?name=renamed")).status).toBe(204);
    expect((await api.call("DELETE", "/containers/node-2/renamed")).status).toBe(204);
    expect(await world.names()).toEqual(["theirs-0"]);
  });

  it("runs the execs that were created with its node's name, and none that were made past shoal", async () => {
    await open();
    const made = await api.call("POST", "/containers/node-1/theirs-0/exec", { Cmd: ["true"], AttachStdout: true });
    expect(made.status).toBe(201);
    const { Id } = JSON.parse(made.text) as { Id: string };
    expect((await api.call("POST", `/exec/${Id}/start`, { Detach: true })).status).toBe(200);
    const past = await world.node("node-1").engine.text("POST", `/containers/theirs-0/exec`, '{"Cmd":["true"]}');
    const theirs = (JSON.parse(past) as { Id: string }).Id;
    expect((await api.call("GET", `/exec/${theirs}/json`)).status).toBe(200);
    const refused = await api.call("POST", `/exec/${theirs}/start`, { Detach: true });
    expect(refused).toMatchObject({ status: 409, message: told("theirs-0", "node-1", "run commands in") });
  });

  it("is managed like every other one with --foreign manage", async () => {
    await open({ nodes: 2, foreign: "manage" });
    expect((await api.call("POST", "/containers/theirs-1/stop")).status).toBe(204);
    expect((await api.call("DELETE", "/containers/theirs-0?force=1")).status).toBe(204);
    await pruneContainers(world.cluster, null);
    expect(await world.names()).toEqual([]);
  });
});

describe("a cluster of one node", () => {
  it("is that engine, until a second one joins; then what is foreign stays protected", async () => {
    world = World.prepare({ nodes: 2 });
    for (const name of ["one", "two", "three"]) makePast("node-1", name);
    world.join(["10.0.0.1:2375"]);
    await world.healthy();
    api = await ApiClient.open(world);
    expect((await api.call("POST", "/containers/one/stop")).status).toBe(204);
    world.join();
    await world.healthy();
    expect((await api.call("POST", "/containers/two/stop")).status).toBe(409);
    world.join(["10.0.0.1:2375"]);
    expect((await api.call("POST", "/containers/two/stop")).status).toBe(409);
  });

  it("is protected on request", async () => {
    await open({ nodes: 1, foreign: "protect" });
    expect((await api.call("POST", "/containers/theirs-0/stop")).status).toBe(409);
  });
});

describe("a container of a committed image", () => {
  it("does not count as ours for the hint that it inherited, in either order of news", async () => {
    await open();
    const { id, node } = await world.run("mine");
    expect((await api.call("POST", `/commit?container=${id}&repo=copy`)).status).toBe(201);
    makePast(node.name, "inherited", { Image: "copy" });
    await world.until("it is listed", () => world.cluster.inventory.named("inherited").size === 1);
    await world.restartManager();
    await api.close();
    api = await ApiClient.open(world);
    expect((await api.call("POST", "/containers/inherited/stop")).status).toBe(409);
    expect((await api.call("POST", "/containers/mine/stop")).status).toBe(204);
  });

  it("nor when all of it happens past shoal, before its image is read", async () => {
    await open();
    const { engineId, node } = await world.run("mine");
    await world.list();
    const { engine } = node;
    await engine.text("POST", `/commit?container=${engineId}&repo=copy`, "{}");
    await engine.text("DELETE", `/containers/${engineId}?force=1`);
    await engine.text("POST", "/containers/create?name=inherited", '{"Image":"copy"}');
    await world.until("it is listed", () => world.cluster.inventory.named("inherited").size === 1);
    expect((await api.call("DELETE", "/containers/inherited")).status).toBe(409);
  });

  it("neither after the container that it was committed from is gone", async () => {
    await open();
    const { id, node } = await world.run("mine");
    await api.call("POST", `/commit?container=${id}&repo=copy`);
    await world.remove("mine");
    makePast(node.name, "inherited", { Image: "copy" }, false);
    await world.until("it is listed", () => world.cluster.inventory.named("inherited").size === 1);
    expect((await api.call("DELETE", "/containers/inherited")).status).toBe(409);
    await world.restartManager();
    await pruneContainers(world.cluster, null);
    expect(await world.names()).toContain("inherited");
  });
});

describe("docker info", () => {
  const lines = (): string[] =>
    (world.info().whole.SystemStatus as [string, string][])
      .filter(([key]) => key === "Foreign Containers")
      .map(([, value]) => value);

  it("says how many there are on which node, and nothing when there are none", async () => {
    await open();
    await world.run("mine");
    expect(lines()).toEqual(["node-1: 1, node-2: 1 (protected)"]);
    for (const ref of ["node-1/theirs-0", "node-2/theirs-1"]) {
      expect((await api.call("DELETE", `/containers/${ref}?force=1`)).status).toBe(204);
    }
    expect(lines()).toEqual([]);
    expect(Object.keys(world.info().nodes)).toEqual(["node-1", "node-2"]);
  });
});

describe("containers/prune", () => {
  it("takes only what is ours", async () => {
    await open();
    makePast("node-1", "theirs-ended", { Labels: { a: "1" } }, false);
    await world.create("mine-a", { Labels: { a: "1" } });
    await world.create("mine-b");
    await world.run("mine-runs");
    await world.until("it is listed", () => world.cluster.inventory.named("theirs-ended").size === 1);
    const filters = encodeURIComponent(JSON.stringify({ "label!": ["a=1"] }));
    const pruned = JSON.parse((await api.call("POST", `/containers/prune?filters=${filters}`)).text);
    expect(pruned.ContainersDeleted).toHaveLength(1);
    expect((await world.names()).sort()).toEqual(["mine-a", "mine-runs", "theirs-0", "theirs-1", "theirs-ended"]);
    await api.call("POST", "/containers/prune");
    expect((await world.names()).sort()).toEqual(["mine-runs", "theirs-0", "theirs-1", "theirs-ended"]);
    expect(JSON.parse((await api.call("POST", "/containers/prune")).text)).toEqual({
      ContainersDeleted: null,
      SpaceReclaimed: 0,
    });
  });

  it("passes over what somebody started meanwhile", async () => {
    await open();
    const { record } = await world.create("mine");
    await world.list();
    world.engine(record.node.name).faults.failNext("DELETE /containers/{name}", 409, "it runs");
    expect(await pruneContainers(world.cluster, null)).toEqual({ ContainersDeleted: null, SpaceReclaimed: 0 });
    expect(await world.names()).toContain("mine");
  });

  it("takes what is older than until alone", async () => {
    await open();
    await world.create("mine");
    world.clock.skip(120_000);
    await world.create("young");
    const until = JSON.stringify({ until: ["1m"] });
    expect((await pruneContainers(world.cluster, until)).ContainersDeleted).toHaveLength(1);
    expect(await world.names()).toContain("young");
  });
});
