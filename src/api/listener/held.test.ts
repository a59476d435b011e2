/** Answers that wait for something before their head, and the ID that every answer carries. */
import { once } from "node:events";
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { notFound, unavailable } from "../../docker/errors.ts";
import { REQUEST_ID_CHARS } from "../../kit/limits.ts";
import { seededRandom } from "../../kit/random.ts";
import { type Answer, sendBytes, sendEmpty, sendError, sendJson, startStream } from "./answer.ts";
import { pipeAnswer } from "./relay.ts";
import type { ApiRequest } from "./request.ts";
import { requestId } from "./request-id.ts";
import { openRig, type Rig, rawExchange, readAll, readUntil, until } from "./testing.ts";

const H = "Host: 127.0.0.1\r\n";
const CLOSING = `POST /x HTTP/1.1\r\n${H}Connection: close\r\n\r\n`;

interface Gate {
  readonly statuses: number[];
  open(): void;
  refuse(error: Error): void;
}

async function withHeld(
  handler: (request: ApiRequest, answer: Answer) => Promise<void>,
  work: (rig: Rig, gate: Gate) => Promise<void>,
): Promise<void> {
  let settle: { open: () => void; refuse: (error: Error) => void } | undefined;
  const gate = new Promise<void>((open, refuse) => {
    settle = { open, refuse };
  });
  gate.catch(() => {});
  const statuses: number[] = [];
  const rig = await openRig("tcp", {
    handler: (request, answer) => {
      answer.holdFor(async (status) => {
        statuses.push(status);
        await gate;
      });
      return handler(request, answer);
    },
  });
  try {
    await work(rig, { statuses, open: () => settle?.open(), refuse: (error) => settle?.refuse(error) });
  } finally {
    await rig.close();
  }
}

describe("a held answer", () => {
  it.each<[string, (answer: Answer) => unknown, RegExp]>([
    [
      "whole",
      (answer) => sendJson(answer, 201, { Id: "x" }),
      /^HTTP\/1\.1 201 [\s\S]*Content-Length: 11\r\n[\s\S]*\r\n\r\n\{"Id":"x"\}\n$/,
    ],
    ["without a body", (answer) => sendEmpty(answer, 204), /^HTTP\/1\.1 204 [\s\S]*\r\n\r\n$/],
    ["that is an error", (answer) => sendError(answer, notFound("gone")), /^HTTP\/1\.1 404 [\s\S]*"gone"\}\n$/],
  ])("%s goes out when the wait is over, no byte before", async (_what, send, expected) => {
    await withHeld(
      async (_request, answer) => {
        send(answer);
        expect(answer.started).toBe(true);
      },
      async (rig, gate) => {
        const socket = await rig.dial();
        let bytes = 0;
        socket.on("data", (chunk: Buffer) => {
          bytes += chunk.length;
        });
        const text = readAll(socket);
        socket.write(CLOSING);
        await until(() => gate.statuses.length === 1);
        // The listener has had its turns: what was not held would have been sent by now.
        for (let turn = 0; turn < 20; turn++) await new Promise((done) => setImmediate(done));
        expect(bytes).toBe(0);
        gate.open();
        expect(await text).toMatch(expected);
      },
    );
  });

  it("is replaced by the error of what it waited for", async () => {
    await withHeld(
      async (_request, answer) => sendJson(answer, 201, { Id: "x" }),
      async (rig, gate) => {
        gate.refuse(unavailable("no room for the line"));
        const text = await rawExchange(rig, CLOSING);
        expect(text).toMatch(/^HTTP\/1\.1 503 /);
        expect(text.match(/HTTP\/1\.1/g)).toHaveLength(1);
        expect(text.endsWith('{"message":"no room for the line"}\n')).toBe(true);
        expect(text).not.toContain('"Id"');
      },
    );
  });

  it("keeps a long body whole, streams included, and the connection for the next request", async () => {
    const parts = Array.from({ length: 4_000 }, (_, i) => Buffer.from(`${"y".repeat(i % 900)};`));
    const whole = Buffer.concat(parts).toString();
    await withHeld(
      async (request, answer) => {
        if (request.path === "/bytes") return sendBytes(answer, 200, "text/plain", parts);
        if (request.path === "/pipe") {
          return pipeAnswer(answer, { status: 200, headers: ["Content-Type", "a/b"], body: Readable.from(parts) });
        }
        const stream = startStream(answer, 200, []);
        for (const part of parts) if (!stream.write(part)) await stream.drained();
        return stream.end();
      },
      async (rig, gate) => {
        gate.open();
        for (const path of ["/bytes", "/pipe", "/stream"]) {
          const socket = await rig.dial();
          const text = readAll(socket);
          socket.write(`POST ${path} HTTP/1.1\r\n${H}\r\nPOST ${path} HTTP/1.1\r\n${H}Connection: close\r\n\r\n`);
          const got = (await text).replace(/\r\n[0-9a-f]+\r\n/g, "").replace(/(?<=\r\n\r\n)[0-9a-f]+\r\n/g, "");
          expect(got.split(whole), path).toHaveLength(3);
        }
      },
    );
  });

  it("to a client that left meanwhile ends quietly, and the engine's body with it", async () => {
    const body = new Readable({ read() {} });
    let over = false;
    await withHeld(
      async (_request, answer) => {
        await pipeAnswer(answer, { status: 200, headers: [], body });
        over = true;
      },
      async (rig, gate) => {
        const socket = await rig.dial();
        socket.write(CLOSING);
        await until(() => gate.statuses.length === 1);
        socket.destroy();
        await until(() => rig.listeners.connections() === 0);
        gate.open();
        body.push("more");
        await until(() => over);
        if (!body.closed) await once(body, "close");
      },
    );
  });
});

describe("a request's ID", () => {
  const random = seededRandom(7);
  it.each(["abc-1", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "a/b:c.d=e@f+g_h"])(
    "is the client's own: %s",
    (id) => expect(requestId(id, random)).toBe(id),
  );

  it.each([undefined, "", "two words", "line\nbreak", 'quo"te', "ü", "x".repeat(REQUEST_ID_CHARS + 1), ["a", "b"]])(
    "is a new one where the client's is of no use: %j",
    (id) => expect(requestId(id, random)).toMatch(/^[0-9a-f]{16}$/),
  );

  it("is on every answer, errors and refused upgrades too, and never there twice", async () => {
    const rig = await openRig("tcp", {
      handler: async (request, answer) => {
        if (request.path === "/error") throw notFound("gone");
        const headers = ["x-request-id", "the-engine's", "Content-Length", "0"];
        if (request.path === "/pipe") return pipeAnswer(answer, { status: 200, headers, body: Readable.from([]) });
        sendJson(answer, 200, request.id);
      },
      upgrade: async () => {
        throw notFound("gone");
      },
    });
    try {
      for (const path of ["/", "/error", "/pipe", "/%zz"]) {
        const text = await rawExchange(
          rig,
          `GET ${path} HTTP/1.1\r\n${H}X-Request-Id: mine\r\nConnection: close\r\n\r\n`,
        );
        expect(text.match(/x-request-id: .*/gi), path).toEqual(["X-Request-Id: mine"]);
      }
      const socket = await rig.dial();
      socket.write(`POST /a HTTP/1.1\r\n${H}Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n`);
      expect(await readUntil(socket, (text) => text.includes("gone"))).toMatch(/\r\nX-Request-Id: [0-9a-f]{16}\r\n/);
      socket.destroy();
    } finally {
      await rig.close();
    }
  });
});
