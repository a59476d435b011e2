import { describe, expect, it } from "vitest";
import { type Clock, sleepWith } from "../kit/clock.ts";
import { Heartbeat } from "./heartbeat.ts";
import { WireError } from "./wire/wire.ts";

/** Time that moves only when told, and can jump as a busy process sees it. */
class HandClock implements Clock {
  #now = 0;
  #timers: { at: number; fn: () => void }[] = [];
  now = () => this.#now;
  monotonic = () => this.#now;
  after(ms: number, fn: () => void) {
    const timer = { at: this.#now + ms, fn };
    this.#timers.push(timer);
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((one) => one !== timer);
      },
    };
  }
  sleep = (ms: number, signal?: AbortSignal) => sleepWith(this, ms, signal);
  get timers(): number {
    return this.#timers.length;
  }
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      const [next] = this.#timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at);
      if (!next) break;
      this.#now = Math.max(this.#now, next.at);
      this.#timers = this.#timers.filter((timer) => timer !== next);
      next.fn();
      for (let i = 0; i < 5; i++) await Promise.resolve();
    }
    this.#now = end;
  }
  /** The process stood still: timers that fell due in between fire late. */
  async freeze(ms: number): Promise<void> {
    this.#now += ms;
    await this.advance(0);
  }
}

function set() {
  const clock = new HandClock();
  const down: { error: unknown; at: number }[] = [];
  const answers: ((error?: unknown) => void)[] = [];
  const state = { silent: false, sent: 0 };
  const heartbeat = new Heartbeat({
    clock,
    random: { int: () => 2_999, hex: () => "" },
    timing: { pingEveryMs: 3_000, missEveryMs: 1_500, misses: 3, lagMs: 500 },
    address: "node-1:2375",
    ping: () => {
      state.sent++;
      if (!state.silent) return Promise.resolve();
      return new Promise((resolve, reject) => answers.push((error) => (error ? reject(error) : resolve())));
    },
    onDown: (error) => down.push({ error, at: clock.monotonic() }),
  });
  heartbeat.start();
  return { clock, down, answers, state, heartbeat };
}

describe("Heartbeat", () => {
  it("notices silence within 10 s of the last answer, and says so once", async () => {
    const { clock, down, state } = set();
    await clock.advance(60_000);
    expect(state.sent).toBe(20);
    state.silent = true;
    await clock.advance(60_000);
    expect(down).toHaveLength(1);
    expect(down[0]?.at).toBeLessThanOrEqual(70_000);
    expect(down[0]?.error).toMatchObject({ fault: "silent", message: "node-1:2375: no answer to 3 pings in 9.0 s" });
    expect(clock.timers).toBe(0);
  });

  it("takes a late answer for an answer", async () => {
    const { clock, down, answers, state } = set();
    state.silent = true;
    for (let i = 0; i < 20; i++) {
      await clock.advance(5_000);
      answers.shift()?.();
      answers.length = 0;
      await clock.advance(0);
    }
    expect(down).toEqual([]);
  });

  it("blames nobody when it stood still itself", async () => {
    const { clock, down, state, answers } = set();
    state.silent = true;
    await clock.advance(3_000);
    for (let i = 0; i < 10; i++) await clock.freeze(20_000);
    expect(down).toEqual([]);
    expect(answers.length).toBeLessThanOrEqual(4);
    await clock.advance(10_000);
    expect(down).toHaveLength(1);
  });

  it("is down at once when a ping fails, but not when it only ran out of time", async () => {
    const { clock, down, answers, state } = set();
    state.silent = true;
    await clock.advance(3_000);
    answers.shift()?.(new WireError("silent", false, "dial"));
    await clock.advance(1);
    expect(down).toEqual([]);
    await clock.advance(3_000);
    answers.shift()?.(new WireError("refused", false, "refused"));
    await clock.advance(1);
    expect(down).toMatchObject([{ error: { fault: "refused" } }]);
    expect(clock.timers).toBe(0);
  });

  it("asks at once when hurried, once, and leaves no timer when stopped", async () => {
    const { clock, state, heartbeat } = set();
    state.silent = true;
    heartbeat.hurry();
    heartbeat.hurry();
    expect(state.sent).toBe(1);
    heartbeat.stop();
    heartbeat.hurry();
    expect([state.sent, clock.timers]).toEqual([1, 0]);
  });
});
