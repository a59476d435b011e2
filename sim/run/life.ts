/**
 * One manager process between its start and its death. It may die at any call to the outside: everything that it still
 * does afterwards reaches nobody. And it may stand still at one, as a process does that is stopped: what it was about to
 * send goes out when it goes on, and what comes meanwhile waits. Owns these moments.
 */
import type { VirtualTime } from "./time.ts";

export class Life {
  readonly #mourners = new Set<() => void>();
  #alive = true;
  #doom: { left: number; readonly sent: boolean } | undefined;
  #stall: { left: number; readonly begin: () => void } | undefined;
  #stopped = false;
  /** It goes on, and has not caught up with what came meanwhile. */
  #behind = false;
  readonly #unsent: (() => void)[] = [];
  #waiting: { readonly isTimer: boolean; readonly what: () => void }[] = [];

  get alive(): boolean {
    return this.#alive;
  }

  /** It dies at its `io`-th call from now; `sent`: that one still goes out. */
  doom(io: number, sent: boolean): void {
    if (this.#alive) this.#doom = { left: io, sent };
  }

  /** Asked before each call to the outside: false when it reaches nobody. */
  goesOut(): boolean {
    if (!this.#alive) return false;
    if (!this.#doom || this.#doom.left-- > 0) return true;
    const { sent } = this.#doom;
    this.end();
    return sent;
  }

  /** It stands still when it is about to send its `io`-th change of an engine from now. @param begin see `stop` */
  stallAt(io: number, begin: () => void): void {
    if (this.#alive) this.#stall = { left: io, begin };
  }

  /** It stands still. @param timersFirst when it goes on: before what came over the network, or after it */
  stop(ms: number, timersFirst: boolean, time: VirtualTime): void {
    if (this.#stopped || !this.#alive) return;
    this.#stopped = true;
    time.after(ms, () => {
      this.#stopped = false;
      const [timers, others] = [true, false].map((kind) => this.#waiting.filter(({ isTimer }) => isTimer === kind));
      this.#waiting = [...((timersFirst ? timers : others) ?? []), ...((timersFirst ? others : timers) ?? [])];
      for (const send of this.#unsent.splice(0)) send();
      this.#behind = true;
      this.#catchUp(time);
    });
  }

  /** One after the other, as an event loop does. */
  #catchUp(time: VirtualTime): void {
    time.after(0, () => {
      if (this.#stopped) return;
      const next = this.#waiting.shift();
      this.#behind = next !== undefined;
      if (!next) return;
      if (this.#alive) next.what();
      this.#catchUp(time);
    });
  }

  /** Before a call to the outside: resolves when it goes out; undefined: at once. @param changes it changes an engine */
  sending(changes: boolean): Promise<void> | undefined {
    if (changes && this.#stall && this.#stall.left-- <= 0) {
      const { begin } = this.#stall;
      this.#stall = undefined;
      begin();
    }
    return this.#stopped ? new Promise((resolve) => this.#unsent.push(resolve)) : undefined;
  }

  /** What comes from outside, a timer among it: at once, when it goes on, or never when it is dead. */
  whenAwake(what: () => void, isTimer = false): void {
    if (!this.#alive) return;
    if (this.#stopped || this.#behind) this.#waiting.push({ isTimer, what });
    else what();
  }

  /** kill -9. */
  end(): void {
    if (!this.#alive) return;
    this.#alive = false;
    for (const mourn of [...this.#mourners]) mourn();
    this.#mourners.clear();
  }

  /** Calls back at its death; the answer takes it back. */
  onEnd(fn: () => void): () => void {
    this.#mourners.add(fn);
    return () => this.#mourners.delete(fn);
  }
}

/** What a dead process waits for. */
export const never = <T>(): Promise<T> => new Promise<T>(() => {});
