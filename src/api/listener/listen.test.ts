import { spawnSync } from "node:child_process";
import { existsSync, statSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { badRequest } from "../../docker/errors.ts";
import { systemClock } from "../../kit/clock.ts";
import { silentLog } from "../../kit/log.ts";
import { systemRandom } from "../../kit/random.ts";
import { createAccess } from "./access.ts";
import { sendJson, startStream } from "./answer.ts";
import { parseHost } from "./host.ts";
import { type ListenOptions, openListeners } from "./listen.ts";
import type { ApiRequest } from "./request.ts";
import {
  closed,
  dial,
  makeCertificates,
  openRig,
  type Rig,
  rawExchange,
  readAll,
  readUntil,
  tempDir,
  until,
} from "./testing.ts";

const certificates = makeCertificates();
const H = "Host: 127.0.0.1\r\n";
const CLOSE = `${H}Connection: close\r\n`;
const OPTIONS: ListenOptions = {
  handler: async (request, answer) => sendJson(answer, 200, { path: request.path }),
  takesUpgrade: () => true,
  upgrade: async (upgrade) => void upgrade.socket.destroy(),
  access: createAccess({ hosts: [] }),
  headers: [],
  log: silentLog,
  clock: systemClock,
  random: systemRandom,
};

describe("an address", () => {
  it("that is taken is refused by name", async () => {
    const rig = await openRig("tcp");
    const [address] = rig.listeners.addresses;
    await expect(openListeners([rig.address], OPTIONS)).rejects.toThrow(
      `a manager (or something else) already listens on ${address}: stop it or choose another -H`,
    );
    await rig.close();
  });

  it("that fails closes those opened before it", async () => {
    const dir = tempDir();
    const rig = await openRig("tcp");
    const path = `${dir.path}/a.sock`;
    await expect(openListeners([parseHost(`unix://${path}`), rig.address], OPTIONS)).rejects.toThrow("already listens");
    expect(existsSync(path)).toBe(false);
    await rig.close();
    dir.remove();
  });

  it("is one of several, each answering", async () => {
    const dir = tempDir();
    const hosts = ["tcp://127.0.0.1:0", "tcp://127.0.0.1:0", `unix://${dir.path}/a.sock`].map(parseHost);
    const listeners = await openListeners(hosts, OPTIONS);
    expect(listeners.addresses[0]).toMatch(/^tcp:\/\/127\.0\.0\.1:[1-9]\d*$/);
    expect(listeners.addresses[0]).not.toBe(listeners.addresses[1]);
    expect(listeners.addresses[2]).toBe(`unix://${dir.path}/a.sock`);
    await listeners.close(0);
    dir.remove();
  });

  it("on a unix socket is the owner's alone and leaves no file", async () => {
    const dir = tempDir();
    const path = `${dir.path}/a.sock`;
    const listeners = await openListeners([parseHost(`unix://${path}`)], OPTIONS);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    await expect(openListeners([parseHost(`unix://${path}`)], OPTIONS)).rejects.toThrow(
      `already listens on unix://${path}`,
    );
    expect(existsSync(path)).toBe(true);
    await listeners.close(0);
    expect(existsSync(path)).toBe(false);
    dir.remove();
  });

  it("takes the place of a dead process's socket, but of no other file", async () => {
    const dir = tempDir();
    const path = `${dir.path}/a.sock`;
    const script = `require("net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
    expect(spawnSync(process.execPath, ["-e", script]).signal).toBe("SIGKILL");
    expect(statSync(path).isSocket()).toBe(true);
    const listeners = await openListeners([parseHost(`unix://${path}`)], OPTIONS);
    await listeners.close(0);
    writeFileSync(path, "precious");
    await expect(openListeners([parseHost(`unix://${path}`)], OPTIONS)).rejects.toThrow(
      "a file that is not a socket is there",
    );
    expect(statSync(path).size).toBe(8);
    dir.remove();
  });

  it("that cannot be is explained", async () => {
    const open = (text: string) => openListeners([parseHost(text)], OPTIONS);
    await expect(open("unix:///nowhere/at/all.sock")).rejects.toThrow("the directory /nowhere/at does not exist");
    await expect(open("192.0.2.1:0")).rejects.toThrow("this machine does not have that address");
  });
});

describe("what is not a proper request", () => {
  let rig: Rig;
  const paths: string[] = [];
  beforeAll(async () => {
    rig = await openRig("tcp", {
      limits: { headersMs: 300, headersBytes: 8 << 10 },
      async handler(request, answer) {
        paths.push(request.path);
        sendJson(answer, 200, { path: request.path });
      },
    });
  });
  afterAll(() => rig.close());

  it.each([
    [
      "both framings",
      `POST /a HTTP/1.1\r\n${H}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\n${H}\r\n`,
    ],
    [
      "two lengths",
      `POST /a HTTP/1.1\r\n${H}Content-Length: 5\r\nContent-Length: 0\r\n\r\nGET /smuggled HTTP/1.1\r\n${H}\r\n`,
    ],
    ["a space before the colon", `POST /a HTTP/1.1\r\n${H}Content-Length : 5\r\n\r\nhello`],
    ["bare line feeds", `GET /a HTTP/1.1\nHost: 127.0.0.1\n\n`],
    ["a folded header", `GET /a HTTP/1.1\r\n${H}A: b\r\n c: d\r\n\r\n`],
    ["no host", "GET /a HTTP/1.1\r\n\r\n"],
    ["another transfer coding", `POST /a HTTP/1.1\r\n${CLOSE}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
    ["an unknown transfer coding", `POST /a HTTP/1.1\r\n${H}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`],
    ["two hosts", `GET /a HTTP/1.1\r\n${CLOSE}Host: evil.example\r\n\r\n`],
    ["a path with ..", `GET /v1.41/../a HTTP/1.1\r\n${CLOSE}\r\n`],
    ["nonsense", "hello\r\n\r\n"],
  ])("is refused: %s", async (_name, text) => {
    const answer = await rawExchange(rig, text);
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(paths).not.toContain("/smuggled");
  });

  it("is refused: too many or too large headers", async () => {
    const many = Array.from({ length: 300 }, (_, i) => `A${i}: b\r\n`).join("");
    const answer = await rawExchange(rig, `GET /a HTTP/1.1\r\n${CLOSE}${many}\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 431 [\s\S]*\{"message":"too many request headers"\}\n$/);
    const large = await rawExchange(rig, `GET /a HTTP/1.1\r\n${H}A: ${"x".repeat(9000)}\r\n\r\n`);
    expect(large).toMatch(/^HTTP\/1\.1 431 [\s\S]*\{"message":"request headers too large"\}\n$/);
  });

  it("is cut off: headers that never end, and silence", async () => {
    expect(await rawExchange(rig, `GET /a HTTP/1.1\r\n${H}A:`)).toMatch(/^HTTP\/1\.1 408 /);
    expect(await rawExchange(rig, "")).toMatch(/^(HTTP\/1\.1 408 |$)/);
  });

  it("is refused: a web page's, on upgrades too", async () => {
    const page = `${CLOSE}Origin: http://evil.example\r\n`;
    expect(await rawExchange(rig, `POST /a HTTP/1.1\r\n${page}\r\n`)).toMatch(/^HTTP\/1\.1 403 /);
    const upgrade = `${H}Origin: http://evil.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n`;
    const socket = await rig.dial();
    const all = readAll(socket);
    socket.write(`GET /containers/x/attach/ws HTTP/1.1\r\n${upgrade}\r\n`);
    expect(await all).toMatch(/^HTTP\/1\.1 403 [\s\S]*comes from a web page/);
    socket.end();
  });

  it("is broken off: an upgrade behind an unfinished answer", async () => {
    const other = await openRig("tcp", {
      handler: (request) => new Promise((resolve) => request.signal.addEventListener("abort", () => resolve())),
    });
    const up = `POST /b HTTP/1.1\r\n${H}Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n`;
    expect(await rawExchange(other, `GET /a HTTP/1.1\r\n${H}\r\n${up}`)).toBe("");
    await other.close();
  });
});

describe("an upgrade that no route takes", () => {
  it.each(["GET", "POST"])("is an ordinary %s request, as Java's client expects", async (method) => {
    const got: string[] = [];
    const rig = await openRig("tcp", {
      takesUpgrade: (request) => request.path === "/session",
      async handler(request, answer) {
        for await (const chunk of request.body) got.push(String(chunk));
        sendJson(answer, 200, request.path);
      },
    });
    const h2c = `${CLOSE.replace("close", "Upgrade, HTTP2-Settings")}Upgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAAB\r\n`;
    const socket = await rig.dial();
    socket.write(`${method} /info HTTP/1.1\r\n${h2c}Content-Length: 4\r\n\r\nbo`);
    await systemClock.sleep(10);
    socket.write("dy");
    const text = await readUntil(socket, (all) => all.endsWith("/info\n"));
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\nApi-Version: 1\.51\r\n/);
    expect(got.join("")).toBe("body");
    socket.destroy();
    await rig.close();
  });
});

