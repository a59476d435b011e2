/** Leases under a simulated clock: clocks that run unlike each other, a store that fails, answers late or does not say. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Clock, sleepWith } from "../../src/kit/clock.ts";
import { type Random, seededRandom } from "../../src/kit/random.ts";
import { MemoryStore, MemoryStoreData } from "../../src/store/drivers/memory.ts";
import { acquireLease, type Lease } from "../../src/store/lease.ts";
import { type CallOptions, type Entry, StoreError, type Txn, type TxnResult } from "../../src/store/store.ts";
import { SimClock } from "../clock.ts";

const LASTS_MS = 5_000;
const EVERY_MS = 1_000;

/** A clock that runs at its own rate. */
function skewed(clock: SimClock, rate: number): Clock {
  const own: Clock = {
    now: () => clock.now(),
    monotonic: () => clock.monotonic() * rate,
    after: (ms, fn) => clock.after(ms / rate, fn),
    sleep: (ms, signal) => sleepWith(own, ms, signal),
  };
  return own;
}

/** A way to the shared store that can be cut, fail and be slow. */
class Link extends MemoryStore {
  cut = false;
  /** The next questions that are swallowed, as by a connection that leads nowhere any more: nothing answers them. */
  swallow = 0;
  /** The next transactions whose answer is lost: they were made. */
  mute = 0;
  /** Nothing answers. */
  hangs = false;
  readonly #clock: SimClock;
  readonly #random: Random | undefined;

  constructor(data: MemoryStoreData, clock: SimClock, random?: Random) {
    super(data);
    this.#clock = clock;
    this.#random = random;
  }

  override async get(key: string, options?: CallOptions): Promise<Entry | undefined> {
    await this.#way(options?.signal);
    const entry = await super.get(key);
    await this.#way(options?.signal);
    return entry;
  }

  override async txn(txn: Txn, options?: CallOptions): Promise<TxnResult> {
    await this.#way(options?.signal);
    const result = await super.txn(txn);
    if (this.mute > 0) {
      this.mute--;
      await unanswered(options?.signal);
    }
    await this.#way(options?.signal);
    return result;
  }

  /** There or back. */
  async #way(signal?: AbortSignal): Promise<void> {
    if (this.hangs || this.swallow > 0) {
      this.swallow--;
      await unanswered(signal);
    }
    try {
      if (this.#random && this.#random.int(3) === 0) await this.#clock.sleep(this.#random.int(3_000), signal);
    } catch (cause) {
      throw new StoreError("given up", { uncertain: true, cause });
    }
    if (this.cut || this.#random?.int(8) === 0) throw new StoreError("unreachable", { uncertain: true });
  }
}

function unanswered(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_resolve, reject) =>
    signal?.addEventListener("abort", () => reject(new StoreError("given up", { uncertain: true })), { once: true }),
  );
}

function world() {
  const clock = new SimClock();
  const data = new MemoryStoreData();
  const contender = (holder: string) => {
    const store = new Link(data, clock);
    const stop = new AbortController();
    const held: Lease[] = [];
    const options = { store, clock, key: "leader", holder, lastsMs: LASTS_MS, everyMs: EVERY_MS };
    const acquired = acquireLease(options, stop.signal).then((lease) => held.push(lease));
    return { store, stop, held, acquired };
  };
  return { clock, data, contender };
}

