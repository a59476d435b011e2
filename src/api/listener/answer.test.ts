import { once } from "node:events";
import { PassThrough, Readable, Transform } from "node:stream";
import { describe, expect, it } from "vitest";
import { notFound } from "../../docker/errors.ts";
import type { WireAnswer } from "../../engine/wire/wire.ts";
import { systemClock } from "../../kit/clock.ts";
import { type Answer, sendBytes, sendEmpty, sendError, sendJson, startStream } from "./answer.ts";
import { pipeAnswer, type RelayOptions } from "./relay.ts";
import { type ApiRequest, readJsonBody } from "./request.ts";
import { openRig, type Rig, rawExchange, readAll, readUntil, until } from "./testing.ts";

const H = "Host: 127.0.0.1\r\n";
const CLOSE = `${H}Connection: close\r\n`;

async function withRig(
  handler: (request: ApiRequest, answer: Answer) => Promise<void>,
  work: (rig: Rig, ask: (text?: string) => Promise<string>) => Promise<void>,
): Promise<void> {
  const rig = await openRig("tcp", { handler });
  try {
    await work(rig, (text = `GET /x HTTP/1.1\r\n${CLOSE}\r\n`) => rawExchange(rig, text));
  } finally {
    await rig.close();
  }
}

describe("answers", () => {
  it("say an error once, and break off when it comes too late", async () => {
    await withRig(
      async (request, answer) => {
        if (request.path === "/late") startStream(answer, 200, []).write("part");
        sendError(answer, notFound("gone"));
        sendError(answer, notFound("again"));
      },
      async (rig, ask) => {
        const text = await ask();
        expect(text).toMatch(/^HTTP\/1\.1 404 Not Found\r\n/);
        expect(text).toMatch(/\r\nContent-Length: 19\r\n[\s\S]*\r\n\r\n\{"message":"gone"\}\n$/);
        const late = await rawExchange(rig, `GET /late HTTP/1.1\r\n${H}\r\n`);
        expect(late).not.toContain("gone");
        expect(late.endsWith("0\r\n\r\n")).toBe(false);
      },
    );
  });

  it("to HEAD have a length and no body; 204 and 304 have neither", async () => {
    await withRig(
      async (request, answer) => {
        if (request.path === "/204") sendEmpty(answer, 204);
        else if (request.path === "/304") sendError(answer, Object.assign(notFound(""), { status: 304 }));
        else sendJson(answer, 200, "{}");
      },
      async (_rig, ask) => {
        expect(await ask(`HEAD /_ping HTTP/1.1\r\n${CLOSE}\r\n`)).toMatch(/Content-Length: 3\r\n[\s\S]*\r\n\r\n$/);
        for (const path of ["/204", "/304"]) {
          const text = await ask(`POST ${path} HTTP/1.1\r\n${CLOSE}\r\n`);
          expect(text).toMatch(/\r\n\r\n$/);
          expect(text).not.toMatch(/content-(length|type)|transfer-encoding/i);
        }
      },
    );
  });

  it("of many parts go out whole, however long, and wait for the client", async () => {
    const parts = Array.from({ length: 40_000 }, (_, i) => Buffer.from(`${"x".repeat(i % 700)},`));
    const whole = Buffer.concat(parts).toString();
    let over = false;
    await withRig(
      async (_request, answer) => {
        await sendBytes(answer, 200, "application/json", parts);
        over = true;
      },
      async (rig, ask) => {
        const text = await ask();
        expect(text).toContain(`Content-Length: ${whole.length}\r\n`);
        expect(text.slice(text.indexOf("\r\n\r\n") + 4) === whole).toBe(true);
        over = false;
        const socket = await rig.dial();
        socket.write(`GET /x HTTP/1.1\r\n${H}\r\n`);
        await readUntil(socket, (all) => all.includes("\r\n\r\n"));
        await systemClock.sleep(50);
        expect(over).toBe(false);
        socket.destroy();
        await until(() => over);
      },
    );
  });
});