describe("TLS", () => {
  it("lets only certificates of the CA in, and names them", async () => {
    const seen: ApiRequest[] = [];
    const rig = await openRig(
      "tls",
      {
        async handler(request, answer) {
          seen.push(request);
          sendJson(answer, 200, "{}");
        },
      },
      certificates,
    );
    expect(await rawExchange(rig, `GET /a HTTP/1.1\r\n${CLOSE}\r\n`)).toMatch(/^HTTP\/1\.1 200 /);
    expect(seen[0]?.remote).toEqual({
      address: "127.0.0.1",
      transport: "tls",
      certificateName: "client-of-tests",
      certificate: { CN: "client-of-tests" },
    });
    const stranger = await rig.dial({ anonymous: true }).catch(() => undefined);
    if (stranger) {
      stranger.write(`GET /a HTTP/1.1\r\n${CLOSE}\r\n`);
      expect(await readAll(stranger)).toBe("");
    }
    expect(seen).toHaveLength(1);
    await rig.close();
  });

  it("stops although somebody never finishes a handshake", async () => {
    const rig = await openRig("tls", {}, certificates);
    const mute = await dial(rig.address);
    await rig.listeners.close(60_000);
    mute.resume();
    await closed(mute.end());
    await rig.close();
  });
});

describe("a graceful stop", () => {
  it("closes idle connections at once and lets an open answer finish", async () => {
    let finish = (): void => {};
    const rig = await openRig("tcp", {
      async handler(request, answer) {
        if (request.path === "/idle") {
          sendJson(answer, 200, "{}");
          return;
        }
        const stream = startStream(answer, 200, []);
        await new Promise<void>((resolve) => {
          finish = resolve;
        });
        stream.write("last");
        stream.end();
      },
    });
    const idle = await rig.dial();
    idle.write(`GET /idle HTTP/1.1\r\n${H}\r\n`);
    await readUntil(idle, (text) => text.endsWith("{}\n"));
    const busy = await rig.dial();
    busy.write(`GET /busy HTTP/1.1\r\n${H}\r\n`);
    await readUntil(busy, (text) => text.endsWith("\r\n\r\n"));
    const stopping = rig.listeners.close(60_000);
    expect(await readAll(idle)).toBe("");
    await expect(rig.dial()).rejects.toThrow("ECONNREFUSED");
    const rest = readAll(busy);
    busy.resume();
    finish();
    expect(await rest).toBe("4\r\nlast\r\n0\r\n\r\n");
    busy.end();
    idle.end();
    await stopping;
    expect(rig.listeners.connections()).toBe(0);
    await rig.close();
  });

  it("breaks what is still open after the grace and tells its handler", async () => {
    let reason: unknown;
    const rig = await openRig("unix", {
      async handler(request, answer) {
        startStream(answer, 200, []);
        await new Promise<void>((resolve) => request.signal.addEventListener("abort", () => resolve()));
        reason = request.signal.reason;
      },
    });
    const socket = await rig.dial();
    socket.write(`GET /events HTTP/1.1\r\n${H}\r\n`);
    await readUntil(socket, (text) => text.endsWith("\r\n\r\n"));
    await rig.listeners.close(20);
    await until(() => reason !== undefined);
    expect(String(reason)).toContain("the client closed the connection");
    socket.destroy();
    await rig.close();
  });
});

