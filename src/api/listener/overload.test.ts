import { once } from "node:events";
import type { Duplex } from "node:stream";
import { describe, expect, it } from "vitest";
import { overloaded } from "../../docker/errors.ts";
import { systemClock } from "../../kit/clock.ts";
import { type Logger, silentLog } from "../../kit/log.ts";
import { sendJson } from "./answer.ts";
import { BodyMemory } from "./body-memory.ts";
import { readJsonBody } from "./request.ts";
import { openRig, rawExchange, readAll, readUntil, until } from "./testing.ts";

describe("more than the manager takes", () => {
  it("is refused with 503 and Retry-After, on an upgrade, too", async () => {
    const refuse = async (): Promise<void> => {
      throw overloaded("busy");
    };
    const rig = await openRig("unix", { handler: refuse, upgrade: refuse });
    for (const more of ["Connection: close\r\n", "Connection: Upgrade\r\nUpgrade: tcp\r\n"]) {
      const text = await rawExchange(rig, `POST /a HTTP/1.1\r\nHost: localhost\r\n${more}\r\n`);
      expect(text).toMatch(/^HTTP\/1\.1 503 /);
      expect(text).toContain("\r\nRetry-After: 1\r\n");
      expect(text).toContain('{"message":"too much at once: busy; try again in a moment"}');
    }
    await rig.close();
  });

  it("of connections from one address: the others and those before go on, one line in the log", async () => {
    const lines: string[] = [];
    const log: Logger = { ...silentLog, warn: (line) => lines.push(line), with: () => log };
    const rig = await openRig("tcp", { log, limits: { connectionsEach: 2 } });
    const ask = "GET /a HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    const answered = async (socket: Duplex): Promise<void> => {
      socket.write(ask);
      await readUntil(socket, (text) => text.endsWith("}\n"));
    };
    const [first, second] = [await rig.dial(), await rig.dial()];
    await answered(first);
    await answered(second);
    for (let i = 0; i < 3; i++) {
      const socket = await rig.dial();
      expect(await readAll(socket)).toMatch(
        /^HTTP\/1\.1 503 [\s\S]*Retry-After: 1\r\n[\s\S]*127\.0\.0\.1 has 2 connections/,
      );
      socket.destroy();
    }
    await answered(first);
    first.destroy();
    await until(() => rig.listeners.connections() < 2);
    await answered(await rig.dial());
    expect(lines).toEqual(["too many at once: connections are refused"]);
    second.destroy();
    await rig.close();
  });

  it("of bodies: what is held is counted and given back", async () => {
    const memory = new BodyMemory(10);
    const one = memory.hold();
    const two = memory.hold();
    one.take(6);
    two.take(4);
    expect(() => two.take(1)).toThrow(/too much at once/);
    one.release();
    one.release();
    two.take(6);
    two.release();
    expect(memory.taken).toBe(0);
  });

  it("counts a body from its first byte to the end of its answer", async () => {
    let taken = 0;
    let finish = (): void => {};
    const rig = await openRig("unix", {
      handler: async (request, answer) => {
        const take = (bytes: number): void => {
          request.memory.take(bytes);
          taken += bytes;
        };
        await readJsonBody({ ...request, memory: { ...request.memory, take } }, systemClock);
        await new Promise<void>((resolve) => {
          finish = resolve;
        });
        sendJson(answer, 200, {});
      },
    });
    const socket = await rig.dial();
    socket.write(
      'POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n{"a":1}',
    );
    await until(() => taken === 7);
    finish();
    await once(socket, "data");
    socket.destroy();
    await rig.close();
  });
});
