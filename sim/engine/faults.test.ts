/** What depends on time and on the engine's age, under a clock that only moves when told. */
import { describe, expect, it } from "vitest";
import type { EngineWire } from "../../src/engine/wire/wire.ts";
import { seededRandom } from "../../src/kit/random.ts";
import { SimClock } from "../clock.ts";
import { readAll } from "./call.ts";
import { ENGINE_20_10, SimEngine, type SimEngineOptions } from "./engine.ts";

const START = Date.UTC(2026, 0, 1);

function opened(options: Partial<SimEngineOptions> = {}): { clock: SimClock; engine: SimEngine; wire: EngineWire } {
  const clock = new SimClock(START);
  const engine = new SimEngine({ clock, random: seededRandom(5), name: "node-1", ...options });
  return { clock, engine, wire: engine.wire() };
}

async function ask(wire: EngineWire, method: string, path: string, body?: unknown): Promise<string> {
  const answer = await wire.request({ method, path, body: body === undefined ? undefined : JSON.stringify(body) });
  return `${answer.status} ${(await readAll(answer.body)).toString().trim()}`;
}

describe("time", () => {
  it("slow answers come when their time has passed, not before", async () => {
    const { clock, engine, wire } = opened();
    engine.faults.slow(500);
    let answered = "";
    const asking = ask(wire, "GET", "/_ping").then((text) => {
      answered = text;
    });
    await clock.advance(499);
    expect(answered).toBe("");
    await clock.advance(1);
    await asking;
    expect(answered).toBe("200 OK");
  });

  it("flapping goes down and up until it is ended", async () => {
    const { clock, engine, wire } = opened();
    engine.faults.flapping({ downMs: 100, upMs: 300 });
    const seen: boolean[] = [];
    for (let turn = 0; turn < 8; turn++) {
      seen.push(engine.faults.isDead);
      await clock.advance(100);
    }
    expect(seen).toEqual([true, false, false, false, true, false, false, false]);
    engine.faults.flapping(undefined);
    expect(clock.timers).toBe(0);
    expect(await ask(wire, "GET", "/_ping")).toBe("200 OK");
  });

  it("commands end at their time, and waits and events say so", async () => {
    const { clock, engine, wire } = opened();
    await ask(wire, "POST", "/containers/create?name=job", { Image: "busybox", Cmd: ["sh", "-c", "sleep 90; exit 3"] });
    await ask(wire, "POST", "/containers/job/start");
    const waiting = ask(wire, "POST", "/containers/job/wait?condition=next-exit");
    await clock.advance(89_999);
    expect(await ask(wire, "GET", "/containers/json")).toContain('"Status":"Up About a minute"');
    await clock.advance(1);
    expect(await waiting).toBe('200 {"StatusCode":3}');
    const die = engine.daemon.events.since(0n).find(({ action }) => action === "die");
    expect(die?.attributes).toMatchObject({ exitCode: "3", execDuration: "90", name: "job" });
    expect(die?.timeNano).toBe(BigInt(START + 90_000) * 1_000_000n);
  });

  it("an events stream with until ends by itself", async () => {
    const { clock, engine, wire } = opened();
    const reading = ask(wire, "GET", `/events?since=0&until=${START / 1000 + 10}`);
    await clock.advance(5_000);
    await ask(wire, "POST", "/containers/create?name=seen", { Image: "busybox" });
    await clock.advance(5_000);
    expect(await reading).toContain('"Action":"create"');
    expect(engine.daemon.events.readers).toBe(0);
  });

  it("events of a hung engine wait, and come when it goes on", async () => {
    const { clock, engine, wire } = opened();
    const { body } = await wire.request({ method: "GET", path: "/events" });
    let text = "";
    body.on("data", (chunk) => {
      text += String(chunk);
    });
    const [id = ""] = engine.preload(1);
    engine.faults.hung();
    engine.daemon.lifecycle.pause(engine.daemon.containers.get(id));
    await clock.advance(1_000);
    expect(text).toBe("");
    engine.faults.hung(false);
    await clock.advance(0);
    expect(text).toContain('"Action":"pause"');
    body.destroy();
  });
});

describe("words", () => {
  it("are those of the engine's age", async () => {
    const texts = async (options: Partial<SimEngineOptions>): Promise<string[]> => {
      const { engine, wire } = opened(options);
      const [id = ""] = engine.preload(1);
      const out = [
        await ask(wire, "DELETE", `/containers/${id}`),
        await ask(wire, "POST", `/containers/${id}/unpause`),
      ];
      await ask(wire, "POST", `/containers/${id}/stop`);
      out.push(await ask(wire, "POST", `/containers/${id}/kill`));
      return out.map((text) => text.replaceAll(id, "ID"));
    };
    expect(await texts({})).toEqual([
      '409 {"message":"cannot remove container \\"/node-1-c-0\\": container is running: stop the container before removing or force remove"}',
      '500 {"message":"container ID is not paused"}',
      '409 {"message":"cannot kill container: node-1-c-0: container ID is not running"}',
    ]);
    expect(await texts(ENGINE_20_10)).toEqual([
      '409 {"message":"You cannot remove a running container ID. Stop the container before attempting removal or force remove"}',
      '500 {"message":"Container ID is not paused"}',
      '409 {"message":"Cannot kill container: node-1-c-0: Container ID is not running"}',
    ]);
  });
});
