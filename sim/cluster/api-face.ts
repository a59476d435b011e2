/**
 * The Docker Engine API over a simulated cluster, on a real loopback listener, and clients that read whole answers and
 * raw streams from it. Owns the listener; must not know what is tested.
 */
import { type IncomingHttpHeaders, request } from "node:http";
import { connect, type Socket } from "node:net";
import { createApi } from "../../src/api/api.ts";
import { createAccess } from "../../src/api/listener/access.ts";
import { parseHost } from "../../src/api/listener/host.ts";
import { openListeners } from "../../src/api/listener/listen.ts";
import { silentLog } from "../../src/kit/log.ts";
import { seededRandom } from "../../src/kit/random.ts";
import { HOST, type World } from "./world.ts";

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** False when the connection was cut before the answer's end. */
  readonly whole: boolean;
}

/** A request whose answer is still coming in. */
export interface Call {
  /** Resolves with the status as soon as the head is there. */
  readonly begun: Promise<number>;
  /** What has come so far. */
  text(): string;
  readonly over: Promise<Reply>;
}

export interface ApiFace {
  call(method: string, path: string, body?: unknown): Call;
  /** An upgraded connection: what came on it so far, head included, and its end. */
  upgrade(
    path: string,
    body?: unknown,
  ): Promise<{ readonly socket: Socket; text(): string; readonly over: Promise<string> }>;
  close(): Promise<void>;
}

export async function openApi(world: World): Promise<ApiFace> {
  const host = parseHost("tcp://127.0.0.1:0");
  const stopping = new AbortController();
  const api = createApi(world.cluster, HOST, stopping.signal);
  const listeners = await openListeners([host], {
    ...api,
    access: createAccess({ hosts: [host] }),
    log: silentLog,
    clock: world.clock,
    random: seededRandom(1),
  });
  const port = Number((listeners.addresses[0] ?? "").split(":").at(-1));
  return {
    call: (method, path, body) => call(port, method, path, body),
    upgrade: (path, body) => upgrade(port, path, body),
    async close() {
      stopping.abort();
      await listeners.close(0);
    },
  };
}

function call(port: number, method: string, path: string, body: unknown): Call {
  const parts: Buffer[] = [];
  const text = (): string => Buffer.concat(parts).toString("latin1");
  let begin = (_status: number): void => {};
  const begun = new Promise<number>((resolve) => {
    begin = resolve;
  });
  const over = new Promise<Reply>((resolve, reject) => {
    const json = body === undefined ? undefined : JSON.stringify(body);
    const headers = json === undefined ? {} : { "content-type": "application/json", "content-length": json.length };
    const sent = request({ host: "127.0.0.1", port, method, path, headers, agent: false }, (answer) => {
      begin(answer.statusCode ?? 0);
      answer.on("data", (chunk: Buffer) => parts.push(chunk));
      answer.on("error", () => {});
      answer.once("close", () =>
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text: text(), whole: answer.complete }),
      );
    });
    sent.once("error", reject);
    sent.end(json);
  });
  return { begun, text, over };
}

async function upgrade(port: number, path: string, body: unknown): ReturnType<ApiFace["upgrade"]> {
  const socket = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
  const json = body === undefined ? "" : JSON.stringify(body);
  const head = `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n`;
  socket.write(`${head}Content-Type: application/json\r\nContent-Length: ${json.length}\r\n\r\n${json}`);
  const parts: Buffer[] = [];
  const text = (): string => Buffer.concat(parts).toString("latin1");
  socket.on("error", () => {});
  const over = new Promise<string>((resolve) => {
    socket.once("end", () => {
      socket.end();
      resolve(text());
    });
    socket.once("close", () => resolve(text()));
  });
  await new Promise<void>((resolve, reject) => {
    socket.on("data", (chunk: Buffer) => {
      parts.push(chunk);
      if (text().includes("\r\n\r\n")) resolve();
    });
    socket.once("close", () => reject(new Error(`no upgrade: ${text()}`)));
  });
  return { socket, text, over };
}
