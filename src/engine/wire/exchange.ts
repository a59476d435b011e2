/** One HTTP call under way: from undici's callbacks to a WireAnswer whose body has back-pressure. Must not know pools. */
import { Readable } from "node:stream";
import type { Dispatcher } from "undici";
import { streamed } from "../../kit/collector.ts";
import { abortError, toWireError } from "./faults.ts";
import { type WireAnswer, WireError } from "./wire.ts";

type Controller = Dispatcher.DispatchController;

export interface ExchangeEnds {
  resolve(answer: WireAnswer): void;
  reject(error: WireError): void;
  /** Called once, when nothing more will come of this call. */
  done(): void;
}

export class Exchange implements Dispatcher.DispatchHandler {
  readonly #address: string;
  readonly #ends: ExchangeEnds;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = () => this.#abort(abortError(this.#signal?.reason, this.#address, this.#sent));
  #controller: Controller | undefined;
  #body: Readable | undefined;
  /** undici starts a request only when it has a connection and is about to write. */
  #sent = false;
  #aborted: WireError | undefined;
  #over = false;

  constructor(address: string, signal: AbortSignal | undefined, ends: ExchangeEnds) {
    this.#address = address;
    this.#signal = signal;
    this.#ends = ends;
    signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  onRequestStart(controller: Controller): void {
    if (this.#aborted) {
      controller.abort(this.#aborted);
      return;
    }
    this.#sent = true;
    this.#controller = controller;
  }

  onResponseStart(controller: Controller, status: number): void {
    if (status < 200) return;
    const body = new Readable({
      highWaterMark: 64 << 10,
      read: () => controller.resume(),
      destroy: (error, done) => {
        if (!this.#over) controller.abort(error ?? abortError(undefined, this.#address, true));
        done(error);
      },
    });
    // The error stays visible to whoever reads; one that nobody reads any more must not end the process.
    body.on("error", () => {});
    this.#body = body;
    this.#ends.resolve({ status, headers: headerStrings(controller.rawHeaders), body });
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    streamed(chunk.length);
    if (this.#body?.push(chunk) === false) controller.pause();
  }

  onResponseEnd(): void {
    this.#finish();
    this.#body?.push(null);
  }

  onResponseError(_controller: Controller | undefined, error: Error): void {
    this.fail(error);
  }

  /** For errors that undici throws instead of reporting. */
  fail(error: unknown): void {
    this.#finish();
    let wireError = toWireError(error, this.#address, this.#sent);
    if (this.#sent && !wireError.sent) {
      wireError = new WireError(wireError.fault, true, wireError.message, { cause: wireError });
    }
    if (this.#body) this.#body.destroy(wireError);
    else this.#ends.reject(wireError);
  }

  #abort(error: WireError): void {
    this.#aborted = error;
    if (this.#body) {
      this.#body.destroy(error);
      return;
    }
    this.#ends.reject(error);
    if (this.#controller) this.#controller.abort(error);
    else this.#finish();
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#ends.done();
  }
}

/** Header bytes are Latin-1 on the wire, as node:http reads and writes them. */
function headerStrings(raw: Controller["rawHeaders"]): string[] {
  const out: string[] = [];
  if (Array.isArray(raw)) for (const part of raw) out.push(typeof part === "string" ? part : part.toString("latin1"));
  return out;
}
