/** Which of several managers leads: elected, pinned by `--master`, promoted at a hub; killed, cut off and started again. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { silentLog } from "../../src/kit/log.ts";
import { seededRandom } from "../../src/kit/random.ts";
import { HANDOVER_MS, MASTER_STEADY_MS } from "../../src/kit/replica-limits.ts";
import { Election } from "../../src/manager/replica/election.ts";
import { MemoryStore, MemoryStoreData } from "../../src/store/drivers/memory.ts";
import { type CallOptions, StoreError, type Txn, type TxnResult } from "../../src/store/store.ts";
import { SimClock } from "../clock.ts";

const TTL_MS = 3_000;
/** In which a lead is handed over, or a lost leader replaced, with time to spare. */
const SOON_MS = 2 * TTL_MS + HANDOVER_MS;
/** What is under way at a leader's end. */
const ENDING_MS = 500;

class Link extends MemoryStore {
  cut = false;
  override async txn(txn: Txn, options?: CallOptions): Promise<TxnResult> {
    if (this.cut) throw new StoreError("unreachable", { uncertain: true });
    return super.txn(txn, options);
  }
}

function world() {
  const clock = new SimClock();
  const data = new MemoryStoreData();
  const running = new Map<string, ReturnType<typeof start>>();
  const leading = new Set<string>();
  /** Who led, in order. */
  const history: string[] = [];
  let promotions = 0;
  let most = 0;

  function start(address: string, isMaster = false) {
    const stop = new AbortController();
    const store = new Link(data);
    const random = seededRandom(history.length + address.charCodeAt(0));
    const options = { store, clock, random, log: silentLog, address, isMaster, ttlMs: TTL_MS, changed: () => {} };
    const election = new Election(options);
    const lead: Parameters<Election["campaign"]>[0] = async (lease, handOver) => {
      leading.add(address);
      history.push(address);
      most = Math.max(most, leading.size);
      const until = AbortSignal.any([lease.lost, handOver, stop.signal]);
      if (!until.aborted) await new Promise((done) => until.addEventListener("abort", done, { once: true }));
      // A lease that is lost is lost at once; what is handed over is brought to its end first.
      if (!lease.lost.aborted && !stop.signal.aborted) await clock.sleep(ENDING_MS);
      leading.delete(address);
    };
    const done = Promise.all([election.follow(stop.signal), election.campaign(lead, stop.signal)]);
    const manager = { election, store, done, stop };
    running.set(address, manager);
    return manager;
  }
  /** It is gone without a word. */
  const kill = (address: string): void => {
    const manager = running.get(address);
    if (!manager) return;
    manager.store.cut = true;
    running.delete(address);
    manager.stop.abort();
  };
  const promote = async (through: string, address: string | undefined): Promise<void> => {
    const promotion = { id: `p${++promotions}`, address };
    await running.get(through)?.election.obey(promotion, new AbortController().signal);
  };
  const known = (): (string | undefined)[] => [...running.values()].map(({ election }) => election.leader);
  return { clock, start, kill, promote, leading, history, known, running, most: () => most };
}

type World = ReturnType<typeof world>;

/** `a` leads, `b` and `c` stand by. */
async function three(): Promise<World> {
  const all = world();
  for (const address of ["a", "b", "c"]) {
    all.start(address);
    await all.clock.advance(100);
  }
  expect(all.known()).toEqual(["a", "a", "a"]);
  return all;
}

describe("a promoted manager", () => {
  it("leads within seconds, nobody else in between, and not before the one that led came to its end", async () => {
    const all = await three();
    await all.promote("c", "b");
    await all.clock.advance(SOON_MS);
    expect(all.history).toEqual(["a", "b"]);
    expect(all.known()).toEqual(["b", "b", "b"]);
    expect([...all.running.values()].map(({ election }) => election.master.address)).toEqual(["b", "b", "b"]);
    // And back.
    await all.promote("b", "a");
    await all.clock.advance(SOON_MS);
    expect([all.history, all.most()]).toEqual([["a", "b", "a"], 1]);
  });

  it("is followed once, whoever hears of it, and however late", async () => {
    const all = await three();
    const promotion = { id: "one", address: "b" };
    const { signal } = new AbortController();
    for (const { election } of all.running.values()) await election.obey(promotion, signal);
    await all.clock.advance(SOON_MS);
    await all.promote("a", "c");
    await all.clock.advance(SOON_MS);
    // The hub that another manager asks is behind... it says what was followed last, or something new.
    await all.running.get("a")?.election.obey({ id: "two", address: undefined }, signal);
    await all.clock.advance(10 * MASTER_STEADY_MS);
    expect(all.history).toEqual(["a", "b", "c"]);
  });

  it("that is not there keeps nobody from leading", async () => {
    const all = await three();
    await all.promote("a", "gone");
    await all.clock.advance(10 * MASTER_STEADY_MS);
    expect([all.history, all.known()]).toEqual([["a"], ["a", "a", "a"]]);
    expect(all.running.get("b")?.election.awaited).toBeUndefined();
  });

  it("that dies is replaced, and leads again when it has been back for a while", async () => {
    const all = await three();
    await all.promote("a", "b");
    await all.clock.advance(SOON_MS);
    all.kill("b");
    await all.clock.advance(SOON_MS);
    const [, , next = ""] = all.history;
    expect(["a", "c"]).toContain(next);
    all.start("b");
    await all.clock.advance(MASTER_STEADY_MS - 1_000);
    expect(all.history).toEqual(["a", "b", next]);
    await all.clock.advance(1_000 + SOON_MS);
    expect(all.history).toEqual(["a", "b", next, "b"]);
  });

  it("that is the master no more goes on until it is lost", async () => {
    const all = await three();
    await all.promote("a", "b");
    await all.clock.advance(SOON_MS);
    await all.promote("a", undefined);
    await all.clock.advance(2 * MASTER_STEADY_MS);
    expect(all.history).toEqual(["a", "b"]);
    all.kill("b");
    all.start("b");
    await all.clock.advance(2 * MASTER_STEADY_MS);
    expect(all.history.slice(2)).toHaveLength(1);
  });
});

