/** Reading back over simulated engines: what a list waits for. */
import { afterEach, expect, it } from "vitest";
import { followEvent } from "../../src/cluster/follow-event.ts";
import type { ClusterNode } from "../../src/cluster/node.ts";
import { parseEvent } from "../../src/engine/event.ts";
import { GB, MB, refusal, World } from "./world.ts";

let world: World;
afterEach(() => world.close());

/** An event that the cache takes for the newest. */
function tell(node: ClusterNode, engineId: string, action: string): void {
  const event = parseEvent(
    `{"Type":"container","Action":"${action}","Actor":{"ID":"${engineId}"},"time":1,"timeNano":1000000000}`,
  );
  if (!event) throw new Error("no event");
  followEvent(world.cluster, node, event, () => {});
}

it("A list waits for a reading under way that brings a change of a client's", async () => {
  world = await World.open({ nodes: 1 });
  const { record } = await world.create("web", {
    HostConfig: { PortBindings: { "80/tcp": [{ HostPort: "8080" }] } },
  });
  await world.list();
  const answered = world.meddle("node-1").hold(/^GET \/containers\/json/);
  world.engine("node-1").calls.reset();
  await world.start("web");
  // Nobody asked for it: it comes by itself, a moment after the change.
  await world.until("the list is made", () => world.engine("node-1").calls.of("GET /containers/json") > 0);
  const listing = world.list();
  answered();
  const [row] = await listing;
  expect(row?.Id).toBe(record.id);
  expect(row?.Ports.map(({ PublicPort }) => PublicPort)).toEqual([8080]);
});

it("A list shows what its client did, although the engine's event overtakes the reading that brings it", async () => {
  world = await World.open({ nodes: 1 });
  await world.create("web");
  await world.list();
  await world.start("web");
  const { engineId, node } = world.record("web");
  await world.until("its event is there", () => world.record("web").since !== undefined);
  const answered = world.meddle("node-1").hold(/^GET \/containers\/json/);
  const { calls } = world.engine("node-1");
  calls.reset();
  const listing = world.list();
  await world.until("the list is made", () => calls.of("GET /containers/json") > 0);
  tell(node, engineId, "start");
  answered();
  const [row] = await listing;
  expect(row?.State).toBe("running");
});

it("A list shows no older state than an inspect has told", async () => {
  world = await World.open({ nodes: 1 });
  const { id, node, engineId } = await world.run("web");
  await world.list();
  // Its engine has it running again, but the event of that has not arrived.
  tell(node, engineId, "die");
  expect((await world.list({ all: false })).map(({ Id }) => Id)).toEqual([]);
  expect(await world.inspect("web")).toMatchObject({ State: { Status: "running" } });
  expect((await world.list({ all: false })).map(({ Id }) => Id)).toEqual([id]);
});

it("What its engine always restarts is not shown as ended before the engine says so", async () => {
  world = await World.open({ nodes: 1 });
  const { id, node, engineId } = await world.run("web", { HostConfig: { RestartPolicy: { Name: "always" } } });
  await world.list();
  tell(node, engineId, "die");
  expect((await world.list({ all: false })).map(({ Id }) => Id)).toEqual([id]);
});

it("What was restarted keeps its place when the event of its end is the last that came", async () => {
  world = await World.open({ nodes: [{ memory: 1 * GB }] });
  const { node, engineId } = await world.run("web", { HostConfig: { Memory: 600 * MB } });
  await world.run("other", { HostConfig: { Memory: 300 * MB } });
  const answered = world.meddle("node-1").hold(/^POST .*restart/);
  const restarting = world.change("web", "restart");
  await world.until("it is restarted", () => world.engine("node-1").calls.of("POST /containers/{name}/restart") > 0);
  tell(node, engineId, "die");
  answered();
  await restarting;
  tell(node, engineId, "die");
  expect(await refusal(world.update("web", { Memory: 900 * MB }))).toMatchObject({ status: 409 });
});
