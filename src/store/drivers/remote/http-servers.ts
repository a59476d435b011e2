/**
 * The servers of a store that speaks HTTP: the one that is asked, and the next when it fails. Owns connections and what may
 * be asked again; must not know what is asked.
 *
 * A question may be asked again when it only reads, or when no connection could be opened for it: then nothing was sent.
 */
import type { Readable } from "node:stream";
import { buildConnector, Pool } from "undici";
import type { Clock } from "../../../kit/clock.ts";
import { withDeadline } from "../../../kit/deadline.ts";
import {
  STORE_ANSWER_BYTES,
  STORE_CONNECTIONS,
  STORE_DIAL_MS,
  STORE_TRY_MS,
  STORE_WATCH_CHECK_MS,
} from "../../../kit/store-limits.ts";
import { StoreError } from "../../store.ts";
import { type Address, serverName, type Tls } from "./address.ts";

export interface Question {
  readonly method: "GET" | "PUT" | "POST";
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** May be asked again, of another server. */
  readonly reads: boolean;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** Milliseconds from its head to its end. */
  readonly took: number;
}

interface HttpServer {
  readonly name: string;
  readonly pool: Pool;
}

/** No connection was opened: nothing was sent. */
class UnreachedError extends Error {}

export class HttpServers {
  /** Of the store, with its servers. */
  readonly name: string;
  readonly #clock: Clock;
  readonly #servers: readonly HttpServer[];
  #current = 0;

  /** @param label the store's own name */
  constructor(label: string, { servers, tls }: Address, clock: Clock) {
    this.#clock = clock;
    this.name = `${label} at ${servers.map(serverName).join(", ")}`;
    const scheme = tls ? "https" : "http";
    this.#servers = servers.map((server) => ({
      name: serverName(server),
      pool: new Pool(`${scheme}://${serverName(server)}`, {
        connections: STORE_CONNECTIONS,
        connect: connector(tls),
        // Every call has a deadline of its own.
        headersTimeout: 0,
        bodyTimeout: 0,
      }),
    }));
  }

  /** The server that is asked now, to be asked again by `askAt`. */
  get current(): number {
    return this.#current;
  }

  /** The answer of the first server that gives one, whatever it says; to what only reads, rather none of 5xx. */
  async ask(question: Question, signal: AbortSignal): Promise<Answer> {
    // One more than there are servers: a connection that was kept may have ended unseen, or leads nowhere any more.
    for (let left = this.#servers.length; ; left--) {
      const at = this.#current;
      const isLast = left === 0;
      try {
        const answer = await this.askAt(at, question, signal, !isLast);
        if (answer.status < 500 || !question.reads || isLast) return answer;
        this.#leave(at);
      } catch (error) {
        const mayGoOn = question.reads || (error instanceof StoreError && !error.uncertain);
        if (isLast || signal.aborted || !mayGoOn) throw error;
      }
    }
  }

  /** @param hurried the answer must begin within STORE_TRY_MS */
  async askAt(at: number, question: Question, signal: AbortSignal, hurried = question.reads): Promise<Answer> {
    const { status, headers, body } = await this.#open(at, question, signal, hurried && question.reads);
    const begun = this.#clock.monotonic();
    try {
      const text = await readWhole(body);
      return { status, headers, text, took: this.#clock.monotonic() - begun };
    } catch (error) {
      throw this.#failure(at, error);
    }
  }

  /** An answer as it comes, without an end of its own. */
  async stream(at: number, question: Question, signal: AbortSignal): Promise<Readable> {
    const { status, body } = await this.#open(at, question, signal, true);
    if (status === 200) return body;
    this.#leave(at);
    throw new StoreError(`${this.name}: status ${status}: ${(await readWhole(body)).slice(0, 500)}`);
  }

  /**
   * A server that stands still, or has lost the others, says nothing to those who wait for news: it is asked now and then
   * what only a sound one answers. Rejects when it does not, or with the signal.
   */
  async lookAfter(at: number, question: () => Promise<Question>, signal: AbortSignal): Promise<never> {
    for (;;) {
      await this.#clock.sleep(STORE_WATCH_CHECK_MS, signal);
      const { status } = await this.askAt(at, await question(), signal);
      if (status >= 500) this.#leave(at);
      // There is nothing at this path: that is an answer.
      if (status >= 400 && status !== 404)
        throw new StoreError(`${this.name}: ${this.#server(at).name}: status ${status}`);
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#servers.map(({ pool }) => pool.destroy()));
  }

  async #open(at: number, { method, path, headers, body }: Question, signal: AbortSignal, hurried: boolean) {
    const { pool } = this.#server(at);
    // Lives as long as the answer's body is read.
    const stop = new AbortController();
    const abort = () => stop.abort(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    const send = () =>
      pool.request({
        method,
        path,
        ...(headers && { headers }),
        ...(body !== undefined && { body }),
        signal: stop.signal,
      });
    const within = (late: AbortSignal) => {
      late.addEventListener("abort", () => stop.abort(late.reason), { once: true });
      return send();
    };
    try {
      const answer = await (hurried ? withDeadline(this.#clock, STORE_TRY_MS, this.name, within, signal) : send());
      answer.body.once("close", () => signal.removeEventListener("abort", abort));
      return { status: answer.statusCode, headers: answer.headers, body: answer.body as Readable };
    } catch (error) {
      signal.removeEventListener("abort", abort);
      throw this.#failure(at, error);
    }
  }

  #server(at: number): HttpServer {
    const server = this.#servers[at];
    if (server === undefined) throw new RangeError("shoal bug: no such server of a store");
    return server;
  }

  /** The next question goes to the next server, unless that was decided already. */
  #leave(at: number): void {
    if (at === this.#current) this.#current = (at + 1) % this.#servers.length;
  }

  #failure(at: number, error: unknown): StoreError {
    this.#leave(at);
    const why = error instanceof Error ? error.message : String(error);
    const sentence = why.startsWith(this.name) ? why : `${this.name}: ${this.#server(at).name}: ${why}`;
    return new StoreError(sentence, { uncertain: !(error instanceof UnreachedError), cause: error });
  }
}

/** Of undici, with an error that tells its own failures from all others. */
function connector(tls: Tls | undefined): buildConnector.connector {
  const { ca, cert, key } = tls ?? {};
  const connect = buildConnector({
    timeout: STORE_DIAL_MS,
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
  });
  return (options, callback) =>
    connect(options, (...[error, socket]: [Error, null] | [null, NonNullable<unknown>]) => {
      if (error) callback(new UnreachedError(error.message || codeOf(error), { cause: error }), null);
      else callback(null, socket as never);
    });
}

/** Of several addresses that were tried no one error tells. */
const codeOf = (error: Error): string => ("code" in error ? String(error.code) : error.name);

async function readWhole(body: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > STORE_ANSWER_BYTES) throw new Error(`an answer of more than ${STORE_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** The lines of a stream, each as soon as it is whole. */
export async function* linesOf(stream: Readable): AsyncGenerator<string> {
  let rest: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      yield Buffer.concat([...rest, chunk.subarray(from, end)]).toString("utf8");
      rest = [];
      bytes = 0;
      from = end + 1;
    }
    rest.push(chunk.subarray(from));
    bytes += chunk.length - from;
    if (bytes > STORE_ANSWER_BYTES) throw new Error(`an answer of more than ${STORE_ANSWER_BYTES} bytes`);
  }
}