describe("pipeAnswer", () => {
  const from = (body: Readable, headers: string[] = [], status = 200): WireAnswer => ({ status, headers, body });

  async function relayed(
    make: (request: ApiRequest) => [WireAnswer, RelayOptions?],
    work: (rig: Rig, ask: (text?: string) => Promise<string>, failures: unknown[]) => Promise<void>,
  ): Promise<void> {
    const failures: unknown[] = [];
    await withRig(
      async (request, answer) => {
        await pipeAnswer(answer, ...make(request)).then(
          () => failures.push(undefined),
          (error) => failures.push(error),
        );
      },
      (rig, ask) => work(rig, ask, failures),
    );
  }

  it("passes headers but those of the connection and our own", async () => {
    const headers = [
      ...["Api-Version", "1.30", "Date", "long ago", "Connection", "close, X-Hop", "X-Hop", "1", "Keep-Alive", "1"],
      ...["Transfer-Encoding", "chunked", "X-Docker-Container-Path-Stat", "e30=", "Warning", "a", "Warning", "b"],
    ];
    await relayed(
      () => [from(Readable.from([Buffer.from("body")]), headers), { headers: ["X-More", "2"] }],
      async (_rig, ask) => {
        const text = await ask();
        expect(text).toMatch(
          /^HTTP\/1\.1 200 OK\r\nApi-Version: 1\.51\r\nX-Request-Id: [0-9a-f]{16}\r\nX-Docker-Container-Path-Stat: e30=\r\nWarning: a\r\nWarning: b\r\nX-More: 2\r\n/,
        );
        expect(text).not.toMatch(/X-Hop|long ago|1\.30/);
        expect(text).toMatch(/\r\n\r\n4\r\nbody\r\n0\r\n\r\n$/);
      },
    );
  });

  it("sends the head before the first byte of the body", async () => {
    const body = new PassThrough();
    await relayed(
      () => [from(body)],
      async (rig) => {
        const socket = await rig.dial();
        socket.write(`POST /containers/x/wait HTTP/1.1\r\n${H}\r\n`);
        await readUntil(socket, (text) => text.endsWith("\r\n\r\n"));
        body.end("{}");
        await readUntil(socket, (text) => text.endsWith("0\r\n\r\n"));
        socket.destroy();
      },
    );
  });

  it("keeps the length unless the body is changed on its way", async () => {
    const upper = () =>
      new Transform({ transform: (chunk, _encoding, done) => done(null, `${String(chunk).toUpperCase()}!`) });
    await relayed(
      (request) => [
        from(Readable.from([Buffer.from("body")]), ["Content-Length", "4"]),
        request.path === "/map" ? { map: upper() } : {},
      ],
      async (_rig, ask) => {
        expect(await ask()).toMatch(/Content-Length: 4\r\n[\s\S]*\r\n\r\nbody$/);
        expect(await ask(`GET /map HTTP/1.1\r\n${CLOSE}\r\n`)).toMatch(/\r\n\r\n5\r\nBODY!\r\n0\r\n\r\n$/);
      },
    );
  });

  it.each([false, true])(
    "destroys the engine's body when the client goes (mapped: %s), and calls that no failure",
    async (mapped) => {
      const body = new PassThrough();
      await relayed(
        () => [from(body), mapped ? { map: new PassThrough() } : {}],
        async (rig, _ask, failures) => {
          const socket = await rig.dial();
          socket.write(`GET /logs HTTP/1.1\r\n${H}\r\n`);
          await readUntil(socket, (text) => text.endsWith("\r\n\r\n"));
          socket.destroy();
          await until(() => failures.length > 0);
          expect(body.destroyed).toBe(true);
          expect(failures).toEqual([undefined]);
        },
      );
    },
  );

  it.each([false, true])("breaks the client's connection when the engine breaks off (mapped: %s)", async (mapped) => {
    const body = new PassThrough();
    const broken = new Error("engine went away");
    await relayed(
      () => [from(body), mapped ? { map: new PassThrough() } : {}],
      async (rig, _ask, failures) => {
        const socket = await rig.dial();
        socket.write(`GET /logs HTTP/1.1\r\n${H}\r\n`);
        await readUntil(socket, (text) => text.endsWith("\r\n\r\n"));
        const rest = readAll(socket);
        socket.resume();
        body.destroy(broken);
        expect(await rest).toBe("");
        await until(() => failures.length > 0);
        expect(failures).toEqual([broken]);
      },
    );
  });

  it("takes no more from the engine than the client reads", async () => {
    let given = 0;
    const body = new Readable({
      read() {
        given += 64 << 10;
        this.push(Buffer.alloc(64 << 10));
      },
    });
    await relayed(
      () => [from(body)],
      async (rig) => {
        const socket = await rig.dial();
        socket.write(`GET /export HTTP/1.1\r\n${H}\r\n`);
        await readUntil(socket, (text) => text.includes("\r\n\r\n"));
        for (let before = -1; before !== given; ) {
          before = given;
          await systemClock.sleep(100);
        }
        expect(given).toBeLessThan(32 << 20);
        socket.destroy();
        await until(() => body.destroyed);
      },
    );
  });
});

