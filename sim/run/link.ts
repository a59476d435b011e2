/**
 * The network between one manager and one engine, behind the wire's interface: each call takes its own time on its own
 * connection, may be lost on the way there or back, may break in the middle of its answer, may be carried out although
 * nobody waits for it any more. Owns the calls under way.
 */
import { type Duplex, Readable } from "node:stream";
import { abortError } from "../../src/engine/wire/faults.ts";
import { type EngineWire, type WireAnswer, WireError, type WireRequest } from "../../src/engine/wire/wire.ts";
import { ENGINE_DIAL_MS } from "../../src/kit/limits.ts";
import type { Answer } from "../engine/call.ts";
import type { Host } from "./host.ts";
import { type Life, never } from "./life.ts";
import type { Path } from "./path.ts";
import type { VirtualTime } from "./time.ts";
import type { Trace } from "./trace.ts";

export interface LinkParts {
  readonly time: VirtualTime;
  readonly host: Host;
  readonly life: Life;
  readonly trace: Trace;
  /** Between these two; besides what befalls the host for everybody. */
  readonly path?: Path;
}

export class Link implements EngineWire {
  readonly address: string;
  readonly #parts: LinkParts;
  readonly #open = new Set<Exchange>();

  constructor(parts: LinkParts) {
    this.#parts = parts;
    this.address = parts.host.entry;
    parts.life.onEnd(() => this.#abandon());
  }

  async request(request: WireRequest): Promise<WireAnswer> {
    const { life, host } = this.#parts;
    if (request.signal?.aborted) throw new WireError("aborted", false, "aborted before it was sent");
    const body = await bodyOf(request.body);
    const sending = life.sending(request.method !== "GET");
    if (sending) await sending;
    if (!life.goesOut()) return never();
    if (host.silent) return this.#unheard(request.signal ?? undefined);
    if (host.down) return this.#refuse();
    const isCut = host.partitioned || this.#parts.path?.isCut === true;
    if (isCut && host.random.int(2) === 0) return this.#unheard(request.signal ?? undefined);
    const exchange = new Exchange(this.#parts, request, body, () => this.#open.delete(exchange));
    this.#open.add(exchange);
    if (!life.alive) exchange.abandon();
    return exchange.answer;
  }

  connect(): Promise<Duplex> {
    return Promise.reject(new WireError("broken", false, "streams are not simulated"));
  }

  close(): Promise<void> {
    for (const exchange of [...this.#open]) exchange.fail(new WireError("broken", true, "closed"));
    return Promise.resolve();
  }

  #abandon(): void {
    for (const exchange of [...this.#open]) exchange.abandon();
  }

  #refuse(): Promise<never> {
    const { time, host, life } = this.#parts;
    const error = new WireError("refused", false, `dial ${this.address}: connection refused`);
    return new Promise((_, reject) => time.after(host.delay(), () => life.whenAwake(() => reject(error))));
  }

  /** A new connection to a host behind a partition, or without power. */
  #unheard(signal: AbortSignal | undefined): Promise<never> {
    const { time, life } = this.#parts;
    return new Promise((_, reject) => {
      const silent = new WireError("silent", false, `dial ${this.address}: no answer`);
      const timer = time.after(ENGINE_DIAL_MS, () => life.whenAwake(() => reject(silent)));
      signal?.addEventListener("abort", () => {
        timer.cancel();
        reject(abortError(signal.reason, this.address, false));
      });
    });
  }
}

/** Made once: making a reason anew for each call costs more than the call. */
const GONE = new Error("nobody reads any more");

/** What breaks a call, drawn when it is made. */
type Break = "before" | "after" | "in the middle" | undefined;

/** After so long what was sent twice has arrived. */
export const STRAY_MS = 2_000;

class Exchange {
  readonly answer: Promise<WireAnswer>;
  readonly #parts: LinkParts;
  readonly #request: WireRequest;
  readonly #gone = new AbortController();
  readonly #done: () => void;
  #resolve: (answer: WireAnswer) => void = () => {};
  #reject: (error: WireError) => void = () => {};
  #body: Readable | undefined;
  #over = false;
  readonly #unhook: (() => void)[] = [];

  constructor(parts: LinkParts, request: WireRequest, body: string, done: () => void) {
    this.#parts = parts;
    this.#request = request;
    this.#done = done;
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    const { host, time } = parts;
    const { signal } = request;
    if (signal) {
      const onAbort = () => this.fail(abortError(signal.reason, host.entry, true));
      signal.addEventListener("abort", onAbort, { once: true });
      this.#unhook.push(() => signal.removeEventListener("abort", onAbort));
    }
    this.#unhook.push(host.onFail(() => this.#hear(() => this.fail(broken()))));
    const breaks = breakOf(host);
    time.after(host.delay(), () => this.#whenWhole(() => this.#arrive(body, breaks)));
    // Whatever is idempotent may be sent twice by what stands between.
    if (host.unstable > 0 && /^(?:GET|DELETE)$/.test(request.method) && !this.#isStream && host.random.int(4) === 0) {
      time.after(host.delay() + host.random.int(500), () => void this.#carryOut(body).catch(() => {}));
    }
  }

  #whenWhole(go: () => void): void {
    const { host, path } = this.#parts;
    host.whenHealed(() => (path ? path.whenWhole(go) : go()));
  }

  /** What comes to the manager. */
  #hear(what: () => void): void {
    this.#parts.life.whenAwake(what);
  }

  get #isStream(): boolean {
    return this.#request.lane === "long" && this.#request.method === "GET";
  }

  /** Nobody waits for it any more; it goes its way all the same. */
  abandon(): void {
    this.#end();
    this.#body?.destroy();
  }

  fail(error: WireError): void {
    if (this.#over) return;
    this.#end();
    if (this.#body) this.#body.destroy(error);
    else this.#reject(error);
  }

  #end(): void {
    this.#over = true;
    for (const unhook of this.#unhook) unhook();
    this.#gone.abort(GONE);
    this.#done();
  }

  #arrive(body: string, breaks: Break): void {
    const { host } = this.#parts;
    if (host.down) return;
    if (breaks === "before") {
      this.#hear(() => this.fail(broken()));
      return;
    }
    if (this.#over && this.#isStream) return;
    void this.#carryOut(body).then(
      (answer) => this.#giveBack(answer, breaks),
      () => {},
    );
  }

  async #carryOut(body: string): Promise<Answer> {
    const { host, trace } = this.#parts;
    const { method, path } = this.#request;
    const answer = await host.carryOut({
      method,
      target: path,
      headers: {},
      body: Readable.from(body === "" ? [] : [Buffer.from(body)]),
      // Only a stream ends with its reader: all else is carried out once it has arrived.
      signal: this.#isStream ? this.#gone.signal : new AbortController().signal,
    });
    if (!path.endsWith("/_ping")) trace.add(host.name, `${method} ${shown(path)} ${answer.status}`);
    return answer;
  }

  #giveBack(answer: Answer, breaks: Break): void {
    const { host, time } = this.#parts;
    if (this.#over) {
      if (answer.body instanceof Readable) answer.body.destroy();
      return;
    }
    if (breaks === "after") {
      time.after(host.delay(), () => this.#hear(() => this.fail(broken())));
      return;
    }
    time.after(host.delay(), () => this.#whenWhole(() => this.#hear(() => this.#deliver(answer, breaks))));
  }

  #deliver(answer: Answer, breaks: Break): void {
    if (this.#over) return;
    const { body } = answer;
    if (body instanceof Readable) this.#body = this.#stream(body);
    else {
      const bytes = Buffer.from(body ?? "");
      this.#body = breaks === "in the middle" ? halfOf(bytes) : wholeOf(bytes);
      this.#body.once("close", () => this.#over || this.#end());
    }
    this.#body.on("error", () => {});
    this.#resolve({
      status: answer.status,
      headers: Object.entries(answer.headers ?? {}).flat(),
      body: this.#body,
    });
  }

  /** Events and progress: in order, each piece with its own delay, some lost if the host loses events. */
  #stream(source: Readable): Readable {
    const { host, time } = this.#parts;
    const out = new Readable({
      read() {},
      destroy: (error, done) => {
        source.destroy();
        if (!this.#over) this.#end();
        done(error);
      },
    });
    let last = 0;
    const inOrder = (deliver: () => void): void => {
      last = Math.max(last, time.now + host.delay());
      time.after(last - time.now, () => this.#whenWhole(() => this.#hear(() => out.destroyed || deliver())));
    };
    source.on("error", () => {});
    source.on("data", (chunk: Buffer) => {
      if (this.#isStream && host.random.int(100) < host.losing) return;
      inOrder(() => out.push(chunk));
    });
    source.once("end", () => inOrder(() => out.push(null)));
    const onClose = (): void => {
      if (!source.readableEnded) inOrder(() => this.fail(broken()));
    };
    // It may have been cut while the answer was on its way.
    if (source.closed) onClose();
    else source.once("close", onClose);
    return out;
  }
}

function breakOf({ unstable, random }: Host): Break {
  if (unstable === 0 || random.int(100) >= unstable) return undefined;
  const kinds: Break[] = ["before", "after", "in the middle"];
  return kinds[random.int(kinds.length)];
}

const broken = (): WireError => new WireError("broken", true, "the connection broke");

function wholeOf(bytes: Buffer): Readable {
  return new Readable({
    read() {
      if (bytes.length > 0) this.push(bytes);
      this.push(null);
    },
  });
}

function halfOf(bytes: Buffer): Readable {
  let given = false;
  return new Readable({
    read() {
      if (given) this.destroy(broken());
      else this.push(bytes.subarray(0, Math.max(1, bytes.length >> 1)));
      given = true;
    },
  });
}

export async function bodyOf(body: WireRequest["body"]): Promise<string> {
  if (!(body instanceof Readable)) return body === undefined ? "" : body.toString();
  const parts: Buffer[] = [];
  for await (const part of body) parts.push(Buffer.from(part as Buffer));
  return Buffer.concat(parts).toString();
}

/** Paths in a trace: without version, IDs short. */
export function shown(path: string): string {
  return decodeURIComponent(path.replace(/^\/v[\d.]+/, "")).replace(/\b([0-9a-f]{12})[0-9a-f]{52}\b/g, "$1");
}
