/**
 * What can be wrong with an engine, switchable at any time. Owns the switches and who waits for them; the server and
 * the in-memory wire ask here before they answer.
 */
import { DockerError } from "../../src/docker/errors.ts";
import type { Clock, Timer } from "../../src/kit/clock.ts";

interface Failure {
  readonly status: number;
  readonly message: string;
  times: number;
}

export class Faults {
  readonly #clock: Clock;
  readonly #failures = new Map<string, Failure>();
  readonly #deadListeners = new Set<(dead: boolean) => void>();
  readonly #eventCuts = new Set<() => void>();
  readonly #resumers = new Set<() => void>();
  #dead = false;
  #hung = false;
  #vanished = false;
  #flap: Timer | undefined;
  /** Milliseconds before each answer. */
  slowMs = 0;
  /** Every JSON answer is cut and followed by rubbish. */
  badJson = false;
  /** Every answer with a body breaks off in its middle. */
  halfAnswer = false;
  /** `/info` says this ID, as a machine does that was cloned. */
  clonedId: string | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isDead(): boolean {
    return this.#dead;
  }

  get isHung(): boolean {
    return this.#hung;
  }

  get isVanished(): boolean {
    return this.#vanished;
  }

  /** Refuses new connections and cuts all open ones. */
  dead(on = true): void {
    if (this.#dead === on) return;
    this.#dead = on;
    if (on) this.#resume();
    for (const listener of this.#deadListeners) listener(on);
  }

  /** Accepts and never answers; streams freeze. What waits is answered when it is over. */
  hung(on = true): void {
    this.#hung = on;
    if (!on) this.#resume();
  }

  /** The whole host gives no sign: nothing is accepted or refused, streams freeze. */
  vanished(on = true): void {
    this.#vanished = on;
    this.hung(on);
  }

  slow(ms: number): void {
    this.slowMs = ms;
  }

  /** Dead for `downMs`, alive for `upMs`, and so on, beginning with dead; undefined ends it alive. */
  flapping(cycle: { upMs: number; downMs: number } | undefined): void {
    this.#flap?.cancel();
    this.#flap = undefined;
    if (!cycle) {
      this.dead(false);
      return;
    }
    const turn = (down: boolean): void => {
      this.dead(down);
      this.#flap = this.#clock.after(down ? cycle.downMs : cycle.upMs, () => turn(!down), { background: true });
    };
    turn(true);
  }

  /** The next `times` calls of the route fail: `create`, `start`, or a route such as `GET /info`. */
  failNext(route: string, status: number, message: string, times = 1): void {
    const names: Record<string, string> = {
      create: "POST /containers/create",
      start: "POST /containers/{name}/start",
    };
    this.#failures.set(names[route] ?? route, { status, message, times });
  }

  /** Breaks every event stream that is open now. */
  cutEvents(): void {
    for (const cut of [...this.#eventCuts]) cut();
  }

  /** All switches off. */
  clear(): void {
    this.flapping(undefined);
    this.vanished(false);
    this.slowMs = 0;
    this.badJson = false;
    this.halfAnswer = false;
    this.clonedId = undefined;
    this.#failures.clear();
  }

  /** Throws what was ordered for this route. */
  check(route: string): void {
    const failure = this.#failures.get(route);
    if (!failure) return;
    failure.times--;
    if (failure.times <= 0) this.#failures.delete(route);
    throw new DockerError(failure.status, failure.message);
  }

  /** Resolves when an answer may be sent; rejects when the client is gone. */
  async gate(signal: AbortSignal): Promise<void> {
    if (this.slowMs > 0) await this.#clock.sleep(this.slowMs, signal);
    await this.awake(signal);
  }

  /** Resolves when it does not hang (any more); rejects when the client is gone. */
  async awake(signal: AbortSignal): Promise<void> {
    while (this.#hung && !this.#dead) {
      await new Promise<void>((resolve, reject) => {
        const resume = (): void => {
          this.#resumers.delete(resume);
          signal.removeEventListener("abort", abort);
          resolve();
        };
        const abort = (): void => {
          this.#resumers.delete(resume);
          reject(signal.reason);
        };
        this.#resumers.add(resume);
        signal.addEventListener("abort", abort, { once: true });
      });
    }
  }

  #resume(): void {
    for (const resume of [...this.#resumers]) resume();
  }

  onDead(listener: (dead: boolean) => void): () => void {
    this.#deadListeners.add(listener);
    return () => this.#deadListeners.delete(listener);
  }

  onEventCut(cut: () => void): () => void {
    this.#eventCuts.add(cut);
    return () => this.#eventCuts.delete(cut);
  }
}
