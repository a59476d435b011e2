/** The engine through its in-memory wire: dockerd's answers, events, counts, faults. */
import { once } from "node:events";
import type { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { type EngineWire, WireError } from "../../src/engine/wire/wire.ts";
import { systemClock } from "../../src/kit/clock.ts";
import { seededRandom } from "../../src/kit/random.ts";
import { readAll } from "./call.ts";
import { ENGINE_20_10, ENGINE_29, SimEngine, type SimEngineOptions } from "./engine.ts";
import type { Json } from "./json.ts";

const engineOf = (options: Partial<SimEngineOptions> = {}): SimEngine =>
  new SimEngine({ clock: systemClock, random: seededRandom(7), name: "node-1", ...options });

async function ask(
  wire: EngineWire,
  method: string,
  path: string,
  body?: Json,
): Promise<{ status: number; text: string }> {
  const answer = await wire.request({ method, path, body: body && JSON.stringify(body) });
  return { status: answer.status, text: (await readAll(answer.body)).toString("utf8") };
}

async function value<T = Json>(wire: EngineWire, method: string, path: string, body?: Json): Promise<T> {
  const { text } = await ask(wire, method, path, body);
  return JSON.parse(text) as T;
}

const message = async (wire: EngineWire, method: string, path: string, body?: Json): Promise<string> => {
  const { status, text } = await ask(wire, method, path, body);
  return `${status} ${String((JSON.parse(text) as Json).message)}`;
};

/** The next line of a stream that carries one JSON object a line. */
async function nextLine(body: Readable): Promise<Json> {
  const [chunk] = (await once(body, "data")) as [Buffer];
  body.pause();
  return JSON.parse(String(chunk).split("\n")[0] ?? "") as Json;
}

describe("identity", () => {
  it("is the same for the same seed, and images are the same everywhere", async () => {
    const info = async (seed: number) => {
      const engine = engineOf({ random: seededRandom(seed) });
      const wire = engine.wire();
      const { Id } = await value(wire, "POST", "/containers/create", { Image: "busybox" });
      const networks = await value<Json[]>(wire, "GET", "/networks");
      const image = await value(wire, "GET", "/images/busybox/json");
      return { id: (await value(wire, "GET", "/info")).ID, Id, bridge: networks[0]?.Id, image: image.Id };
    };
    const [one, same, other] = [await info(1), await info(1), await info(2)];
    expect(one).toEqual(same);
    expect(other.image).toBe(one.image);
    for (const key of ["id", "Id", "bridge"] as const) expect(other[key]).not.toBe(one[key]);
  });

  it("acts as an old or a new engine", async () => {
    const old = engineOf(ENGINE_20_10).wire();
    expect(await message(old, "GET", "/v1.51/info")).toBe(
      "400 client version 1.51 is too new. Maximum supported API version is 1.41",
    );
    const two = { Image: "busybox", NetworkingConfig: { EndpointsConfig: { bridge: {}, other: {} } } };
    expect(await message(old, "POST", "/v1.41/containers/create", two)).toContain(
      "cannot be connected to network endpoints",
    );
    const young = engineOf(ENGINE_29).wire();
    expect(await message(young, "GET", "/v1.41/info")).toContain("client version 1.41 is too old");
    expect((await ask(young, "GET", "/v1.44/info")).status).toBe(200);
  });
});

describe("containers", () => {
  it("refuses in dockerd's words", async () => {
    const wire = engineOf().wire();
    const create = (name: string, body: Json) => message(wire, "POST", `/containers/create?name=${name}`, body);
    expect(await create("x1", { Image: "redis" })).toBe("404 No such image: redis:latest");
    const { Id } = await value(wire, "POST", "/containers/create?name=web", { Image: "busybox" });
    expect(await create("web", { Image: "busybox" })).toBe(
      `409 Conflict. The container name "/web" is already in use by container "${Id}". You have to remove (or rename) that container to be able to reuse that name.`,
    );
    expect(await create("a", { Image: "busybox" })).toContain("400 Invalid container name (a)");
    expect(await message(wire, "GET", "/containers/gone/json")).toBe("404 No such container: gone");
    await ask(wire, "POST", "/containers/web/start");
    expect((await ask(wire, "POST", "/containers/web/start")).status).toBe(304);
    expect(await message(wire, "DELETE", "/containers/web")).toContain("409 cannot remove container");
    expect((await ask(wire, "DELETE", `/containers/${String(Id).slice(0, 8)}?force=1`)).status).toBe(204);
    expect(await message(wire, "GET", "/nonsense")).toBe("404 page not found");
  });

  it("gives each host port once", async () => {
    const wire = engineOf().wire();
    const make = async (name: string, binding: Json, proto = "tcp"): Promise<string> => {
      const HostConfig = { PortBindings: { [`80/${proto}`]: [binding] } };
      await ask(wire, "POST", `/containers/create?name=${name}`, { Image: "busybox", HostConfig });
      const { status, text } = await ask(wire, "POST", `/containers/${name}/start`);
      return status === 204 ? "started" : text;
    };
    expect(await make("one", { HostPort: "80" })).toBe("started");
    expect(await make("two", { HostIp: "127.0.0.1", HostPort: "80" })).toContain(
      "Bind for 127.0.0.1:80 failed: port is already allocated",
    );
    expect(await make("udp", { HostPort: "80" }, "udp")).toBe("started");
    expect(await make("any", { HostPort: "" })).toBe("started");
    const any = await value(wire, "GET", "/containers/any/json");
    expect((any.NetworkSettings as Json).Ports).toEqual({
      "80/tcp": [
        { HostIp: "0.0.0.0", HostPort: "32768" },
        { HostIp: "::", HostPort: "32768" },
      ],
    });
    await ask(wire, "POST", "/containers/one/stop");
    expect((await ask(wire, "POST", "/containers/two/start")).status).toBe(204);
  });

  it("keeps what was posted, and counts calls by route", async () => {
    const engine = engineOf();
    const wire = engine.wire();
    const body = { Image: "busybox", Labels: { a: "b" }, HostConfig: { Memory: 64 << 20, Unknown: { x: [1] } } };
    await ask(wire, "POST", "/v1.51/containers/create?name=kept", body);
    await ask(wire, "POST", "/v1.51/containers/kept/start");
    const kept = await value(wire, "GET", "/containers/kept/json");
    expect(kept).toMatchObject({
      Name: "/kept",
      HostConfig: body.HostConfig,
      Config: { Labels: { a: "b" } },
      State: { Running: true },
    });
    expect(engine.calls.snapshot()).toEqual({
      "POST /containers/create": 1,
      "POST /containers/{name}/start": 1,
      "GET /containers/{name}/json": 1,
    });
  });

  it("lists by filter, newest first", async () => {
    const engine = engineOf();
    engine.preload(5, { labels: { team: "red" } });
    const wire = engine.wire();
    await ask(wire, "POST", "/containers/create?name=last", { Image: "busybox" });
    const names = async (query: string): Promise<string[]> =>
      (await value<Json[]>(wire, "GET", `/containers/json?${query}`)).map((row) => String((row.Names as string[])[0]));
    expect(await names("all=1")).toEqual([
      "/last",
      "/node-1-c-4",
      "/node-1-c-3",
      "/node-1-c-2",
      "/node-1-c-1",
      "/node-1-c-0",
    ]);
    const filters = (wanted: Json): string => `filters=${encodeURIComponent(JSON.stringify(wanted))}`;
    expect(await names(filters({ status: ["created"] }))).toEqual(["/last"]);
    expect(await names(`${filters({ label: { "team=red": true } })}&limit=2`)).toEqual(["/node-1-c-4", "/node-1-c-3"]);
    expect(await message(wire, "GET", `/containers/json?${filters({ nope: ["x"] })}`)).toBe(
      "400 invalid filter 'nope'",
    );
  });
});

describe("events", () => {
  it("come in dockerd's order, with exact times", async () => {
    const engine = engineOf();
    const wire = engine.wire();
    await ask(wire, "POST", "/containers/create?name=ev", { Image: "busybox" });
    for (const verb of ["start", "pause", "unpause", "stop"]) await ask(wire, "POST", `/containers/ev/${verb}`);
    await ask(wire, "DELETE", "/containers/ev");
    const until = Math.floor(systemClock.now() / 1000);
    const { text } = await ask(wire, "GET", `/events?since=1&until=${until}.000000001`);
    expect(text).toBe("");
    const seen = engine.daemon.events.since(0n);
    expect(seen.map(({ type, action }) => `${type} ${action}`)).toEqual([
      "container create",
      "network connect",
      "container start",
      "container pause",
      "container unpause",
      "container kill",
      "container die",
      "network disconnect",
      "container stop",
      "container destroy",
    ]);
    for (const { line, timeNano } of seen) expect(line).toContain(`"timeNano":${timeNano}}`);
    expect(new Set(seen.map(({ timeNano }) => timeNano)).size).toBe(seen.length);
  });

  it("are streamed live until the stream is cut", async () => {
    const engine = engineOf();
    const wire = engine.wire();
    const { body } = await wire.request({
      method: "GET",
      path: `/events?filters=${encodeURIComponent('{"type":["container"]}')}`,
    });
    const line = nextLine(body);
    await ask(wire, "POST", "/containers/create?name=live", { Image: "busybox" });
    expect(await line).toMatchObject({
      Type: "container",
      Action: "create",
      status: "create",
      Actor: { Attributes: { name: "live" } },
    });
    const failed = once(body, "error");
    body.resume();
    engine.faults.cutEvents();
    const [error] = await failed;
    expect(error).toMatchObject({ fault: "broken" });
    expect(engine.daemon.events.readers).toBe(0);
  });
});

describe("raw connections", () => {
  it("attach echoes input and ends with exit 0 on half-close", async () => {
    const engine = engineOf();
    const wire = engine.wire();
    const body = { Image: "busybox", Cmd: ["cat"], OpenStdin: true, StdinOnce: true, AttachStdin: true };
    await ask(wire, "POST", "/containers/create?name=cat", body);
    const connection = await wire.connect();
    connection.write(
      "POST /v1.51/containers/cat/attach?stream=1&stdin=1&stdout=1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\nearly ",
    );
    connection.end("late");
    await ask(wire, "POST", "/containers/cat/start");
    const all = (await readAll(connection)).toString("latin1");
    const [head = "", ...rest] = all.split("\r\n\r\n");
    expect(head).toMatch(/^HTTP\/1\.1 101 UPGRADED\r\n/);
    expect(head).toContain("application/vnd.docker.multiplexed-stream");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: frame headers are control characters.
    expect(rest.join("").replace(/\u0001\u0000{6}./g, "")).toBe("early late");
    expect(await value(wire, "POST", "/containers/cat/wait")).toEqual({ StatusCode: 0 });
  });
});

describe("faults", () => {
  it("dead: refuses, and cuts what is open", async () => {
    const engine = engineOf();
    const wire = engine.wire();
    const { body } = await wire.request({ method: "GET", path: "/events" });
    const raw = await wire.connect();
    const cut = [once(body, "error"), once(raw, "close")];
    body.resume();
    engine.faults.dead();
    await Promise.all(cut);
    await expect(wire.request({ method: "GET", path: "/_ping" })).rejects.toMatchObject({
      fault: "refused",
      sent: false,
    });
    await expect(wire.connect()).rejects.toBeInstanceOf(WireError);
    engine.faults.dead(false);
    expect((await ask(wire, "GET", "/_ping")).text).toBe("OK");
  });

  it("hung: never answers, until it is over or the caller gives up", async () => {
    const engine = engineOf();
    const wire = engine.wire();
    engine.faults.hung();
    const abort = new AbortController();
    const given = wire.request({ method: "GET", path: "/_ping", signal: abort.signal });
    const kept = ask(wire, "GET", "/_ping");
    abort.abort();
    await expect(given).rejects.toMatchObject({ fault: "aborted" });
    engine.faults.hung(false);
    expect((await kept).text).toBe("OK");
  });

  it("bad JSON, half an answer, a cloned ID, an ordered failure", async () => {
    const engine = engineOf();
    const wire = engine.wire();
    engine.faults.badJson = true;
    const { text } = await ask(wire, "GET", "/info");
    expect(() => JSON.parse(text)).toThrow(SyntaxError);
    engine.faults.clear();
    engine.faults.halfAnswer = true;
    await expect(ask(wire, "GET", "/info")).rejects.toMatchObject({ fault: "broken" });
    engine.faults.clear();
    engine.faults.clonedId = "twin";
    expect((await value(wire, "GET", "/info")).ID).toBe("twin");
    engine.faults.failNext("create", 500, "no space left on device");
    expect(await message(wire, "POST", "/containers/create", { Image: "busybox" })).toBe("500 no space left on device");
    expect((await ask(wire, "POST", "/containers/create", { Image: "busybox" })).status).toBe(201);
  });

  it("a power cycle starts what has a restart policy", async () => {
    const engine = engineOf();
    const wire = engine.wire();
    for (const [name, policy] of [
      ["stays", "always"],
      ["ends", "no"],
    ] as const) {
      await ask(wire, "POST", `/containers/create?name=${name}`, {
        Image: "busybox",
        HostConfig: { RestartPolicy: { Name: policy } },
      });
      await ask(wire, "POST", `/containers/${name}/start`);
    }
    engine.powerCycle();
    expect((await value(wire, "GET", "/containers/stays/json")).State).toMatchObject({ Running: true });
    expect((await value(wire, "GET", "/containers/ends/json")).State).toMatchObject({
      Status: "exited",
      ExitCode: 255,
    });
  });
});
