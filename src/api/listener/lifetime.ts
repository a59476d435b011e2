/**
 * How long a request may live: until its client leaves, until a time that its handler asks for, or until the rest of its
 * body is given up. Must not know any of them.
 */
import { DockerError } from "../../docker/errors.ts";
import type { Clock, Timer } from "../../kit/clock.ts";
import { DeadlineError } from "../../kit/deadline.ts";
import { UPLOAD_STALL_MS } from "../../kit/limits.ts";
import { ClientGone } from "./body.ts";

export class Lifetime {
  readonly #clock: Clock;
  readonly #controller = new AbortController();
  #timer: Timer | undefined;
  #stall: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Aborted with ClientGone, DeadlineError, or DockerError 408 for a body that stopped coming. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The engines' part of the answer must be there within `ms` milliseconds. */
  expire(ms: number): void {
    this.#timer?.cancel();
    const late = (): void => this.#controller.abort(new DeadlineError("the request", ms));
    this.#timer = this.#clock.after(ms, late, { background: true });
  }

  /** Somebody waits for the client's next bytes. */
  awaitBytes(): void {
    this.#stall?.cancel();
    const late = (): void => this.#controller.abort(new DockerError(408, "timed out reading the request body"));
    this.#stall = this.#clock.after(UPLOAD_STALL_MS, late, { background: true });
  }

  /** They came, or nobody waits for them any more. */
  bytesCame(): void {
    this.#stall?.cancel();
  }

  /** The client has left. */
  leave(): void {
    this.end();
    this.#controller.abort(new ClientGone());
  }

  /** The answer is complete. */
  end(): void {
    this.#timer?.cancel();
    this.#stall?.cancel();
  }
}
