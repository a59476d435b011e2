import { createServer as createHttp, type IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { Readable } from "node:stream";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { seededRandom } from "../../kit/random.ts";
import { openWire } from "./http-wire.ts";
import {
  type Certificates,
  dropCertificates,
  httpServer,
  makeCertificates,
  rawServer,
  type TestServer,
} from "./testing/servers.ts";
import { type EngineWire, type WireAnswer, WireError } from "./wire.ts";

let certificates: Certificates;
const open: { close(): Promise<void> }[] = [];
const keep = <T extends { close(): Promise<void> }>(thing: T): T => {
  open.push(thing);
  return thing;
};
const wireTo = (server: TestServer, options = {}): EngineWire => keep(openWire(server.address, server.tls, options));

beforeAll(() => {
  certificates = makeCertificates();
});
afterAll(() => dropCertificates(certificates));
afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing.close();
});

async function text(answer: WireAnswer): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer.body) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

async function faultOf(work: Promise<unknown>): Promise<[string, boolean]> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof WireError)) throw new Error(`not a WireError: ${String(error)}`);
  return [error.fault, error.sent];
}

describe("an ordinary call", () => {
  it("brings status, headers as they came and the body, and uses its connection again", async () => {
    const server = keep(
      await httpServer((req, res) => {
        res.writeHead(201, ["X-One", "a", "x-one", "b", "Api-Version", "1.41"]);
        req.pipe(res);
      }),
    );
    const wire = wireTo(server);
    for (const body of ["hello", Buffer.from("bytes"), "3", "4", "5", "6"]) {
      const answer = await wire.request({ method: "POST", path: "/x?y=1", body, lane: "quick" });
      expect(answer.status).toBe(201);
      expect(answer.headers.slice(0, 6)).toEqual(["X-One", "a", "x-one", "b", "Api-Version", "1.41"]);
      expect(await text(answer)).toBe(body.toString());
    }
    expect(server.accepted()).toBeLessThanOrEqual(2);
  });

  it("frames the body itself and keeps the other headers", async () => {
    const seen: string[][] = [];
    const server = keep(
      await httpServer((req, res) => {
        seen.push(req.rawHeaders);
        req.resume().on("end", () => res.end());
      }),
    );
    const wire = wireTo(server);
    const headers = ["Host", "evil", "Connection", "close", "Transfer-Encoding", "chunked", "X-Registry-Auth", "e30="];
    const send = async (body: Readable | string, extra: string[] = []) =>
      text(await wire.request({ method: "PUT", path: "/", headers: [...headers, ...extra], body }));
    await send("12345", ["Content-Length", "999"]);
    await send(Readable.from([Buffer.from("123"), Buffer.from("45")]), ["Content-Length", "5"]);
    await send(Readable.from([Buffer.from("12345")]));
    const flat = seen.map((raw) => raw.join(" ").toLowerCase());
    for (const head of flat) {
      expect(head).toContain("x-registry-auth e30=");
      expect(head).toContain(`host ${server.address}`);
      expect(head).not.toContain("evil");
    }
    expect(flat.map((head) => /content-length (\d+)/.exec(head)?.[1])).toEqual(["5", "5", undefined]);
    expect(flat[2]).toContain("transfer-encoding chunked");
  });

  it.each([
    ["GET", []],
    ["DELETE", []],
    ["POST", []],
    ["POST", ["Content-Length", "0"]],
    ["GET", ["Content-Length", "0"]],
  ] as [string, string[]][])("takes an empty stream for an empty body: %s %j", async (method, headers) => {
    const server = keep(
      await httpServer((req, res) => {
        let length = 0;
        req.on("data", (chunk: Buffer) => {
          length += chunk.length;
        });
        req.on("end", () => res.end(`${length}`));
      }),
    );
    const wire = wireTo(server);
    for (let i = 0; i < 3; i++) {
      const answer = await wire.request({ method, path: "/", headers, body: Readable.from([]) });
      expect(await text(answer)).toBe("0");
    }
  });

  it("carries 1 MiB in odd chunks both ways", async () => {
    const server = keep(await httpServer((req, res) => void req.pipe(res)));
    const random = seededRandom(5);
    const bytes = Buffer.from(random.hex(1 << 19));
    const chunks: Buffer[] = [];
    for (let at = 0; at < bytes.length; ) {
      const next = at + 1 + random.int(30_000);
      chunks.push(bytes.subarray(at, next));
      at = next;
    }
    const answer = await wireTo(server).request({ method: "POST", path: "/", body: Readable.from(chunks) });
    expect((await text(answer)) === bytes.toString()).toBe(true);
  });

  it("speaks TLS, and refuses a certificate it does not know", async () => {
    const inner = createHttp((_req, res) => res.end("over tls"));
    const server = keep(await rawServer("tls", (socket) => void inner.emit("connection", socket), certificates));
    expect(await text(await wireTo(server).request({ method: "GET", path: "/" }))).toBe("over tls");
    const strict = keep(openWire(server.address, { verify: true }));
    expect(await faultOf(strict.request({ method: "GET", path: "/" }))).toEqual(["tls", false]);
    const lax = keep(openWire(server.address, { verify: false }));
    expect(await text(await lax.request({ method: "GET", path: "/" }))).toBe("over tls");
  });

  it("makes the sender wait while the engine does not read, and the engine while we do not", async () => {
    let request: IncomingMessage | undefined;
    const server = keep(
      await httpServer((req, res) => {
        request = req;
        res.writeHead(200);
        res.write("go");
      }),
    );
    let produced = 0;
    const body = new Readable({
      read() {
        produced += 65_536;
        this.push(produced > 200 << 20 ? null : Buffer.alloc(65_536));
      },
    });
    const answer = await wireTo(server).request({ method: "POST", path: "/", body });
    let before = -1;
    await vi.waitUntil(
      () => {
        const steady = produced === before;
        before = produced;
        return steady;
      },
      { interval: 100 },
    );
    expect(produced).toBeLessThan(50 << 20);
    request?.destroy();
    expect(await faultOf(text(answer))).toEqual(["broken", true]);
    expect(body.destroyed).toBe(false);
  });

  it("leaves the sender's stream whole when the engine answers early", async () => {
    const server = keep(
      await httpServer((_req, res) => {
        res.writeHead(404, { connection: "close" });
        res.end("no");
      }),
    );
    const body = new Readable({ read() {} });
    body.push("first");
    const answer = await wireTo(server).request({ method: "PUT", path: "/", body });
    expect([answer.status, await text(answer)]).toEqual([404, "no"]);
    await vi.waitUntil(() => server.connections.size === 0);
    expect([body.destroyed, body.isPaused(), body.listenerCount("data")]).toEqual([false, true, 0]);
  });

  it("breaks the call off when the sender's stream breaks", async () => {
    const server = keep(await httpServer((req) => req.on("error", () => {}).resume()));
    const body = new Readable({ read() {} });
    body.push("first");
    const call = faultOf(wireTo(server).request({ method: "POST", path: "/", body }));
    await vi.waitUntil(() => server.connections.size === 1);
    body.destroy();
    expect(await call).toEqual(["broken", true]);
    await vi.waitUntil(() => server.connections.size === 0);
  });

  it("gives up on abort before, during and after the head, and closes the connection", async () => {
    const server = keep(await httpServer((req, res) => void (req.url === "/head" && res.write("x"))));
    const wire = wireTo(server);
    expect(await faultOf(wire.request({ method: "GET", path: "/", signal: AbortSignal.abort() }))).toEqual([
      "aborted",
      false,
    ]);
    const controller = new AbortController();
    const waiting = faultOf(wire.request({ method: "GET", path: "/", signal: controller.signal }));
    const answer = await wire.request({ method: "GET", path: "/head", signal: controller.signal });
    await vi.waitUntil(() => server.connections.size === 2);
    controller.abort();
    expect(await waiting).toEqual(["aborted", true]);
    expect(await faultOf(text(answer))).toEqual(["aborted", true]);
    await vi.waitUntil(() => server.connections.size === 0);
  });

  it("does not let long calls hold up quick ones or pings", async () => {
    const server = keep(await httpServer((req, res) => void (req.url !== "/long" && res.end("ok"))));
    const wire = wireTo(server, { connections: { long: 2 } });
    const long = Array.from({ length: 5 }, () => faultOf(wire.request({ method: "GET", path: "/long" })));
    for (const lane of ["quick", "health"] as const) {
      expect(await text(await wire.request({ method: "GET", path: "/", lane }))).toBe("ok");
    }
    await wire.close();
    await Promise.all(long);
    await vi.waitUntil(() => server.connections.size === 0);
  });
});

