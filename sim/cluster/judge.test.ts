/** Bodies that nobody can read: an engine's words, and nothing done anywhere. */
import { afterEach, describe, expect, it } from "vitest";
import { expectTrueLedger } from "./truth.ts";
import { MB, refusal, World } from "./world.ts";

let world: World;
afterEach(() => world.close());

const UNREADABLE = ["{nope", '{"Image":"busybox"', "{} {}"];
const MISSHAPEN = [
  ['{"Image":"busybox","HostConfig":{"Memory":9223372036854775808}}', "number 9223372036854775808"],
  ['{"Image":"busybox","HostConfig":{"NanoCpus":1.5}}', "number 1.5"],
  ['{"Image":"busybox","HostConfig":{"CpuShares":"2"}}', "string"],
  ['{"Image":"busybox","HostConfig":{"Memory":1e99}}', "number 1e99"],
  ['{"Image":"busybox","HostConfig":[]}', "array"],
  ['{"Image":"busybox","Labels":4}', "number 4"],
  ["[]", "array"],
  ['"x"', "string"],
] as const;

describe("a body that is no JSON", () => {
  it.each(UNREADABLE)("is refused by an engine, asked for nobody: %s", async (text) => {
    world = await World.open({ nodes: 2 });
    const asked = world.meddle("node-1").record(/create\?name=-$/);
    const { status, message } = await refusal(world.create("web", text));
    expect({ status, message }).toEqual({
      status: 400,
      message: expect.stringMatching(/^invalid character '[{]' looking for beginning of value$/),
    });
    expect(asked).toEqual([text]);
    expect(await world.names()).toEqual([]);
    await expectTrueLedger(world);
  });
});

describe("a body with another type than what is placed by", () => {
  it.each(MISSHAPEN)("is refused whatever an engine thinks of it: %s", async (text, told) => {
    world = await World.open({ nodes: 2 });
    const { status, message } = await refusal(world.create("web", text));
    expect(status).toBe(400);
    // The simulated engine has no opinion of types; but it wants an image.
    if (text.startsWith("{")) expect(message).toContain(`cannot unmarshal ${told} into `);
    expect(await world.names()).toEqual([]);
    await expectTrueLedger(world);
  });

  it("is refused at an update too, and the container keeps what it has", async () => {
    world = await World.open({ nodes: 1 });
    await world.run("web", { HostConfig: { Memory: 64 * MB } });
    for (const text of ['{"Memory":9223372036854775808}', '{"NanoCpus":"1"}', "[]"]) {
      expect((await refusal(world.update("web", text))).status).toBe(400);
    }
    expect(world.record("web").needs.memory).toBe(64 * MB);
    await expectTrueLedger(world);
  });

  it("leaves the extremes of int64 to the engine", async () => {
    world = await World.open({ nodes: 1 });
    const text = '{"Image":"busybox","HostConfig":{"Memory":-9223372036854775808,"CpuShares":null}}';
    expect((await world.create("web", text)).record.name).toBe("web");
  });
});
