import { describe, expect, it } from "vitest";
import type { Route } from "../../src/api/route.ts";
import { ROUTES } from "../../src/api/table.ts";
import { readAnswers } from "./answers.ts";
import { runCampaign, runInputs } from "./campaign.ts";
import { inputOf } from "./input.ts";

/** Always the same inputs, so that a red run is a change of the code. New ones: `npm run fuzz`. */
const SEED = 11;
const INPUTS = process.env.SHOAL_FULL === "1" ? 50_000 : 2_000;

describe("the fuzzer", () => {
  it("finds nothing among its first inputs", { timeout: 600_000 }, async () => {
    const { problems } = await runCampaign({ seed: SEED, first: 0, count: INPUTS });
    expect(problems.map(({ index, what }) => `${index}: ${what}`)).toEqual([]);
  });

  it("finds nothing any more where it once did", { timeout: 300_000 }, async () => {
    const once = [
      // Asked past events of engines that do not end them, and left.
      "GET /events?until=-1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
      // Wished to upgrade what cannot be, and left.
      "POST /containers/fuzz-two/wait HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n",
      // Left with the second of two pipelined requests under way.
      "POST /containers/fuzz-one/restart HTTP/1.1\r\nHost: localhost\r\n\r\nGET /containers/fuzz-two/changes HTTP/1.1\r\nHost: localhost\r\n\r\n",
      // Sent a body where none belongs, more than the sockets hold, and left.
      `POST /containers/fuzz-two/wait HTTP/1.1\r\nHost: localhost\r\nContent-Length: 300001\r\n\r\n${" ".repeat(300_001)}`,
      // Expects what nobody knows, and is malformed besides.
      "HEAD /swarm HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: identity\r\nExpect: nothing\r\n\r\n",
      // A header that its Connection header makes the connection's own.
      "GET /containers/fuzz-one/json HTTP/1.1\r\nHost: localhost\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\n\r\n",
    ];
    const inputs = once.map((text) => ({ bytes: Buffer.from(text), whole: !text.includes("restart") }));
    const none = { bytes: Buffer.alloc(0), whole: false };
    const problems = await runInputs(SEED, [...inputs.keys()], (index) => inputs[index] ?? none);
    expect(problems.map(({ what }) => what)).toEqual([]);
  });

  it("makes the same input of the same numbers, and every route occurs", () => {
    const text = (index: number): string => inputOf(SEED, index, ROUTES.routes).bytes.toString("latin1");
    const all = Array.from({ length: 12_000 }, (_, index) => text(index));
    expect(all.every((one, index) => one === text(index))).toBe(true);
    const begins = (route: Route): RegExp =>
      new RegExp(`^${route.method} (?:/v1\\.\\d+)?${route.path.replace(/\{\w+\}/g, ".+")}[ ?]`);
    expect(ROUTES.routes.filter((route) => !all.some((one) => begins(route).test(one)))).toEqual([]);
  });

  it.each([
    ["no status line", "HTTP/2 200 OK\r\n\r\n"],
    ["two framings", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nx"],
    ["a header twice", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx"],
    ["a split header", "HTTP/1.1 200 OK\r\nX-A: a\nb\r\n\r\n"],
    ["rubbish behind a body", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxyz"],
    ["a chunk that lies", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxyz\r\n0\r\n\r\n"],
  ])("knows %s for malformed", (_what, text) => {
    expect(() => readAnswers(Buffer.from(text), ["GET"], true)).toThrow();
  });
});