describe("every answer", () => {
  it("carries the common headers, CORS included, and OPTIONS is answered on every route", async () => {
    const rig = await openRig("tcp", { access: createAccess({ hosts: [], cors: true }) });
    const answer = await rawExchange(
      rig,
      `OPTIONS /v1.41/containers/json HTTP/1.1\r\n${CLOSE}Origin: http://x.example\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\nApi-Version: 1\.51\r\nAccess-Control-Allow-Origin: \*\r\n/);
    expect(answer).toContain("Content-Length: 0\r\n");
    await rig.close();
  });

  it("is an error in Docker's form when the handler fails, or gives none", async () => {
    const rig = await openRig("tcp", {
      async handler(request) {
        if (request.path === "/bad") throw badRequest('say "please"');
        if (request.path === "/broken") throw new TypeError("oops");
      },
    });
    const ask = (path: string) => rawExchange(rig, `GET ${path} HTTP/1.1\r\n${CLOSE}\r\n`);
    expect(await ask("/bad")).toMatch(
      /^HTTP\/1\.1 400 [\s\S]*Content-Type: application\/json\r\n[\s\S]*\r\n\r\n\{"message":"say \\"please\\""\}\n$/,
    );
    expect(await ask("/broken")).toMatch(/^HTTP\/1\.1 500 [\s\S]*\{"message":"oops"\}\n$/);
    expect(await ask("/silent")).toMatch(/^HTTP\/1\.1 500 /);
    await rig.close();
  });
});
