import type { Socket } from "node:net";
import { type Duplex, PassThrough, Readable } from "node:stream";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { seededRandom } from "../../kit/random.ts";
import { openWire } from "./http-wire.ts";
import { readRemainingBody } from "./remaining-body.ts";
import {
  type Certificates,
  dropCertificates,
  makeCertificates,
  rawServer,
  type TestServer,
  type Transport,
} from "./testing/servers.ts";
import { requestUpgrade, type UpgradeRequest } from "./upgrade.ts";
import { type EngineWire, WireError } from "./wire.ts";

const SWITCHED = "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n";
const ATTACH: UpgradeRequest = {
  method: "POST",
  path: "/v1.41/containers/c/attach?stream=1&stdin=1",
  headers: ["Host", "shoal:2375", "Connection", "Upgrade", "Upgrade", "tcp", "Content-Length", "0"],
};

let certificates: Certificates;
const open: { close(): Promise<void> }[] = [];
const keep = <T extends { close(): Promise<void> }>(thing: T): T => {
  open.push(thing);
  return thing;
};

beforeAll(() => {
  certificates = makeCertificates();
});
afterAll(() => dropCertificates(certificates));
afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing.close();
});

interface Call {
  readonly head: string;
  readonly socket: Socket;
  /** Everything after the head until the client's end. */
  readonly rest: Promise<Buffer>;
  /** As many bytes after the head as are there now. */
  readonly sofar: () => Buffer;
}

/** A server that hands over each call once its head is there. */
async function engine(transport: Transport, onCall: (call: Call) => void): Promise<[EngineWire, TestServer]> {
  const server = keep(
    await rawServer(
      transport,
      (socket) => {
        let bytes = Buffer.alloc(0);
        let head: string | undefined;
        const rest = new Promise<Buffer>((resolve) => socket.on("end", () => resolve(bytes)));
        socket.on("error", () => {});
        socket.on("data", (chunk: Buffer) => {
          bytes = Buffer.concat([bytes, chunk]);
          const end = bytes.indexOf("\r\n\r\n");
          if (head !== undefined || end < 0) return;
          head = bytes.toString("latin1", 0, end);
          bytes = bytes.subarray(end + 4);
          onCall({ head, socket, rest, sofar: () => bytes });
        });
      },
      certificates,
    ),
  );
  return [keep(openWire(server.address, server.tls)), server];
}

async function readAll(stream: Duplex): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

describe.each<Transport>(["tcp", "unix", "tls"])("an upgraded connection over %s", (transport) => {
  it("carries what comes after our half-close, byte for byte", async () => {
    const random = seededRandom(3);
    const reply = Buffer.from(random.hex(1 << 19));
    const [wire, server] = await engine(transport, ({ socket, rest }) => {
      socket.write(`${SWITCHED}first`);
      // The engine answers only after the end of stdin, as `wc -c` would.
      void rest.then((stdin) => {
        socket.write(`${stdin.length}:`);
        for (let at = 0; at < reply.length; ) {
          const next = at + 1 + random.int(9_999);
          socket.write(reply.subarray(at, next));
          at = next;
        }
        socket.end();
      });
    });
    const answer = await requestUpgrade(wire, { ...ATTACH, head: Buffer.from("early ") });
    expect([answer.status, answer.statusText]).toEqual([101, "UPGRADED"]);
    expect(answer.rawHeaders).toEqual(["Connection", "Upgrade", "Upgrade", "tcp"]);
    answer.socket.write("stdin");
    answer.socket.end();
    const output = Buffer.concat([answer.rest, await readAll(answer.socket)]);
    expect(output.equals(Buffer.concat([Buffer.from("first11:"), reply]))).toBe(true);
    await vi.waitUntil(() => server.connections.size === 0);
  });

  it("lets us go on writing after the engine's half-close", async () => {
    let received: Promise<Buffer> | undefined;
    const [wire] = await engine(transport, ({ socket, rest }) => {
      received = rest;
      socket.end(`${SWITCHED}only`);
    });
    const answer = await requestUpgrade(wire, ATTACH);
    const output = Buffer.concat([answer.rest, await readAll(answer.socket)]);
    expect(output.toString()).toBe("only");
    for (let i = 0; i < 10; i++) answer.socket.write(`${i}`);
    answer.socket.end();
    expect((await received)?.toString()).toBe("0123456789");
  });

  it("keeps an output that comes at once with the end until somebody reads", async () => {
    const [wire] = await engine(transport, ({ socket }) => socket.end(`${SWITCHED}all of it`));
    const answer = await requestUpgrade(wire, ATTACH);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(Buffer.concat([answer.rest, await readAll(answer.socket)]).toString()).toBe("all of it");
    answer.socket.destroy();
  });
});