describe("request bodies", () => {
  const read = (limits?: { bytes: number; ms: number }) => async (request: ApiRequest, answer: Answer) =>
    sendJson(answer, 200, JSON.stringify({ got: await readJsonBody(request, systemClock, limits) }));
  const post = (headers: string, body = ""): string => `POST /x HTTP/1.1\r\n${CLOSE}${headers}\r\n${body}`;
  const JSON_TYPE = "Content-Type: application/json; charset=utf-8\r\n";

  it("are read with a length, chunked, or not at all", async () => {
    await withRig(read(), async (_rig, ask) => {
      expect(await ask(post(`${JSON_TYPE}Content-Length: 2\r\n`, "{}"))).toContain('{"got":"{}"}');
      expect(await ask(post(`${JSON_TYPE}Transfer-Encoding: chunked\r\n`, "2\r\n{}\r\n0\r\n\r\n"))).toContain(
        '{"got":"{}"}',
      );
      expect(await ask(post(""))).toContain('{"got":""}');
      expect(await ask(post("Content-Length: 0\r\n"))).toContain('{"got":""}');
    });
  });

  it("must be JSON by their type, in dockerd's words", async () => {
    await withRig(read(), async (_rig, ask) => {
      const text = await ask(post("Content-Type: text/plain\r\nContent-Length: 2\r\n", "{}"));
      expect(text).toMatch(/^HTTP\/1\.1 400 /);
      expect(text).toContain("unsupported Content-Type header (text/plain): must be 'application/json'");
      expect(await ask(post("Content-Length: 2\r\n", "{}"))).toContain("malformed Content-Type header ()");
    });
  });

  it("are bounded in size and time", async () => {
    await withRig(read({ bytes: 10, ms: 50 }), async (_rig, ask) => {
      expect(await ask(post(`${JSON_TYPE}Content-Length: 11\r\n`, "01234567890"))).toMatch(/^HTTP\/1\.1 413 /);
      const chunked = `${JSON_TYPE}Transfer-Encoding: chunked\r\n`;
      expect(await ask(post(chunked, "b\r\n01234567890\r\n0\r\n\r\n"))).toMatch(/^HTTP\/1\.1 413 /);
      expect(await ask(post(chunked, "1\r\n0\r\n"))).toMatch(/^HTTP\/1\.1 408 /);
    });
  });

  it.each([
    ["untouched", () => {}],
    ["at once", (body: Readable) => body.destroy(new Error("engine gone"))],
    ["after the first bytes", (body: Readable) => once(body, "data").then(() => body.destroy())],
    ["paused half way", (body: Readable) => once(body, "data").then(() => body.pause())],
  ])("may be left %s: the error is answered and the connection serves the next request", async (_name, leave) => {
    await withRig(
      async (request, answer) => {
        if (request.path === "/next") sendJson(answer, 200, "{}");
        else {
          await leave(request.body);
          throw notFound("no such thing");
        }
      },
      async (rig) => {
        const socket = await rig.dial();
        const block = Buffer.alloc(1 << 20);
        socket.write(`POST /load HTTP/1.1\r\n${H}Content-Length: ${8 << 20}\r\n\r\n`);
        for (let i = 0; i < 8; i++) socket.write(block);
        socket.write(`GET /next HTTP/1.1\r\n${CLOSE}\r\n`);
        expect(await readAll(socket)).toMatch(
          /^HTTP\/1\.1 404 [\s\S]*no such thing"\}\n?[\s\S]*HTTP\/1\.1 200 OK[\s\S]*\{\}\n$/,
        );
        socket.destroy();
      },
    );
  });

  it("keep back-pressure", async () => {
    let letGo = (): void => {};
    await withRig(
      async (request, answer) => {
        await new Promise<void>((resolve) => {
          letGo = resolve;
        });
        let size = 0;
        for await (const chunk of request.body) size += (chunk as Buffer).length;
        sendJson(answer, 200, String(size));
      },
      async (rig) => {
        const socket = await rig.dial();
        const all = readAll(socket);
        socket.write(`POST /load HTTP/1.1\r\n${CLOSE}Content-Length: ${64 << 20}\r\n\r\n`);
        let drained = false;
        socket.once("drain", () => {
          drained = true;
        });
        for (let i = 0; i < 64; i++) socket.write(Buffer.alloc(1 << 20));
        await systemClock.sleep(150);
        expect(drained).toBe(false);
        letGo();
        expect(await all).toContain(`\r\n\r\n${64 << 20}\n`);
        socket.destroy();
      },
    );
  });

  it("tell their reader when the client breaks off", async () => {
    let failure: unknown;
    await withRig(
      async (request) => {
        try {
          for await (const _chunk of request.body);
        } catch (error) {
          failure = error;
          throw error;
        }
      },
      async (rig) => {
        const socket = await rig.dial();
        socket.write(`POST /load HTTP/1.1\r\n${CLOSE}Content-Length: 100\r\n\r\nabc`);
        await until(() => rig.listeners.connections() === 1);
        socket.destroy();
        await until(() => failure !== undefined);
        expect(String(failure)).toContain("the client closed the connection");
      },
    );
  });

  it("announced with an expectation that nobody knows are refused, once", async () => {
    await withRig(
      async (_request, answer) => sendJson(answer, 200, "{}"),
      async (_rig, ask) => {
        const known = await ask(`GET /x HTTP/1.1\r\n${CLOSE}Expect: nothing\r\n\r\n`);
        expect(known).toMatch(/^HTTP\/1\.1 417 Expectation Failed\r\n/);
        expect(known).toContain('{"message":"unsupported expectation: \\"nothing\\""}');
        const malformed = `HEAD /x HTTP/1.1\r\n${CLOSE}Transfer-Encoding: identity\r\nExpect: nothing\r\n\r\n`;
        expect((await ask(malformed)).match(/HTTP\/1\.1/g)).toHaveLength(1);
      },
    );
  });

  it("are asked for with 100 Continue only by who reads them", async () => {
    await withRig(
      async (request, answer) => {
        if (request.path === "/refused") throw notFound("no");
        let text = "";
        for await (const chunk of request.body) text += String(chunk);
        sendJson(answer, 200, text);
      },
      async (rig) => {
        const expecting = `${H}Expect: 100-continue\r\nContent-Length: 4\r\n\r\n`;
        const socket = await rig.dial();
        socket.write(`POST /load HTTP/1.1\r\n${expecting}`);
        expect(await readUntil(socket, (text) => text.endsWith("\r\n\r\n"))).toBe("HTTP/1.1 100 Continue\r\n\r\n");
        socket.write("body");
        expect(await readUntil(socket, (text) => text.endsWith("body\n"))).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
        socket.write(`POST /refused HTTP/1.1\r\n${expecting}`);
        const all = readAll(socket);
        socket.resume();
        expect(await all).toMatch(/^HTTP\/1\.1 404 Not Found\r\n[\s\S]*Connection: close\r\n/);
        socket.destroy();
      },
    );
  });
});
