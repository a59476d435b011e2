import { once } from "node:events";
import { IncomingMessage, Server, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../kit/clock.ts";
import { PIPELINED_REQUESTS } from "../../kit/limits.ts";
import { silentLog } from "../../kit/log.ts";
import { systemRandom } from "../../kit/random.ts";
import { createAccess } from "./access.ts";
import { sendJson } from "./answer.ts";
import { BodyMemory } from "./body-memory.ts";
import { Connections } from "./connections.ts";
import { type Service, serve } from "./serve.ts";
import { openRig, readAll, readUntil, until } from "./testing.ts";

const ask = (path: string, more = ""): string => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${more}\r\n`;

describe("pipelined requests", () => {
  it("begin one after the other, and their answers come in order", async () => {
    const begun: string[] = [];
    const releases: (() => void)[] = [];
    const rig = await openRig("unix", {
      handler: async (request, answer) => {
        begun.push(request.path);
        await new Promise<void>((resolve) => releases.push(resolve));
        sendJson(answer, 200, { path: request.path });
      },
    });
    const socket = await rig.dial();
    const all = readAll(socket);
    socket.write(ask("/a") + ask("/b") + ask("/c", "Connection: close\r\n") + ask("/d"));
    for (const path of ["/a", "/b", "/c"]) {
      await until(() => begun.at(-1) === path);
      expect(releases).toHaveLength(begun.length);
      releases.at(-1)?.();
    }
    expect([...(await all).matchAll(/"path":"(\/\w)"/g)].map(([, path]) => path)).toEqual(["/a", "/b", "/c"]);
    expect(begun).toEqual(["/a", "/b", "/c"]);
    await rig.close();
  });

  it("that wait are dropped with their client", async () => {
    const begun: string[] = [];
    let gone = 0;
    const rig = await openRig("unix", {
      handler: async (request) => {
        begun.push(request.path);
        await once(request.signal, "abort");
        gone++;
      },
    });
    const socket = await rig.dial();
    socket.write(ask("/a") + ask("/b"));
    await until(() => begun.length > 0);
    socket.destroy();
    await until(() => gone === 1 && rig.listeners.connections() === 0);
    expect(begun).toEqual(["/a"]);
    await rig.close();
  });

  it("are bounded", async () => {
    const rig = await openRig("unix", { handler: (request) => once(request.signal, "abort").then(() => {}) });
    const socket = await rig.dial();
    const all = readAll(socket);
    socket.write(ask("/a").repeat(PIPELINED_REQUESTS + 2));
    expect(await all).toBe("");
    socket.destroy();
    await rig.close();
  });

  it("that want to upgrade a connection which has ended are dropped without a word", async () => {
    const failures: unknown[] = [];
    const server = new Server();
    const connections = new Connections();
    const service: Service = {
      handler: async () => {},
      takesUpgrade: () => false,
      upgrade: async () => {},
      access: createAccess({ hosts: [] }),
      common: [],
      memory: new BodyMemory(1),
      clock: systemClock,
      random: systemRandom,
      log: { ...silentLog, error: (...told) => failures.push(told) },
    };
    serve(server, service, connections);
    const socket = new Socket();
    connections.add(socket, { address: "127.0.0.1", transport: "tcp" });
    // The answer in front of it never ends, and nobody counts it any more.
    new ServerResponse(new IncomingMessage(socket)).assignSocket(socket);
    socket.destroy();
    const message = Object.assign(new IncomingMessage(socket), { method: "GET", url: "/c" });
    server.emit("upgrade", message, socket, Buffer.alloc(0));
    await setImmediate();
    expect(failures).toEqual([]);
  });

  it("read a body only when it is their turn", async () => {
    const bodies: string[] = [];
    const rig = await openRig("unix", {
      handler: async (request, answer) => {
        let text = "";
        for await (const chunk of request.body) text += String(chunk);
        bodies.push(text);
        sendJson(answer, 200, {});
      },
    });
    const socket = await rig.dial();
    const put = (body: string): string =>
      `PUT /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    socket.write(put("one") + put("two"));
    await readUntil(socket, (text) => text.split("HTTP/1.1 200").length === 3);
    expect(bodies).toEqual(["one", "two"]);
    socket.destroy();
    await rig.close();
  });
});
