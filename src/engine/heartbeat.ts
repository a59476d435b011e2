/**
 * Pings an engine at intervals and judges its silence. Owns the counting; must not know what follows from the verdict.
 *
 * A ping is not given up at a deadline: while one is unanswered others are sent beside it, and any answer, however late,
 * starts the count anew. So a slow engine is not a dead one, and a dead one is noticed after one interval and a few
 * short ones.
 */
import type { Clock, Timer } from "../kit/clock.ts";
import type { Random } from "../kit/random.ts";
import type { EngineTiming } from "./timing.ts";
import { WireError } from "./wire/wire.ts";

export interface HeartbeatParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly timing: Pick<EngineTiming, "pingEveryMs" | "missEveryMs" | "misses" | "lagMs">;
  readonly address: string;
  /** Resolves when the engine has answered; rejects with anything. */
  ping(signal: AbortSignal): Promise<void>;
  /** Called at most once: too many pings in a row unanswered (`silent`), or one that failed otherwise. */
  onDown(error: unknown): void;
}

export class Heartbeat {
  readonly #parts: HeartbeatParts;
  #timer: Timer | undefined;
  #due = 0;
  /** Aborted when an answer has made the pings sent before it needless. */
  #round = new AbortController();
  #unanswered = 0;
  #misses = 0;
  #lastAnswer: number;
  #stopped = false;

  constructor(parts: HeartbeatParts) {
    this.#parts = parts;
    this.#lastAnswer = parts.clock.monotonic();
  }

  /** The first ping comes at a random moment of the interval, so that many engines are not asked at once. */
  start(): void {
    this.#schedule(1 + this.#parts.random.int(Math.max(1, Math.floor(this.#parts.timing.pingEveryMs))));
  }

  /** Pings at once unless one is already under way: something else went wrong with this engine. */
  hurry(): void {
    if (this.#stopped || this.#unanswered > 0 || !this.#timer) return;
    this.#send();
    this.#schedule(this.#parts.timing.pingEveryMs);
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#round.abort();
  }

  #schedule(ms: number): void {
    this.#timer?.cancel();
    this.#due = this.#parts.clock.monotonic() + ms;
    this.#timer = this.#parts.clock.after(ms, () => this.#tick(), { background: true });
  }

  #tick(): void {
    const { clock, timing, address } = this.#parts;
    // When shoal itself stood still, answers may lie unread in its sockets: nobody is blamed for that.
    const lagged = clock.monotonic() - this.#due > timing.lagMs;
    if (this.#unanswered > 0 && !lagged) this.#misses++;
    if (this.#misses >= timing.misses) {
      const seconds = ((clock.monotonic() - this.#lastAnswer) / 1000).toFixed(1);
      this.#down(new WireError("silent", true, `${address}: no answer to ${this.#misses} pings in ${seconds} s`));
      return;
    }
    // One more is enough to hear from an engine that is being waited for because of our own lag.
    if (this.#unanswered <= timing.misses) this.#send();
    this.#schedule(this.#misses > 0 ? timing.missEveryMs : timing.pingEveryMs);
  }

  #send(): void {
    this.#unanswered++;
    const round = this.#round;
    this.#parts.ping(round.signal).then(
      () => this.#answered(round),
      (error: unknown) => this.#failed(round, error),
    );
  }

  #answered(round: AbortController): void {
    if (this.#stopped || round !== this.#round) return;
    this.#unanswered = 0;
    this.#misses = 0;
    this.#lastAnswer = this.#parts.clock.monotonic();
    this.#round = new AbortController();
    round.abort();
  }

  /** A ping that ran out of time is just unanswered; any other failure is the engine's own word. */
  #failed(round: AbortController, error: unknown): void {
    if (this.#stopped || round !== this.#round) return;
    if (error instanceof WireError && (error.fault === "silent" || error.fault === "aborted")) return;
    this.#down(error);
  }

  #down(error: unknown): void {
    if (this.#stopped) return;
    this.stop();
    this.#parts.onDown(error);
  }
}
