import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Exchanges } from "./exchanges.ts";
import { until } from "./exec.ts";
import { call } from "./http.ts";

const PATIENCE = 30_000;
let manager: Server;
let exchanges: Exchanges;
/** The manager's answer to `/late`, by the test. */
let late: (() => void)[];

beforeEach(async () => {
  late = [];
  manager = createServer((asked, answered) => {
    if (asked.url === "/refused") answered.writeHead(503, { "Retry-After": "1" }).end('{"message":"no leader"}');
    else if (asked.url === "/broken")
      answered.writeHead(200, { "Content-Length": "9" }).write("half", () => answered.destroy());
    else if (asked.url === "/late") late.push(() => answered.end("late"));
    else asked.pipe(answered.writeHead(201, { "Content-Type": "text/plain" }));
  });
  await new Promise<void>((done) => manager.listen(0, "127.0.0.1", done));
  exchanges = await Exchanges.with(`tcp://127.0.0.1:${(manager.address() as AddressInfo).port}`);
});
afterEach(() => {
  exchanges.stop();
  manager.close();
  manager.closeAllConnections();
});

const ended = (count: number) =>
  until("the ends", PATIENCE, () => exchanges.all.filter(({ end }) => end).length === count || undefined);

it("passes requests and answers on, and keeps how they were answered", async () => {
  const made = await call(exchanges.host, "/make", { method: "POST", body: { some: "body" } });
  expect([made.status, made.text, made.headers["content-type"]]).toEqual([201, '{"some":"body"}', "text/plain"]);
  const refused = await call(exchanges.host, "/refused");
  expect([refused.status, refused.headers["retry-after"]]).toEqual([503, "1"]);
  await ended(2);
  expect(exchanges.all).toMatchObject([
    { method: "POST", path: "/make", end: "answered", status: 201, text: "" },
    { method: "GET", path: "/refused", end: "answered", status: 503, retryAfter: "1", text: '{"message":"no leader"}' },
  ]);
  expect(exchanges.failed).toEqual([exchanges.all[1]]);
  exchanges.forget();
  expect(exchanges.all).toEqual([]);
});

it("tells what the manager broke off from what the client did not wait for", async () => {
  await expect(call(exchanges.host, "/broken")).rejects.toThrow();
  const leaving = new AbortController();
  const left = call(exchanges.host, "/late", { signal: leaving.signal });
  await until("the request", PATIENCE, () => late.length === 1 || undefined);
  expect(exchanges.all[1]).toMatchObject({ end: undefined, to: undefined });
  leaving.abort();
  await expect(left).rejects.toThrow();
  await ended(2);
  expect(exchanges.all.map(({ end }) => end)).toEqual(["broken", "left"]);
  expect(exchanges.failed).toEqual([exchanges.all[0]]);
});

it("says when so many changes were asked for", async () => {
  const second = exchanges.asked(2);
  let told = false;
  const telling = second.then(() => {
    told = true;
  });
  await call(exchanges.host, "/one", { method: "POST" });
  await call(exchanges.host, "/read");
  expect(told).toBe(false);
  const deleted = call(exchanges.host, "/late", { method: "DELETE" });
  await telling;
  await until("the request", PATIENCE, () => late.length === 1 || undefined);
  for (const answer of late) answer();
  expect((await deleted).text).toBe("late");
});
