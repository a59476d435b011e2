/**
 * The answer to one request: head once, body with back-pressure. Owns how answers are written and what is done when an
 * error comes too late to be said; must not know routes.
 */
import { type ServerResponse, STATUS_CODES } from "node:http";
import type { Writable } from "node:stream";
import { type DockerError, toDockerError } from "../../docker/errors.ts";
import { HeldBody } from "./held-body.ts";
import { REQUEST_ID_HEADER } from "./request-id.ts";

/** What is written at once without waiting for the client. */
const BLOCK_BYTES = 256 << 10;

/** One answer under way; lives as long as its request. */
export class Answer {
  readonly #response: ServerResponse;
  readonly #common: readonly string[];
  readonly #id: string;
  #before: ((status: number) => Promise<void>) | undefined;
  #held: HeldBody | undefined;

  /**
   * @param common name, value, … sent with every answer
   * @param id the request's, sent as well
   */
  constructor(response: ServerResponse, common: readonly string[], id: string) {
    this.#response = response;
    this.#common = common;
    this.#id = id;
  }

  /** Whether the head was given: an error cannot be said any more. */
  get started(): boolean {
    return this.#held !== undefined || this.#response.headersSent;
  }

  /** Whether nothing more can be written: complete, or the client is gone. */
  get over(): boolean {
    return (this.#held ?? this.#response).writableEnded || this.#response.destroyed;
  }

  /**
   * Nothing goes out before `work`, which is given the status, resolves; when it rejects, its error is answered instead.
   * To be called before `start`.
   */
  holdFor(work: (status: number) => Promise<void>): void {
    this.#before = work;
  }

  /** Names of the headers of every answer in lower case: an engine's own values for them are not passed on. */
  get commonNames(): ReadonlySet<string> {
    return lowerNames(this.#common);
  }

  /** The same answer, with more headers. To be called before `start` and `holdFor`. */
  with(headers: readonly string[]): Answer {
    return new Answer(this.#response, [...this.#common, ...headers], this.#id);
  }

  /** Sends the head with the first bytes of the body (or by `flush`) and gives the stream for the body. */
  start(status: number, headers: readonly string[], flush = false): Writable {
    if (this.#before === undefined) return this.#open(status, headers, flush);
    const ready = this.#before(status);
    this.#held = new HeldBody(this.#response, () =>
      ready.then(
        () => {
          this.#open(status, headers, flush);
          return true;
        },
        (error: unknown) => {
          const { status, message } = toDockerError(error);
          const body = errorBody(message);
          this.#open(status, wholeHeaders("application/json", body), false).end(body);
          return false;
        },
      ),
    );
    return this.#held;
  }

  #open(status: number, headers: readonly string[], flush: boolean): Writable {
    const response = this.#response;
    response.writeHead(status, STATUS_CODES[status] ?? "", [...this.#common, REQUEST_ID_HEADER, this.#id, ...headers]);
    if (flush) response.flushHeaders();
    return response;
  }

  /** Breaks the connection off, so that the client sees that its answer is incomplete. */
  abort(): void {
    this.#response.destroy();
  }
}

const namesOf = new WeakMap<readonly string[], ReadonlySet<string>>();

function lowerNames(headers: readonly string[]): ReadonlySet<string> {
  let names = namesOf.get(headers);
  if (names === undefined) {
    names = new Set(
      [...headers.filter((_, index) => index % 2 === 0), REQUEST_ID_HEADER].map((name) => name.toLowerCase()),
    );
    namesOf.set(headers, names);
  }
  return names;
}

/** The body of an error answer, as dockerd writes it. */
export function errorBody(message: string): Buffer {
  return Buffer.from(`${JSON.stringify({ message })}\n`);
}

/** Says the error, or breaks the connection off when the answer has begun. Never answers twice. */
export function sendError(answer: Answer, error: DockerError): void {
  if (answer.started) {
    if (!answer.over) answer.abort();
    return;
  }
  if (hasNoBody(error.status)) sendEmpty(answer, error.status);
  else {
    const body = errorBody(error.message);
    answer.start(error.status, [...errorHeaders(error), "Content-Length", String(body.length)]).end(body);
  }
}

/** Name, value, … of an error's answer but for its length. */
export function errorHeaders({ retryAfter }: DockerError): string[] {
  const type = ["Content-Type", "application/json"];
  return retryAfter === undefined ? type : [...type, "Retry-After", String(retryAfter)];
}

/** A header that says in words what an answer does not show. */
export const warning = (text: string): readonly string[] => [
  "Warning",
  `199 shoal ${JSON.stringify(text.replace(/[^ -~]/g, "?"))}`,
];

/** A value, or JSON text that is sent as it is; a newline follows, as dockerd's encoder writes one. */
export function sendJson(answer: Answer, status: number, value: unknown): void {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  sendWhole(answer, status, "application/json", Buffer.from(text.endsWith("\n") ? text : `${text}\n`));
}

/** A head without a body: 200, 201 with length 0, or 204, 304. */
export function sendEmpty(answer: Answer, status: number, headers: readonly string[] = []): void {
  answer.start(status, hasNoBody(status) ? headers : [...headers, "Content-Length", "0"]).end();
}

/**
 * A body whose parts are ready, with its length; parts are joined into blocks, and a slow client is waited for.
 * Settles when all is handed to the socket or the client is gone.
 */
export async function sendBytes(
  answer: Answer,
  status: number,
  contentType: string,
  chunks: readonly Buffer[],
): Promise<void> {
  let total = 0;
  for (const chunk of chunks) total += chunk.length;
  if (total <= BLOCK_BYTES) {
    sendWhole(answer, status, contentType, Buffer.concat(chunks, total));
    return;
  }
  const out = answer.start(status, ["Content-Type", contentType, "Content-Length", String(total)]);
  let block: Buffer[] = [];
  let size = 0;
  for (const chunk of chunks) {
    block.push(chunk);
    size += chunk.length;
    if (size < BLOCK_BYTES) continue;
    if (!out.write(Buffer.concat(block, size)) && !(await drained(out))) return;
    block = [];
    size = 0;
  }
  out.end(Buffer.concat(block, size));
}

/** A body that comes into being as it is sent, such as events. */
export interface AnswerStream {
  /** False when the client should be waited for by `drained`. Writing to a client that is gone does nothing. */
  write(chunk: Buffer | string): boolean;
  /** Resolves to false when the client is gone. */
  drained(): Promise<boolean>;
  end(): void;
}

/** Sends the head at once: clients wait for it before they act. */
export function startStream(answer: Answer, status: number, headers: readonly string[]): AnswerStream {
  const out = answer.start(status, headers, true);
  return {
    write: (chunk) => answer.over || out.write(chunk),
    drained: () => (out.writableNeedDrain || out.destroyed ? drained(out) : Promise.resolve(true)),
    end: () => {
      if (!answer.over) out.end();
    },
  };
}

function sendWhole(answer: Answer, status: number, contentType: string, body: Buffer): void {
  answer.start(status, wholeHeaders(contentType, body)).end(body);
}

const wholeHeaders = (contentType: string, { length }: Buffer): string[] => [
  "Content-Type",
  contentType,
  "Content-Length",
  String(length),
];

export function hasNoBody(status: number): boolean {
  return status === 204 || status === 304 || (status >= 100 && status < 200);
}

/** Resolves when the stream takes more (true) or is gone (false). */
function drained(out: Writable): Promise<boolean> {
  if (out.destroyed) return Promise.resolve(false);
  return new Promise((resolve) => {
    const settle = (open: boolean): void => {
      out.off("drain", onDrain).off("close", onClose);
      resolve(open);
    };
    const onDrain = (): void => settle(true);
    const onClose = (): void => settle(false);
    out.on("drain", onDrain).on("close", onClose);
  });
}