describe("requestUpgrade", () => {
  it("keeps header lines, their order and repetition, and sets the path and Host", async () => {
    let head = "";
    const [wire, server] = await engine("tcp", (call) => {
      head = call.head;
      call.socket.write("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n");
    });
    const headers = ["X-Method", "/a", "host", "x", "Upgrade", "h2c", "X-Method", "/b", "Connection", "Upgrade"];
    const answer = await requestUpgrade(wire, { method: "POST", path: "/v1.41/session", headers });
    expect(answer.status).toBe(101);
    expect(head.split("\r\n")).toEqual([
      "POST /v1.41/session HTTP/1.1",
      `Host: ${server.address}`,
      "X-Method: /a",
      "Upgrade: h2c",
      "X-Method: /b",
      "Connection: Upgrade",
    ]);
    answer.socket.destroy();
  });

  it.each([
    ["a Buffer", Buffer.from('{"Tty":true}'), "Content-Length: 12", '{"Tty":true}in'],
    [
      "a stream",
      Readable.from([Buffer.from('{"Tty"'), Buffer.from(":true}")]),
      "chunked",
      '6\r\n{"Tty"\r\n6\r\n:true}\r\n0\r\n\r\nin',
    ],
  ])("sends %s as a body with its framing, then the bytes already read", async (_name, body, framing, wireBytes) => {
    const [wire] = await engine("tcp", ({ socket, head, sofar }) => {
      expect(head).toContain(framing);
      void vi.waitUntil(() => sofar().includes("true}")).then(() => socket.write(SWITCHED));
      void vi.waitUntil(() => sofar().length === wireBytes.length).then(() => socket.end(sofar()));
    });
    const headers = ["Transfer-Encoding", "chunked", "Connection", "Upgrade", "Upgrade", "tcp"];
    const answer = await requestUpgrade(wire, { method: "POST", path: "/", headers, body, head: Buffer.from("in") });
    expect(Buffer.concat([answer.rest, await readAll(answer.socket)]).toString()).toBe(wireBytes);
    answer.socket.destroy();
  });

  it("passes on a body that the client sends after its head, and leaves the rest and the end to the joining", async () => {
    const [wire] = await engine("tcp", ({ socket, rest, sofar }) => {
      void vi.waitUntil(() => sofar().includes("{body}")).then(() => socket.write(SWITCHED));
      void rest.then((all) => socket.end(all));
    });
    const client = new PassThrough();
    const going = requestUpgrade(wire, { ...ATTACH, head: Buffer.from("{bo"), more: client });
    client.write("dy}");
    const answer = await going;
    client.end("stdin");
    expect([client.isPaused(), client.listenerCount("data")]).toEqual([true, 0]);
    client.pipe(answer.socket);
    expect(Buffer.concat([answer.rest, await readAll(answer.socket)]).toString()).toBe("{body}stdin");
  });

  it("breaks off when the client goes away, when the signal says so, and at a line break in a header", async () => {
    const [wire, server] = await engine("tcp", () => {});
    const client = new PassThrough();
    const gone = requestUpgrade(wire, { ...ATTACH, more: client });
    await vi.waitUntil(() => server.connections.size === 1);
    client.destroy();
    await expect(gone).rejects.toThrow("ended early");
    const controller = new AbortController();
    const given = requestUpgrade(wire, ATTACH, controller.signal);
    given.catch(() => {});
    await vi.waitUntil(() => server.accepted() === 2);
    controller.abort();
    await expect(given).rejects.toMatchObject({ fault: "aborted" });
    const forged = { ...ATTACH, headers: ["X", "a\r\nHost: evil"] };
    await expect(requestUpgrade(wire, forged)).rejects.toMatchObject({ sent: false });
    expect(server.accepted()).toBe(2);
  });

  it.each([
    ["no HTTP", "SSH-2.0-OpenSSH\r\n", "not HTTP"],
    ["an endless head", `HTTP/1.1 101 X\r\nA: ${"x".repeat(70_000)}`, "too large"],
    ["half a head", "HTTP/1.1 101 X\r\nA: ", "closed by the engine"],
  ])("fails at %s", async (_name, bytes, words) => {
    const [wire, server] = await engine("tcp", ({ socket }) => socket.end(bytes));
    const failed = requestUpgrade(wire, ATTACH);
    await expect(failed).rejects.toThrow(words);
    await expect(failed).rejects.toBeInstanceOf(WireError);
    await vi.waitUntil(() => server.connections.size === 0);
  });

  it("hands over a 200 that goes over into a raw stream", async () => {
    const [wire] = await engine("tcp", ({ socket }) =>
      socket.end("HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\nlogs"),
    );
    const answer = await requestUpgrade(wire, ATTACH);
    expect(answer.status).toBe(200);
    expect(Buffer.concat([answer.rest, await readAll(answer.socket)]).toString()).toBe("logs");
    answer.socket.destroy();
  });
});

describe("readRemainingBody", () => {
  const message = '{"message":"No such container: x"}';
  it.each([
    ["a length", `Content-Length: ${message.length}\r\n\r\n${message}`, message],
    [
      "chunks",
      `Transfer-Encoding: chunked\r\n\r\n5;x=y\r\n${message.slice(0, 5)}\r\n1D\r\n${message.slice(5)}\r\n0\r\n\r\n`,
      message,
    ],
    ["the end of the connection", `Connection: close\r\n\r\n${message}`, message],
    ["a length that is never reached", `Content-Length: 999\r\n\r\n${message}`, message],
    ["more than the bound", `Content-Length: 5000\r\n\r\n${"x".repeat(5000)}`, "x".repeat(1000)],
    [
      "more chunks than the bound",
      `Transfer-Encoding: chunked\r\n\r\n1388\r\n${"x".repeat(5000)}\r\n0\r\n\r\n`,
      "x".repeat(1000),
    ],
  ])("reads by %s and ends the connection", async (name, bytes, expected) => {
    const keepOpen = name === "a length" || name === "chunks";
    const [wire, server] = await engine("tcp", ({ socket }) => {
      const all = Buffer.from(`HTTP/1.1 404 Not Found\r\n${bytes}`);
      socket.write(all.subarray(0, 60));
      setTimeout(() => (keepOpen ? socket.write(all.subarray(60)) : socket.end(all.subarray(60))), 10);
      socket.on("end", () => socket.end());
    });
    const answer = await requestUpgrade(wire, ATTACH);
    expect([answer.status, answer.statusText]).toEqual([404, "Not Found"]);
    expect((await readRemainingBody(answer, { limit: 1000 })).toString()).toBe(expected);
    await vi.waitUntil(() => server.connections.size === 0);
  });
});
