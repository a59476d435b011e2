/**
 * The body of an answer whose head waits for something (the audit line of what was done): what is written meanwhile waits
 * with it. Owns that wait and the answer that goes out instead when it fails; must not know what is waited for.
 */
import type { ServerResponse } from "node:http";
import { Writable } from "node:stream";

export class HeldBody extends Writable {
  readonly #response: ServerResponse;
  readonly #release: () => Promise<boolean>;
  #passes = false;

  /** @param release sends a head; resolves to false when it sent another answer, whole, in place of this one */
  constructor(response: ServerResponse, release: () => Promise<boolean>) {
    super();
    this.#response = response;
    this.#release = release;
    response.once("close", () => this.destroy());
    // As on the response itself: who writes to a client that is gone hears of it by `close`.
    this.on("error", () => {});
  }

  /** Node's hook: nothing is written before it calls back. */
  override _construct(done: (error?: Error) => void): void {
    this.#release().then((passes) => {
      this.#passes = passes;
      done();
    }, done);
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    if (!this.#passes || this.#response.write(chunk)) done();
    else this.#response.once("drain", done);
  }

  override _final(done: () => void): void {
    if (this.#passes) this.#response.end(done);
    else done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (!this.writableFinished) this.#response.destroy();
    done(error);
  }
}
