/**
 * The answer to one request: head once, body with back-pressure. Owns how answers are written and what is done when an
 * error comes too late to be said; must not know routes.
 */
import { type ServerResponse, STATUS_CODES } from "node:http";
import type { Writable } from "node:stream";
import type { DockerError } from "../../docker/errors.ts";

/** What is written at once without waiting for the client. */
const BLOCK_BYTES = 256 << 10;

/** One answer under way; lives as long as its request. */
export class Answer {
  readonly #response: ServerResponse;
  readonly #common: readonly string[];

  /** @param common name, value, … sent with every answer */
  constructor(response: ServerResponse, common: readonly string[]) {
    this.#response = response;
    this.#common = common;
  }

  /** Whether the head was sent: an error cannot be said any more. */
  get started(): boolean {
    return this.#response.headersSent;
  }

  /** Whether nothing more can be written: complete, or the client is gone. */
  get over(): boolean {
    return this.#response.writableEnded || this.#response.destroyed;
  }

  /** Names of the common headers in lower case: an engine's own values for them are not passed on. */
  get commonNames(): ReadonlySet<string> {
    return lowerNames(this.#common);
  }

  /** Sends the head with the first bytes of the body (or by `flush`) and gives the stream for the body. */
  start(status: number, headers: readonly string[], flush = false): Writable {
    const response = this.#response;
    response.writeHead(status, STATUS_CODES[status] ?? "", [...this.#common, ...headers]);
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
    names = new Set(headers.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase()));
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
  else sendWhole(answer, error.status, "application/json", errorBody(error.message));
}

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
  answer.start(status, ["Content-Type", contentType, "Content-Length", String(body.length)]).end(body);
}

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