describe("an engine that fails", () => {
  it("refuses: every call ends at once, also those that wait for a connection", async () => {
    const server = await rawServer("tcp", () => {});
    await server.close();
    const wire = wireTo(server, { connections: { quick: 4 } });
    const calls = Array.from({ length: 100 }, () => faultOf(wire.request({ method: "GET", path: "/", lane: "quick" })));
    for (const result of await Promise.all(calls)) expect(result).toEqual(["refused", false]);
    const socket = keep(openWire("unix:///nonexistent/docker.sock", undefined));
    expect(await faultOf(socket.request({ method: "GET", path: "/" }))).toEqual(["refused", false]);
    expect(await faultOf(socket.connect())).toEqual(["refused", false]);
  });

  it("accepts and stays silent: TLS fails after the dial deadline, unsent", async () => {
    const server = keep(await rawServer("tcp", (socket) => socket.resume().on("end", () => socket.end())));
    const wire = keep(openWire(server.address, { verify: true }, { dialMs: 50 }));
    expect(await faultOf(wire.request({ method: "GET", path: "/" }))).toEqual(["silent", false]);
    expect(await faultOf(wire.connect())).toEqual(["silent", false]);
    await vi.waitUntil(() => server.connections.size === 0);
  });

  it("is called with TLS but speaks none", async () => {
    const server = keep(
      await rawServer("tcp", (socket) => socket.once("data", () => socket.end("HTTP/1.0 400 Bad\r\n\r\n"))),
    );
    const wire = keep(openWire(server.address, { verify: true }));
    expect(await faultOf(wire.connect())).toEqual(["tls", false]);
  });

  it.each([
    ["closes instead of answering", ""],
    ["breaks off in the head", "HTTP/1.1 200 O"],
    ["speaks something else", "SSH-2.0-OpenSSH_9.2\r\n"],
  ])("%s", async (_name, bytes) => {
    const server = keep(await rawServer("tcp", (socket: Socket) => socket.once("data", () => socket.end(bytes))));
    expect(await faultOf(wireTo(server).request({ method: "GET", path: "/" }))).toEqual(["broken", true]);
  });

  it.each([
    ["with a length", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"],
    ["in chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"],
  ])("breaks off in a body %s", async (_name, bytes) => {
    const server = keep(await rawServer("tcp", (socket: Socket) => socket.once("data", () => socket.end(bytes))));
    const answer = await wireTo(server).request({ method: "GET", path: "/" });
    expect(answer.status).toBe(200);
    expect(await faultOf(text(answer))).toEqual(["broken", true]);
  });
});

describe("close", () => {
  it("ends idle, running and raw connections, and refuses new calls", async () => {
    const server = keep(await httpServer((req, res) => void (req.url === "/quick" && res.end("ok"))));
    const wire = wireTo(server);
    await text(await wire.request({ method: "GET", path: "/quick", lane: "quick" }));
    const running = faultOf(wire.request({ method: "GET", path: "/hangs" }));
    const raw = await wire.connect();
    await vi.waitUntil(() => server.connections.size === 3);
    await wire.close();
    expect(await running).toEqual(["aborted", true]);
    expect(raw.destroyed).toBe(true);
    await vi.waitUntil(() => server.connections.size === 0);
    expect(await faultOf(wire.request({ method: "GET", path: "/" }))).toEqual(["aborted", false]);
  });
});
