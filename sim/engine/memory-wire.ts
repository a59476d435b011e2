/**
 * The engine as an `EngineWire` without sockets: calls go to the handler directly, raw connections through the HTTP
 * server on in-memory pipes. Owns its open calls, to break them when the engine dies.
 */
import { type Duplex, Readable } from "node:stream";
import { abortError } from "../../src/engine/wire/faults.ts";
import { type EngineWire, type WireAnswer, WireError, type WireRequest } from "../../src/engine/wire/wire.ts";
import type { Answer } from "./call.ts";
import { connectionPair } from "./duplex-pair.ts";
import type { Faults } from "./faults.ts";
import type { Handler } from "./handler.ts";
import type { HttpFace } from "./http-face.ts";

const broken = (): WireError => new WireError("broken", true, "the engine broke the connection off");

export class MemoryWire implements EngineWire {
  readonly address: string;
  readonly #handler: Handler;
  readonly #face: HttpFace;
  readonly #faults: Faults;
  readonly #open = new Set<(error: WireError) => void>();
  readonly #unlisten: () => void;
  readonly #closing = new AbortController();

  constructor(address: string, handler: Handler, face: HttpFace, faults: Faults) {
    this.address = address;
    this.#handler = handler;
    this.#face = face;
    this.#faults = faults;
    this.#unlisten = faults.onDead((dead) => {
      if (dead) this.#break();
    });
  }

  #break(): void {
    for (const cut of [...this.#open]) cut(broken());
  }

  #refused(): WireError {
    return new WireError("refused", false, `dial ${this.address}: connection refused`);
  }

  async request(request: WireRequest): Promise<WireAnswer> {
    if (this.#faults.isDead) throw this.#refused();
    if (request.signal?.aborted) throw new WireError("aborted", false, "aborted before it was sent");
    if (this.#faults.isVanished) await this.#dialled(request.signal);
    const abort = new AbortController();
    return await new Promise<WireAnswer>((resolve, reject) => {
      let body: Readable | undefined;
      const cut = (error: WireError): void => {
        this.#open.delete(cut);
        reject(error);
        body?.destroy(error);
        abort.abort();
      };
      const onAbort = (): void => cut(abortError(request.signal?.reason, this.address, true));
      const finished = (): void => {
        this.#open.delete(cut);
        request.signal?.removeEventListener("abort", onAbort);
        abort.abort();
      };
      this.#open.add(cut);
      request.signal?.addEventListener("abort", onAbort, { once: true });
      const sent = requestBody(request.body);
      const raw = {
        method: request.method,
        target: request.path,
        headers: headersOf(request),
        body: sent,
        signal: abort.signal,
      };
      this.#handler.answer(raw).then(
        (answer) => {
          if (!this.#open.has(cut)) return;
          body = request.method === "HEAD" ? Readable.from([]) : answerBody(answer, sent);
          body.on("error", () => undefined);
          body.once("close", finished);
          resolve({ status: answer.status, headers: Object.entries(answer.headers ?? {}).flat(), body });
        },
        (error: unknown) => cut(new WireError("broken", true, String(error), { cause: error })),
      );
    });
  }

  async connect(signal?: AbortSignal): Promise<Duplex> {
    if (this.#faults.isDead) throw this.#refused();
    if (signal?.aborted) throw new WireError("aborted", false, "aborted before it was dialled");
    if (this.#faults.isVanished) await this.#dialled(signal);
    const [ours, theirs] = connectionPair();
    this.#face.accept(theirs);
    return ours;
  }

  /** A host that gives no sign lets dials wait until it is back, or the caller gives up. */
  async #dialled(signal: AbortSignal | undefined): Promise<void> {
    await this.#faults
      .awake(AbortSignal.any([this.#closing.signal, ...(signal ? [signal] : [])]))
      .catch((reason: unknown) => Promise.reject(abortError(reason, this.address, false)));
    signal?.throwIfAborted();
    if (this.#faults.isDead) throw this.#refused();
  }

  close(): Promise<void> {
    this.#unlisten();
    this.#closing.abort(broken());
    this.#break();
    return Promise.resolve();
  }
}

function requestBody(body: WireRequest["body"]): Readable {
  if (body instanceof Readable) return body;
  return Readable.from(body === undefined || body.length === 0 ? [] : [Buffer.from(body)]);
}

function headersOf(request: WireRequest): Record<string, string> {
  const out: Record<string, string> = {};
  const given = request.headers ?? [];
  for (let at = 0; at + 1 < given.length; at += 2) out[String(given[at]).toLowerCase()] = String(given[at + 1]);
  return out;
}

function answerBody(answer: Answer, sent: Readable): Readable {
  if (answer.hijack) {
    const [ours, theirs] = connectionPair();
    answer.hijack(theirs);
    sent.pipe(ours);
    return ours;
  }
  if (answer.body instanceof Readable) {
    const source = answer.body;
    source.on("error", () => undefined);
    return wrapped(source);
  }
  const bytes = Buffer.from(answer.body ?? "");
  if (!answer.breakOff) return Readable.from(bytes.length > 0 ? [bytes] : [], { objectMode: false });
  let given = false;
  return new Readable({
    read() {
      if (given) this.destroy(broken());
      else this.push(bytes.subarray(0, bytes.length >> 1));
      given = true;
    },
  });
}

/** The stream with its errors turned into what a cut connection looks like. */
function wrapped(source: Readable): Readable {
  const out = new Readable({
    read() {
      source.resume();
    },
    destroy(error, done) {
      source.destroy();
      done(error);
    },
  });
  source.on("data", (chunk: Buffer) => {
    if (!out.push(chunk)) source.pause();
  });
  source.once("end", () => out.push(null));
  source.once("close", () => {
    if (!source.readableEnded) out.destroy(broken());
  });
  return out;
}
