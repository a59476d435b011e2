/** Reading back over simulated engines: what a list waits for. */
import { afterEach, expect, it } from "vitest";
import { World } from "./world.ts";

let world: World;
afterEach(() => world.close());

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
