import { duplexPair } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { notFound } from "../../docker/errors.ts";
import { type Clock, systemClock } from "../../kit/clock.ts";
import { sendUpgradeError, type Upgrade } from "./hijack.ts";
import { isHijacked, spliceUpgrade } from "./splice.ts";
import {
  closed,
  makeCertificates,
  openEngine,
  openRig,
  type Rig,
  readAll,
  readUntil,
  type TestEngine,
  TRANSPORTS,
  type Transport,
  until,
} from "./testing.ts";

const certificates = makeCertificates();
const UPGRADED =
  "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n";
const ASK =
  "POST /v1.41/containers/x/attach?stdin=1 HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n";

let pending: Promise<void>[] = [];
let seen: Upgrade[] = [];

/** A listener whose upgrades are spliced to the engine. */
function spliced(transport: Transport, engine: TestEngine): Promise<Rig> {
  return openRig(
    transport,
    {
      async upgrade(upgrade) {
        seen.push(upgrade);
        let head = `${upgrade.request.method} ${upgrade.request.path} HTTP/1.1\r\n`;
        for (let i = 0; i < upgrade.rawHeaders.length; i += 2) {
          head += `${upgrade.rawHeaders[i]}: ${upgrade.rawHeaders[i + 1]}\r\n`;
        }
        head += `Content-Length: ${upgrade.body.length}\r\n\r\n`;
        const side = await engine.upgrade(head, upgrade.body);
        const over = spliceUpgrade(upgrade, side, { signal: upgrade.request.signal });
        pending.push(over);
        await over;
      },
    },
    certificates,
  );
}

beforeAll(() => {
  pending = [];
  seen = [];
});