describe("a manager with --master", () => {
  it("leads alone: while it is gone nobody does, and everybody says who is waited for", async () => {
    const all = await three();
    all.start("m", true);
    await all.clock.advance(SOON_MS);
    expect([all.history, [...all.leading]]).toEqual([["a", "m"], ["m"]]);
    all.kill("m");
    await all.clock.advance(10 * MASTER_STEADY_MS);
    expect([...all.leading]).toEqual([]);
    expect(all.running.get("a")?.election.awaited).toBe("m");
    all.start("m", true);
    await all.clock.advance(SOON_MS);
    expect([...all.leading]).toEqual(["m"]);
  });

  it("is the master no more when it is started without, or another one with it, or another one is promoted", async () => {
    const all = await three();
    all.start("m", true);
    await all.clock.advance(SOON_MS);
    all.kill("m");
    await all.clock.advance(SOON_MS);
    all.kill("b");
    all.start("b", true);
    await all.clock.advance(SOON_MS);
    expect([...all.leading]).toEqual(["b"]);
    all.kill("b");
    all.start("b");
    await all.clock.advance(SOON_MS);
    expect(all.leading.size).toBe(1);
    all.start("m", true);
    await all.clock.advance(SOON_MS);
    expect([...all.leading]).toEqual(["m"]);
    await all.promote("m", "c");
    await all.clock.advance(SOON_MS);
    expect([...all.leading]).toEqual(["c"]);
    // A promotion blocks nobody.
    all.kill("c");
    await all.clock.advance(SOON_MS);
    expect(all.leading.size).toBe(1);
  });

  it("stays the only one that may lead when it is promoted as well", async () => {
    const all = await three();
    all.start("m", true);
    await all.clock.advance(SOON_MS);
    await all.promote("a", "m");
    all.kill("m");
    await all.clock.advance(10 * MASTER_STEADY_MS);
    expect([...all.leading]).toEqual([]);
  });
});

describe("whatever happens", () => {
  it("one leads at a time, and in the end the one that is to", async () => {
    const address = fc.constantFrom("a", "b", "c");
    const step = fc.oneof(
      fc.record({ kind: fc.constant("kill" as const), address }),
      fc.record({ kind: fc.constant("start" as const), address, isMaster: fc.boolean() }),
      fc.record({ kind: fc.constant("promote" as const), address, through: address }),
      fc.record({ kind: fc.constant("cut" as const), address }),
      fc.record({ kind: fc.constant("pass" as const), ms: fc.integer({ min: 1, max: 20_000 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), address, async (steps, last) => {
        const all = await three();
        for (const one of steps) {
          if (one.kind === "kill") all.kill(one.address);
          else if (one.kind === "start" && !all.running.has(one.address)) all.start(one.address, one.isMaster);
          else if (one.kind === "promote") await all.promote(one.through, one.address).catch(() => {});
          else if (one.kind === "cut") for (const [at, { store }] of all.running) store.cut = at === one.address;
          else if (one.kind === "pass") await all.clock.advance(one.ms);
          await all.clock.advance(50);
        }
        for (const { store } of all.running.values()) store.cut = false;
        for (const at of ["a", "b", "c"]) if (!all.running.has(at)) all.start(at);
        await all.clock.advance(SOON_MS);
        await all.promote("a", last);
        await all.clock.advance(2 * MASTER_STEADY_MS + SOON_MS);
        expect([...all.leading]).toEqual([last]);
        expect(all.most()).toBe(1);
      }),
      { numRuns: 20, seed: 7 },
    );
  });
});
