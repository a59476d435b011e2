/**
 * Virtual time: one queue of what happens when, moved on as fast as the machine can. Owns the order of everything in a
 * simulated world; the same calls in the same order give the same run. Must not know what happens.
 */
import { type Clock, sleepWith, type Timer } from "../../src/kit/clock.ts";

interface Due {
  readonly at: number;
  readonly order: number;
  fn: (() => void) | undefined;
}

/** Reading a clock takes a moment, so that no two readings agree: «before» and «after» stay apart as on a real machine. */
const TICK_MS = 0.000_5;

export class VirtualTime {
  readonly #heap: Due[] = [];
  #now = 0;
  #order = 0;

  /** Milliseconds since the beginning of the world. */
  get now(): number {
    return this.#now;
  }

  /** `now`, and a moment passes. */
  read(): number {
    this.#now += TICK_MS;
    return this.#now;
  }

  after(ms: number, fn: () => void): Timer {
    const due: Due = { at: this.#now + Math.max(0, ms), order: this.#order++, fn };
    this.#push(due);
    return {
      cancel: () => {
        due.fn = undefined;
      },
    };
  }

  /** Runs until nothing is due before `end`, or `done` says so. Between two events all that is ready runs to its end. */
  async run(end: number, done: () => boolean = () => false): Promise<void> {
    await ready();
    for (let due = this.#heap[0]; due && due.at <= end; due = this.#heap[0]) {
      this.#pop();
      const { fn } = due;
      if (!fn) continue;
      if (due.at > this.#now) this.#now = due.at;
      fn();
      await ready();
      if (done()) return;
    }
    if (end > this.#now) this.#now = end;
  }

  #push(due: Due): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(due);
    while (at > 0) {
      const up = (at - 1) >> 1;
      const parent = heap[up];
      if (!parent || isBefore(parent, due)) break;
      heap[at] = parent;
      at = up;
    }
    heap[at] = due;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const a = heap[left];
      const b = heap[left + 1];
      if (!a) break;
      const [child, down] = b && isBefore(b, a) ? [b, left + 1] : [a, left];
      if (isBefore(last, child)) break;
      heap[at] = child;
      at = down;
    }
    heap[at] = last;
  }
}

const isBefore = (a: Due, b: Due): boolean => (a.at === b.at ? a.order < b.order : a.at < b.at);

/** Promises, ticks and in-memory streams are through when the loop comes round: none of them waits for anything outside. */
const ready = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A machine's clock: its wall time is off by some milliseconds, and may be stepped; it may run faster or slower. */
export class MachineClock implements Clock {
  readonly #time: VirtualTime;
  readonly #run: (fn: () => void) => void;
  readonly #rate: number;
  #offset: number;

  /**
   * @param run what a timer does when it is due, unless its process is dead or stands still
   * @param rate its milliseconds in one of true time
   */
  constructor(time: VirtualTime, offset = 0, run = (fn: () => void): void => fn(), rate = 1) {
    this.#time = time;
    this.#run = run;
    this.#rate = rate;
    this.#offset = Date.UTC(2026, 0, 1) + offset;
  }

  step(ms: number): void {
    this.#offset += ms;
  }

  now(): number {
    return Math.floor(this.#offset + this.monotonic());
  }

  monotonic(): number {
    return this.#time.read() * this.#rate;
  }

  after(ms: number, fn: () => void): Timer {
    // One that is due may still be cancelled while its process stands still.
    let cancelled = false;
    const timer = this.#time.after(ms / this.#rate, () => this.#run(() => cancelled || fn()));
    return {
      cancel: () => {
        cancelled = true;
        timer.cancel();
      },
    };
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return sleepWith(this, ms, signal);
  }
}