describe.each(TRANSPORTS)("a spliced stream over %s", (transport) => {
  let engine: TestEngine;
  let rig: Rig;

  /** `cat`, which says its last words only after its input has ended. */
  const cat: Parameters<typeof openEngine>[0] = (socket, _head, rest) => {
    socket.write(UPGRADED);
    const parts: Buffer[] = [rest];
    socket.on("data", (chunk: Buffer) => parts.push(chunk));
    socket.on("end", () => setTimeout(() => socket.end(Buffer.concat(parts)), 5));
    socket.resume();
  };

  beforeAll(async () => {
    engine = await openEngine(cat);
    rig = await spliced(transport, engine);
  });
  afterAll(async () => {
    await rig.close();
    await engine.close();
  });

  it("brings the late output after the client's end, 200 times", async () => {
    const once = async (i: number): Promise<void> => {
      const client = await rig.dial();
      const all = readAll(client);
      client.write(`${ASK}Content-Length: 0\r\n\r\n`);
      client.end(`hello ${i}\n`);
      expect(await all).toBe(`${UPGRADED}hello ${i}\n`);
      await closed(client);
    };
    for (let i = 0; i < 20; i++) await Promise.all(Array.from({ length: 10 }, (_, j) => once(10 * i + j)));
    await Promise.all(pending);
    await until(() => engine.sockets.size === 0);
    await until(() => rig.listeners.connections() === 0);
  });

  it("keeps taking the client's bytes after the engine's end, 200 times", async () => {
    const got: string[] = [];
    const mute = await openEngine((socket, _head, rest) => {
      const parts: Buffer[] = [rest];
      socket.on("data", (chunk: Buffer) => parts.push(chunk));
      socket.once("end", () => got.push(Buffer.concat(parts).toString()));
      socket.end(`${UPGRADED}bye`);
      socket.resume();
    });
    const other = await spliced(transport, mute);
    const once = async (i: number): Promise<void> => {
      const client = await other.dial();
      const all = readAll(client);
      client.write(`${ASK}\r\n`);
      expect(await all).toBe(`${UPGRADED}bye`);
      client.end(`late ${i}`);
      await closed(client);
    };
    for (let i = 0; i < 20; i++) await Promise.all(Array.from({ length: 10 }, (_, j) => once(10 * i + j)));
    await Promise.all(pending);
    await until(() => mute.sockets.size === 0);
    expect(got.sort()).toEqual(Array.from({ length: 200 }, (_, i) => `late ${i}`).sort());
    await other.close();
    await mute.close();
  });

  it.each([
    ["in one packet", ['Content-Length: 7\r\n\r\n{"a":1}EXTRA']],
    ["in many packets", ["Content-Length: 7\r\n\r", '\n{"a', '":1}', "EX", "TRA"]],
    ["chunked in one packet", ['Transfer-Encoding: chunked\r\n\r\n3\r\n{"a\r\n4;x=y\r\n":1}\r\n0\r\n\r\nEXTRA']],
    [
      "chunked in many packets",
      ['Transfer-Encoding: chunked\r\n\r\n3\r\n{"', "a\r", '\n4\r\n":1}\r\n', "0\r\n", "\r", "\nEX", "TRA"],
    ],
    ["chunked with trailers", ['Transfer-Encoding: chunked\r\n\r\n7\r\n{"a":1}\r\n0\r\nA: b\r\n\r\n', "EXTRA"]],
  ])("hands over a body %s without its framing, and what lies behind it", async (_name, packets) => {
    const client = await rig.dial();
    const all = readAll(client);
    client.write(ASK);
    for (const packet of packets) {
      client.write(packet);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    client.end();
    expect(await all).toBe(`${UPGRADED}{"a":1}EXTRA`);
    const upgrade = seen.at(-1);
    expect(upgrade?.body.toString()).toBe('{"a":1}');
    expect(upgrade?.rawHeaders.map((text) => text.toLowerCase())).not.toContain("transfer-encoding");
  });

  it("takes an empty chunked body", async () => {
    const client = await rig.dial();
    const all = readAll(client);
    client.end(`${ASK}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nEXTRA`);
    expect(await all).toBe(`${UPGRADED}EXTRA`);
  });

  it("frees the engine when the client dies", async () => {
    const client = await rig.dial();
    client.write(`${ASK}\r\n`);
    await readUntil(client, (text) => text.endsWith("\r\n\r\n"));
    const [far] = [...engine.sockets];
    expect(far).toBeDefined();
    if (transport === "unix") client.destroy();
    else if ("resetAndDestroy" in client && transport === "tcp")
      (client as { resetAndDestroy(): void } & typeof client).resetAndDestroy();
    else client.destroy();
    await Promise.all(pending);
    if (far) await closed(far);
    await until(() => engine.sockets.size === 0);
  });

  it("shows the client that the engine died", async () => {
    const client = await rig.dial();
    client.write(`${ASK}\r\n`);
    expect(await readUntil(client, (text) => text.endsWith("\r\n\r\n"))).toBe(UPGRADED);
    const all = readAll(client);
    client.resume();
    expect(engine.sockets.size).toBe(1);
    for (const socket of engine.sockets) socket.resetAndDestroy();
    expect(await all).toBe("");
    client.destroy();
    await Promise.all(pending);
  });

  it("says in Docker's form that the engine died before its answer", async () => {
    const dying = await openEngine((socket) => socket.resetAndDestroy());
    const other = await spliced(transport, dying);
    const client = await other.dial();
    const all = readAll(client);
    client.write(`${ASK}\r\n`);
    expect(await all).toMatch(/^HTTP\/1\.1 500 [\s\S]*\r\n\r\n\{"message":"[^\n]*"\}\n$/);
    client.destroy();
    await other.close();
    await dying.close();
  });

  it("breaks the stream when the listener's grace is over", async () => {
    const other = await spliced(transport, engine);
    const client = await other.dial();
    client.write(`${ASK}\r\n`);
    await readUntil(client, (text) => text.endsWith("\r\n\r\n"));
    const all = readAll(client);
    client.resume();
    const stopping = other.listeners.close(30);
    await all;
    client.destroy();
    await stopping;
    await Promise.all(pending);
    await until(() => engine.sockets.size === 0);
    await other.close();
  });

  it("refuses in Docker's form on the bare connection", async () => {
    const other = await openRig(
      transport,
      {
        upgrade: async () => {
          throw notFound("No such container: x");
        },
      },
      certificates,
    );
    const client = await other.dial();
    const all = readAll(client);
    client.write(`${ASK}\r\nsome input`);
    const text = await all;
    expect(text).toMatch(/^HTTP\/1\.1 404 Not Found\r\nApi-Version: 1\.51\r\n/);
    expect(text).toMatch(/\r\nConnection: close\r\n\r\n\{"message":"No such container: x"\}\n$/);
    client.end();
    await closed(client);
    await other.close();
  });
});

describe("a spliced stream", () => {
  it("keeps repeated headers, their order and their case", async () => {
    const engine = await openEngine((socket, head) => socket.end(`${UPGRADED}${head}`));
    const rig = await spliced("tcp", engine);
    const client = await rig.dial();
    const all = readAll(client);
    client.end(`${ASK}X-Docker-Expose-Session-Grpc-Method: /a\r\nX-Docker-Expose-Session-Grpc-Method: /b\r\n\r\n`);
    expect(await all).toContain(
      "\r\nX-Docker-Expose-Session-Grpc-Method: /a\r\nX-Docker-Expose-Session-Grpc-Method: /b\r\n",
    );
    await rig.close();
    await engine.close();
  });

  it("keeps the engine's own head as it is", async () => {
    const head = "HTTP/1.1 101 Switching\r\nUPGRADE: h2c\r\nX-A: 1\r\nX-A: 2\r\nconnection: Upgrade\r\n\r\n";
    const engine = await openEngine((socket) => socket.end(`${head}first`));
    const rig = await spliced("tcp", engine);
    const client = await rig.dial();
    const all = readAll(client);
    client.end(`${ASK}\r\n`);
    expect(await all).toBe(`${head}first`);
    await rig.close();
    await engine.close();
  });

  it.each(["tcp", "tls"] as const)(
    "carries 200 MiB each way over %s without growing",
    async (transport) => {
      const total = 200 << 20;
      const block = Buffer.alloc(1 << 20, 7);
      const engine = await openEngine((socket, _head, rest) => {
        let got = rest.length;
        socket.write(UPGRADED);
        socket.on("data", (chunk: Buffer) => {
          got += chunk.length;
        });
        socket.once("end", () => {
          let left = total;
          const more = (): void => {
            while (left > 0) {
              left -= block.length;
              if (!socket.write(block)) {
                socket.once("drain", more);
                return;
              }
            }
            socket.end(String(got));
          };
          more();
        });
        socket.resume();
      });
      const rig = await spliced(transport, engine);
      const client = await rig.dial();
      let received = 0;
      let tail = "";
      client.on("data", (chunk: Buffer) => {
        received += chunk.length;
        tail = chunk.toString("latin1").slice(-16);
      });
      const ended = new Promise<void>((resolve) => client.once("end", () => resolve()));
      client.write(`${ASK}\r\n`);
      const before = process.memoryUsage.rss();
      let highest = before;
      for (let sent = 0; sent < total; sent += block.length) {
        if (!client.write(block)) await new Promise<void>((resolve) => client.once("drain", () => resolve()));
        highest = Math.max(highest, process.memoryUsage.rss());
      }
      client.end();
      await ended;
      await Promise.all(pending);
      expect(received).toBe(UPGRADED.length + total + String(total).length);
      expect(tail.endsWith(String(total))).toBe(true);
      // Client, listener and engine are one process here, and freed buffers wait for the collector: only an order of
      // magnitude is certain, but 400 MiB kept anywhere would show.
      expect(Math.max(highest, process.memoryUsage.rss()) - before).toBeLessThan(200 << 20);
      client.destroy();
      await rig.close();
      await engine.close();
    },
    60_000,
  );

  it("waits for a client that does not read", async () => {
    let taken = 0;
    const engine = await openEngine((socket) => {
      socket.write(UPGRADED);
      const block = Buffer.alloc(64 << 10);
      const more = (): void => {
        while (taken < 256 << 20) {
          taken += block.length;
          if (!socket.write(block)) {
            socket.once("drain", more);
            return;
          }
        }
      };
      more();
    });
    const rig = await spliced("unix", engine);
    const client = await rig.dial();
    client.write(`${ASK}\r\n`);
    let before = -1;
    while (taken === 0 || before !== taken) {
      before = taken;
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
    expect(taken).toBeLessThan(64 << 20);
    client.destroy();
    await Promise.all(pending);
    await rig.close();
    await engine.close();
  });

  it("is only for an answer that hands the connection over", () => {
    const raw = ["Content-Type", "application/vnd.docker.raw-stream"];
    expect(isHijacked({ status: 101, rawHeaders: [] })).toBe(true);
    expect(isHijacked({ status: 200, rawHeaders: raw })).toBe(true);
    expect(isHijacked({ status: 200, rawHeaders: [...raw, "Content-Length", "2"] })).toBe(false);
    expect(isHijacked({ status: 200, rawHeaders: ["Content-Type", "application/json"] })).toBe(false);
    expect(isHijacked({ status: 404, rawHeaders: raw })).toBe(false);
  });

  it("answers what cannot be spliced in whole, even when the client half-closed", async () => {
    const rig = await openRig("tcp", {
      upgrade: async (upgrade) => sendUpgradeError(upgrade, notFound("gone")),
    });
    const client = await rig.dial();
    const all = readAll(client);
    client.end(`${ASK}\r\n`);
    expect(await all).toMatch(/\r\n\r\n\{"message":"gone"\}\n$/);
    await rig.close();
  });
});

describe("a spliced stream whose client has left", () => {
  it("does not wait for ever for an engine that reads no more", async () => {
    const timers: (() => void)[] = [];
    const clock: Clock = {
      ...systemClock,
      after: (_ms, fn) => {
        timers.push(fn);
        return { cancel: () => {} };
      },
    };
    const [client, socket] = duplexPair({ allowHalfOpen: true });
    const [engineEnd, engineSocket] = duplexPair({ allowHalfOpen: true });
    const engine = { status: 101, statusText: "UPGRADED", rawHeaders: [], rest: Buffer.alloc(0), socket: engineSocket };
    const over = spliceUpgrade({ socket, head: Buffer.alloc(0), clock }, engine);
    // The engine has said all and reads nothing; the client has sent much and leaves properly.
    engineEnd.end();
    client.end(Buffer.alloc(1 << 20));
    client.resume();
    await until(() => timers.length > 0);
    expect(engineSocket.destroyed).toBe(false);
    for (const fire of timers) fire();
    await over;
    expect(engineSocket.destroyed).toBe(true);
  });
});
