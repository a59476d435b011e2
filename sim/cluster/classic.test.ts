/**
 * What classic Swarm did otherwise, where no other test looks at it already; docs/classic-swarm.md says which test shows what.
 */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { EngineWire } from "../../src/engine/wire/wire.ts";
import { type ApiFace, openApi, type Reply } from "./api-face.ts";
import { World } from "./world.ts";

let world: World;
let api: ApiFace;
/** Everything that any engine was asked, `METHOD /path?query`. */
let asked: string[];

const listening = (wire: EngineWire): EngineWire => ({
  address: wire.address,
  request: (request) => {
    asked.push(`${request.method} ${request.path}`);
    return wire.request(request);
  },
  connect: (signal) => wire.connect(signal),
  close: () => wire.close(),
});

const ask = (method: string, path: string, body?: unknown): Promise<Reply> => api.call(method, path, body).over;
const askedFor = (part: string): string[] => asked.filter((call) => call.includes(part));
const BODY = { Image: "busybox", Cmd: ["sleep", "infinity"] };

beforeEach(async () => {
  asked = [];
  world = await World.open({ wrapWire: listening });
  api = await openApi(world);
});
afterEach(async () => {
  await api.close();
  await world.close();
});

describe("classic Swarm's faults", () => {
  it.each(["GET", "HEAD"])("F4, F5: %s /_ping tells all that clients decide by", async (method) => {
    const { status, headers } = await ask(method, "/_ping");
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      "api-version": expect.stringMatching(/^1\.\d+$/),
      ostype: "linux",
      "docker-experimental": "false",
      "builder-version": expect.any(String),
      swarm: "inactive",
      server: expect.stringMatching(/^Shoal\//),
    });
  });

  it("F9: a create asks one engine once, and no registry", async () => {
    const before = asked.length;
    expect((await ask("POST", "/containers/create?name=web", BODY)).status).toBe(201);
    const calls = asked.slice(before).filter((call) => !/_ping|\/events|\/json/.test(call));
    expect(calls).toEqual([expect.stringMatching(/^POST .*\/containers\/create\?name=web/)]);
    expect(askedFor("/distribution/")).toEqual([]);
  });

  it("F30: errors are JSON with Docker's status and say themselves once", async () => {
    await ask("POST", "/containers/create?name=web", BODY);
    await ask("POST", "/containers/web/start");
    const errors = await Promise.all([
      ask("DELETE", "/containers/web"),
      ask("POST", "/containers/create?name=a%20b", BODY),
      ask("POST", "/containers/missing/start"),
    ]);
    expect(errors.map(({ status }) => status)).toEqual([409, 400, 404]);
    for (const { headers, text } of errors) {
      expect(headers["content-type"]).toBe("application/json");
      expect(JSON.parse(text)).toEqual({ message: expect.not.stringContaining("Error response from daemon") });
    }
  });

  it("F32: info and version have what clients read", async () => {
    const info = JSON.parse((await ask("GET", "/info")).text) as Record<string, unknown>;
    expect(info).toMatchObject({ ID: expect.stringMatching(/./), Driver: "shoal", OSType: "linux", Images: 1 });
    expect(info.DockerRootDir).toBe("/var/lib/docker");
    expect(info.Plugins).toMatchObject({ Volume: ["local"], Network: expect.arrayContaining(["bridge"]) });
    const version = JSON.parse((await ask("GET", "/version")).text) as Record<string, unknown>;
    expect(version).toMatchObject({ Os: "linux", MinAPIVersion: expect.stringMatching(/^1\.\d+$/) });
  });

  it("F34: start passes its checkpoint and detach keys on", async () => {
    await ask("POST", "/containers/create?name=web", BODY);
    await ask("POST", "/containers/web/start?checkpoint=before&detachKeys=ctrl-x");
    expect(askedFor("/start")).toEqual([expect.stringMatching(/\/start\?checkpoint=before&detachKeys=ctrl-x$/)]);
  });

  it("F35: each request has its own version, however many come at once", async () => {
    const versions = Array.from({ length: 40 }, (_, index) => `1.${24 + (index % 17)}`);
    await Promise.all(
      versions.map((version, index) => ask("POST", `/v${version}/containers/create?name=c${index}`, BODY)),
    );
    const spoken = askedFor("/containers/create?name=c").map((call) => {
      const [, version, index] = /\/v([\d.]+)\/containers\/create\?name=c(\d+)/.exec(call) ?? [];
      return [Number(index), version];
    });
    expect(new Map(spoken as [number, string][])).toEqual(new Map(versions.map((version, index) => [index, version])));
  });

  it("F38: a container is listed whatever its image is called", async () => {
    for (const engine of world.engines) engine.daemon.images.add("swarm");
    const { record } = await world.create("agent", { Image: "swarm" });
    await world.start(record.id);
    expect(await world.names({}, false)).toEqual(["agent"]);
  });

  it("F43: a volume driver that is missing is told at once, and taken for no missing image", async () => {
    const words = 'create data: error looking up volume plugin nosuch: plugin "nosuch" not found';
    for (const engine of world.engines) engine.faults.failNext("create", 404, words);
    const { status, text } = await ask("POST", "/containers/create?name=web", BODY);
    expect({ status, text: JSON.parse(text) }).toEqual({ status: 404, text: { message: words } });
    expect(askedFor("/containers/create")).toHaveLength(1);
    expect(askedFor("/images/create")).toEqual([]);
  });
});
