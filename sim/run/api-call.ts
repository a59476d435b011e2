/**
 * One call of a client to a manager's API, in process: the real route table and handlers behind a response without a
 * socket. Owns the shape of request and response; must not know who asks for what.
 */
import type { ServerResponse } from "node:http";
import { Readable, Writable } from "node:stream";
import type { Api } from "../../src/api/api.ts";
import { Answer, sendError } from "../../src/api/listener/answer.ts";
import { BodyMemory } from "../../src/api/listener/body-memory.ts";
import { parseTarget } from "../../src/api/listener/path.ts";
import type { ApiRequest } from "../../src/api/listener/request.ts";
import { toDockerError } from "../../src/docker/errors.ts";

export interface ApiCall {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly client: string;
  readonly signal: AbortSignal;
}

export interface ApiAnswer {
  readonly status: number;
  readonly text: string;
  /** It says itself that it may be old. */
  readonly warned: boolean;
}

/** Not read by anything here. */
const REQUEST_ID = "sim";

/** What a handler writes, kept. */
class KeptResponse extends Writable {
  headersSent = false;
  statusCode = 0;
  warned = false;
  readonly #chunks: Buffer[] = [];

  writeHead(status: number, _reason: string, headers: readonly string[]): this {
    this.headersSent = true;
    this.statusCode = status;
    this.warned = headers.includes("Warning");
    return this;
  }

  flushHeaders(): void {}

  override _write(chunk: Buffer | string, _encoding: BufferEncoding, done: () => void): void {
    this.#chunks.push(Buffer.from(chunk));
    done();
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString("utf8");
  }
}

/** The whole answer; undefined when the manager broke off in the middle of it. */
export async function callApi(api: Api, call: ApiCall): Promise<ApiAnswer | undefined> {
  const response = new KeptResponse();
  response.on("error", () => {});
  const complete = new Promise<boolean>((resolve) => {
    response.once("finish", () => resolve(true));
    response.once("close", () => resolve(false));
  });
  const text = call.body === undefined ? "" : JSON.stringify(call.body);
  const headers = { "content-type": "application/json", "content-length": String(Buffer.byteLength(text)) };
  const request: ApiRequest = {
    id: REQUEST_ID,
    ...parseTarget(call.target),
    method: call.method,
    headers: text === "" ? {} : headers,
    rawHeaders: text === "" ? [] : ["Content-Type", "application/json", "Content-Length", headers["content-length"]],
    hasBody: text !== "",
    body: Readable.from(text === "" ? [] : [Buffer.from(text)]),
    remote: { address: call.client, transport: "tcp" },
    memory: new BodyMemory().hold(),
    expire: () => {},
    dropBody: () => {},
    signal: call.signal,
  };
  const answer = new Answer(response as unknown as ServerResponse, api.headers, REQUEST_ID);
  try {
    await api.handler(request, answer);
  } catch (error) {
    sendError(answer, toDockerError(error));
  }
  const { statusCode: status, text: told, warned } = response;
  return (await complete) ? { status, text: told, warned } : undefined;
}
