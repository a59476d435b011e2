/** Bodies that nobody can read: an engine's words, and nothing done anywhere. */
import { afterEach, describe, expect, it } from "vitest";
import { ApiClient } from "./api-client.ts";
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

  it.each(["null", "{}"])("is refused when nothing is in it: %s", async (text) => {
    world = await World.open({ nodes: 1 });
    const asked = world.meddle("node-1").record(/create\?name=-$/);
    expect(await refusal(world.create("web", text))).toEqual({
      status: 400,
      message: "config cannot be empty in order to create a container",
    });
    expect(asked).toEqual([text]);
  });

  it("leaves the extremes of int64 to the engine", async () => {
    world = await World.open({ nodes: 1 });
    const text = '{"Image":"busybox","HostConfig":{"Memory":-9223372036854775808,"CpuShares":null}}';
    expect((await world.create("web", text)).record.name).toBe("web");
  });
});

describe("what is not there", () => {
  it("is refused for its parameters first, where dockerd looks at them first", async () => {
    world = await World.open({ nodes: 2 });
    const api = await ApiClient.open(world);
    const said = async (method: string, path: string): Promise<string> => {
      const { status, message } = await api.call(method, path);
      return `${status} ${message}`;
    };
    expect(await said("POST", "/exec/nope/resize?h=x&w=1")).toBe('400 strconv.Atoi: parsing "x": invalid syntax');
    expect(await said("POST", "/exec/nope/resize?h=1&w=1")).toBe("404 No such exec instance: nope");
    expect(await said("GET", "/containers/nope/logs?stdout=1")).toBe("404 No such container: nope");
    expect(await said("GET", "/images/_x/json")).toBe("400 invalid reference format");
    expect(await said("GET", `/images/${"0".repeat(64)}/json`)).toMatch(/^404 No such image: /);
    expect(await said("GET", "/containers/json?limit=x")).toBe('500 strconv.Atoi: parsing "x": invalid syntax');
    expect(await said("POST", `/build/prune?filters=${encodeURIComponent('{"nope":["x"]}')}`)).toBe(
      "400 invalid filter 'nope'",
    );
    await api.close();
  });
});
