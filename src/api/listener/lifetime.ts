/** How long a request may live: until its client leaves, or until a time that its handler asks for. Must not know either. */
import type { Clock, Timer } from "../../kit/clock.ts";
import { DeadlineError } from "../../kit/deadline.ts";
import { ClientGone } from "./body.ts";

export class Lifetime {
  readonly #clock: Clock;
  readonly #controller = new AbortController();
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Aborted with ClientGone or DeadlineError. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The engines' part of the answer must be there within `ms` milliseconds. */
  expire(ms: number): void {
    this.#timer?.cancel();
    const late = (): void => this.#controller.abort(new DeadlineError("the request", ms));
    this.#timer = this.#clock.after(ms, late, { background: true });
  }

  /** The client has left. */
  leave(): void {
    this.end();
    this.#controller.abort(new ClientGone());
  }

  /** The answer is complete. */
  end(): void {
    this.#timer?.cancel();
  }
}
