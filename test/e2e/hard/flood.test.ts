/** K6, clients that do their worst: ordinary calls go on beside them, and nothing of them is left afterwards. */
import { readdirSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFailed } from "vitest";
import { shell } from "../support/docker.ts";
import { until } from "../support/exec.ts";
import { at, emptyFleet, fleet } from "../support/fleet.ts";
import { call } from "../support/http.ts";
import { type Manager, startManager } from "../support/manager.ts";

const MiB = 2 ** 20;
const MINUTES = 60_000;
const IDLE = 2_000;
const SLOW = 200;
const READERS = 10;
const UPLOADS = 50;
/** What a manager may keep of all that: its own heap grows lazily, a leaked body or connection of each would show. */
const MOST_RSS = 300 * MiB;
const MOST_FDS = 100;
const HUGE = 1024 * MiB;

let manager: Manager;
let idle = { fds: 0 };
const sockets = new Set<Socket>();

const fds = (): number => readdirSync(`/proc/${manager.pid}/fd`).length;

/** One connection that says this much and then nothing. */
function open(begin: string): Promise<Socket> {
  const { hostname, port } = new URL(manager.host);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port) });
    sockets.add(socket);
    // Whatever becomes of it: it is the ordinary calls that must go on.
    socket.on("error", reject).on("close", () => sockets.delete(socket));
    socket.on("connect", () => {
      socket.off("error", reject).on("error", () => {});
      socket.write(begin, () => resolve(socket));
    });
  });
}

async function openMany(count: number, begin: string): Promise<Socket[]> {
  const opened: Socket[] = [];
  while (opened.length < count) {
    const batch = Math.min(100, count - opened.length);
    opened.push(...(await Promise.all(Array.from({ length: batch }, () => open(begin)))));
  }
  return opened;
}

/** What people do all day. */
async function ordinaryCalls(): Promise<void> {
  const target = at(manager.host);
  expect(await shell(target, "docker ps -a", { timeout: MINUTES })).toMatchObject({ code: 0 });
  const ran = await shell(target, "docker run --rm --network none busybox echo hi", { timeout: 2 * MINUTES });
  expect(ran).toMatchObject({ code: 0, stdout: "hi\n" });
}

/** Everybody leaves, and the manager is as before. */
async function expectNothingLeft(): Promise<void> {
  for (const socket of sockets) socket.destroy();
  await until("the manager's descriptors are closed", 2 * MINUTES, async () =>
    fds() <= idle.fds + MOST_FDS ? true : undefined,
  );
  await until("the manager's memory is given back", 2 * MINUTES, async () =>
    manager.rss() < MOST_RSS ? true : undefined,
  );
}

const HEAD = "Host: localhost\r\n";
const JSON_BODY = `${HEAD}Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"Image":`;

const { subject } = fleet();

// Nothing here depends on the IDs: the run in which only they differ has no need of it.
describe.runIf(subject === "shoal")("clients at their worst", () => {
  beforeAll(async () => {
    await emptyFleet();
    manager = await startManager();
    const target = at(manager.host);
    const says = "yes $(printf %0999d 0) | head -c 30000000; sleep infinity";
    const made = await shell(target, `docker run -d --name loud --network none busybox sh -c '${says}'`);
    expect(made).toMatchObject({ code: 0 });
    await ordinaryCalls();
    idle = { fds: fds() };
  });
  afterEach(() => expectNothingLeft());
  afterAll(async () => {
    await manager?.stop();
    await emptyFleet();
  });

  it(`${IDLE} connections that say nothing`, { timeout: 5 * MINUTES }, async () => {
    onTestFailed(() => manager.printLog());
    const opened = await openMany(IDLE, "");
    expect(opened).toHaveLength(IDLE);
    await ordinaryCalls();
  });

  it(`${SLOW} of each that stop in their headers and in their bodies`, { timeout: 5 * MINUTES }, async () => {
    onTestFailed(() => manager.printLog());
    const heads = await openMany(SLOW, `GET /_ping HTTP/1.1\r\n${HEAD}X-Slow: `);
    const bodies = await openMany(SLOW, `POST /containers/create?name=slow HTTP/1.1\r\n${JSON_BODY}`);
    for (const socket of [...heads, ...bodies]) socket.resume();
    const dripping = setInterval(() => {
      for (const socket of [...heads, ...bodies]) if (socket.writable) socket.write(" ");
    }, 1000);
    try {
      await ordinaryCalls();
      // The deadline is theirs too, however steadily they drip.
      await until("all are sent away", 2 * MINUTES, async () =>
        [...heads, ...bodies].every((socket) => socket.destroyed || socket.readableEnded) ? true : undefined,
      );
    } finally {
      clearInterval(dripping);
    }
    expect((await call(manager.host, "/containers/slow/json")).status).toBe(404);
  });

  it.each(["chunked", "with a length"])("1 GB, %s, where no body belongs", { timeout: 5 * MINUTES }, async (how) => {
    onTestFailed(() => manager.printLog());
    const framing = how === "chunked" ? "Transfer-Encoding: chunked" : `Content-Length: ${HUGE}`;
    const socket = await open(`GET /containers/json HTTP/1.1\r\n${HEAD}${framing}\r\n\r\n`);
    let answer = "";
    socket.on("data", (bytes: Buffer) => {
      answer += bytes.toString("latin1");
    });
    const part = Buffer.alloc(MiB, "x");
    const chunk = how === "chunked" ? Buffer.concat([Buffer.from("100000\r\n"), part, Buffer.from("\r\n")]) : part;
    for (let sent = 0; sent < HUGE && !socket.destroyed; sent += MiB) {
      if (socket.write(chunk)) continue;
      await new Promise<void>((resolve) => {
        const go = (): void => {
          socket.off("drain", go).off("close", go);
          resolve();
        };
        socket.once("drain", go).once("close", go);
      });
    }
    await until("an answer", 2 * MINUTES, async () => (answer !== "" || socket.destroyed ? true : undefined));
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    await ordinaryCalls();
  });

  it(`${UPLOADS} uploads of which half comes`, { timeout: 5 * MINUTES }, async () => {
    onTestFailed(() => manager.printLog());
    const head = `PUT /containers/loud/archive?path=/tmp HTTP/1.1\r\n${HEAD}Content-Type: application/x-tar\r\n`;
    const uploads = await openMany(UPLOADS, `${head}Content-Length: ${MiB}\r\n\r\n${"\0".repeat(512)}`);
    const cut = await openMany(UPLOADS, `POST /containers/create?name=cut HTTP/1.1\r\n${JSON_BODY}`);
    for (const socket of [...uploads, ...cut]) socket.destroy();
    await ordinaryCalls();
    expect((await call(manager.host, "/containers/cut/json")).status).toBe(404);
  });

  it(`${READERS} of each that stop reading logs and events`, { timeout: 5 * MINUTES }, async () => {
    onTestFailed(() => manager.printLog());
    const log = "/containers/loud/logs?follow=1&stdout=1&tail=all";
    const readers = [
      ...(await openMany(READERS, `GET ${log} HTTP/1.1\r\n${HEAD}\r\n`)),
      ...(await openMany(READERS, `GET /events HTTP/1.1\r\n${HEAD}\r\n`)),
    ];
    for (const socket of readers) socket.pause();
    await ordinaryCalls();
    await ordinaryCalls();
    expect(manager.rss()).toBeLessThan(MOST_RSS);
    expect((await shell(at(manager.host), "docker rm -f loud", { timeout: 2 * MINUTES })).code).toBe(0);
  });
});