describe("a lease", () => {
  it("goes to the first who asks, and stays with it while it renews", async () => {
    const { clock, contender } = world();
    const a = contender("a");
    await clock.advance(0);
    const b = contender("b");
    await clock.advance(60_000);
    expect(a.held[0]).toMatchObject({ term: 1 });
    expect(a.held[0]?.remaining).toBeGreaterThan(LASTS_MS / 2);
    expect(b.held).toEqual([]);
  });

  it("that is released goes to the next at once, with a higher term", async () => {
    const { clock, contender } = world();
    const a = contender("a");
    await clock.advance(0);
    const b = contender("b");
    await clock.advance(10);
    await a.held[0]?.release();
    expect(a.held[0]?.remaining).toBe(0);
    expect(a.held[0]?.lost.aborted).toBe(true);
    await clock.advance(EVERY_MS);
    expect(b.held[0]).toMatchObject({ term: 2 });
  });

  it("is lost by who cannot renew it before anybody else gets it", async () => {
    const { clock, contender } = world();
    const a = contender("a");
    await clock.advance(0);
    const b = contender("b");
    await clock.advance(2_500);
    a.store.cut = true;
    let lostAt: number | undefined;
    a.held[0]?.lost.addEventListener("abort", () => {
      lostAt = clock.monotonic();
    });
    await clock.advance(LASTS_MS - 1_000);
    expect(lostAt).toBeLessThan(2_500 + LASTS_MS);
    expect(b.held).toEqual([]);
    await clock.advance(EVERY_MS * 2);
    expect(b.held[0]).toMatchObject({ term: 2 });
  });

  it("survives an outage of the store that is shorter than it lasts", async () => {
    const { clock, contender } = world();
    const a = contender("a");
    await clock.advance(1_500);
    a.store.cut = true;
    await clock.advance(3_000);
    a.store.cut = false;
    await clock.advance(20_000);
    expect(a.held[0]?.remaining).toBeGreaterThan(0);
  });

  it("is kept though a connection swallows a renewal, as another one is asked meanwhile", async () => {
    const { clock, contender } = world();
    const a = contender("a");
    await clock.advance(2_500);
    a.store.swallow = 1;
    const b = contender("b");
    await clock.advance(60_000);
    expect(a.store.swallow).toBe(0);
    expect(a.held[0]?.remaining).toBeGreaterThan(0);
    expect(b.held).toEqual([]);
  });

  it("whose renewal was taken without an answer is renewed again at once", async () => {
    const { clock, contender } = world();
    const a = contender("a");
    await clock.advance(500);
    a.store.mute = 1;
    await clock.advance(EVERY_MS * 2);
    expect(a.store.mute).toBe(0);
    expect(a.held[0]?.remaining).toBeGreaterThan(LASTS_MS * 0.9 - EVERY_MS);
  });

  it("is lost in time by whose store never answers", async () => {
    const { clock, contender } = world();
    const a = contender("a");
    await clock.advance(0);
    a.store.hangs = true;
    await clock.advance(LASTS_MS);
    expect(a.held[0]?.lost.aborted).toBe(true);
  });

  it("that was taken without an answer, or lost, is taken again at once by the same one", async () => {
    const { clock, contender } = world();
    const a = contender("a");
    await clock.advance(0);
    a.store.cut = true;
    await clock.advance(LASTS_MS);
    a.store.cut = false;
    const again = contender("a");
    await clock.advance(0);
    expect(again.held[0]).toMatchObject({ term: 2 });
  });

  it("guards what is written under its fence, whoever comes after", async () => {
    const { clock, data, contender } = world();
    const a = contender("a");
    await clock.advance(3_000);
    const store = new MemoryStore(data);
    const under = (lease: Lease | undefined) =>
      store.txn({ conditions: lease ? [lease.fence] : [], writes: [{ key: "x", value: "1" }] });
    expect(await under(a.held[0])).toMatchObject({ ok: true });
    a.store.cut = true;
    const b = contender("b");
    await clock.advance(3 * LASTS_MS);
    expect(await under(a.held[0])).toEqual({ ok: false });
    expect(await under(b.held[0])).toMatchObject({ ok: true });
  });

  it("is no longer asked for after the signal, and leaves no timer", async () => {
    const { clock, contender } = world();
    const a = contender("a");
    await clock.advance(0);
    const b = contender("b");
    await clock.advance(100);
    b.stop.abort(new Error("enough"));
    await expect(b.acquired).rejects.toThrow("enough");
    await a.held[0]?.release();
    expect(clock.timers).toBe(0);
  });

  it("is never held by two, and its terms only grow, whatever the store and the clocks do", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), async (seed) => {
        const random = seededRandom(seed);
        const clock = new SimClock();
        const data = new MemoryStoreData();
        const stop = new AbortController();
        const held: Lease[] = [];
        const links = [0.97, 1, 1.03].map((rate, index) => {
          const store = new Link(data, clock, random);
          const own = skewed(clock, rate);
          const options = {
            store,
            clock: own,
            key: "leader",
            holder: `${index}`,
            lastsMs: LASTS_MS,
            everyMs: EVERY_MS,
          };
          const contend = async (): Promise<void> => {
            const lease = await acquireLease(options, stop.signal);
            expect(held.filter(({ remaining }) => remaining > 0)).toEqual([]);
            expect(lease.term).toBeGreaterThan(held.at(-1)?.term ?? 0);
            held.push(lease);
            if (random.int(3) === 0) await own.sleep(random.int(8_000)).then(() => lease.release());
            else await new Promise((lost) => lease.lost.addEventListener("abort", lost));
            await contend();
          };
          return { store, done: contend().catch((error: unknown) => error) };
        });
        for (let turn = 0; turn < 25; turn++) {
          // One cannot reach the store, or nobody, or all can.
          const cut = random.int(links.length + 2);
          for (const [index, { store }] of links.entries()) store.cut = index === cut || cut > links.length;
          for (let steps = random.int(40); steps > 0; steps--) {
            await clock.advance(250);
            expect(held.filter(({ remaining }) => remaining > 0).length).toBeLessThanOrEqual(1);
          }
        }
        const ended = new Error("ended");
        stop.abort(ended);
        for (const { store } of links) store.cut = true;
        await clock.advance(3 * LASTS_MS);
        for (const { done } of links) expect(await done).toBe(ended);
      }),
      // The same histories every time; the full run looks for new ones.
      process.env.SHOAL_FULL === "1" ? { numRuns: 300, endOnFailure: true } : { numRuns: 8, seed: 20_261_126 },
    );
  }, 300_000);
});
