/** The file store against a model, over histories of transactions, failing disks, kills, crashes and restarts. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { silentLog } from "../../src/kit/log.ts";
import { seededRandom } from "../../src/kit/random.ts";
import { STORE_TICK_MS } from "../../src/kit/store-limits.ts";
import { FileStore } from "../../src/store/drivers/file/file-store.ts";
import { StoreError, type Write } from "../../src/store/store.ts";
import { SimClock } from "../clock.ts";
import { DiskError, SimDisk } from "./disk.ts";

const key = fc.constantFrom("a", "b/1", "b/2", "c");
/** Large ones make the journal grow until it is written anew; here they are short, so that a failing history can be read. */
const LARGE = "large";
const enlarge = (value: string | undefined): string | undefined => (value === LARGE ? "x".repeat(150 << 10) : value);
const value = fc.oneof(
  { weight: 4, arbitrary: fc.string({ maxLength: 20 }) },
  { weight: 1, arbitrary: fc.constant(LARGE) },
  { weight: 2, arbitrary: fc.constant(undefined) },
);
const write = fc.record({ key, value });
const txn = fc.record({
  writes: fc.uniqueArray(write, { minLength: 1, maxLength: 3, selector: (one) => one.key }),
  /** Written only when this key is as it was when the transaction was asked for. */
  guard: fc.option(key, { nil: undefined }),
});
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant("write" as const), txns: fc.array(txn, { minLength: 1, maxLength: 4 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("fail" as const),
      calls: fc.nat(6),
      code: fc.constantFrom("EIO", "ENOSPC"),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("full" as const), room: fc.nat(200) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom("mend", "tick", "restart", "kill") }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("crash" as const), seed: fc.integer() }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
type Values = ReadonlyMap<string, string>;

const text = (values: Iterable<readonly [string, string]>): string => JSON.stringify([...values].sort());

function changed(values: Values, writes: readonly Write[]): Values {
  const next = new Map(values);
  for (const { key, value } of writes) {
    if (value === undefined) next.delete(key);
    else next.set(key, value);
  }
  return next;
}

async function play(steps: readonly Step[]): Promise<void> {
  const clock = new SimClock();
  let disk = new SimDisk();
  let store = await open();
  /** What was told; and what may be found instead after a crash, because somebody was told that it is uncertain. */
  let told: Values = new Map();
  let uncertain: Values[] = [];

  function open(): Promise<FileStore> {
    disk.before = () => {};
    disk.capacity = Number.POSITIVE_INFINITY;
    return FileStore.open("/store", { clock, log: silentLog, disk });
  }

  async function found(): Promise<Values> {
    return new Map((await store.list("")).map(({ key, value }) => [key, value]));
  }

  /** The process is another now. */
  async function reopen(): Promise<void> {
    store = await open();
    const now = await found();
    expect([told, ...uncertain].map(text)).toContain(text(now));
    told = now;
    uncertain = [];
  }

  for (const one of steps) {
    switch (one.kind) {
      case "write": {
        const versions = new Map((await store.list("")).map(({ key, version }) => [key, version]));
        const txns = one.txns.map(({ writes, guard }) => ({
          writes: writes.map(({ key, value }) => ({ key, value: enlarge(value) })),
          guard,
        }));
        const asked = txns.map(({ writes, guard }) =>
          store.txn({ conditions: guard === undefined ? [] : [{ key: guard, version: versions.get(guard) }], writes }),
        );
        const settled = await Promise.allSettled(asked);
        /** The keys that the transactions before wrote, and what all of them together lead to. */
        const written = new Set<string>();
        let next = told;
        for (const [index, { writes, guard }] of txns.entries()) {
          const result = settled[index];
          if (result?.status === "rejected") expect(result.reason).toBeInstanceOf(StoreError);
          const isTooLarge = result?.status === "rejected" && result.reason.message.includes("at most");
          const isAbsent = guard !== undefined && !versions.has(guard) && !next.has(guard);
          const holds = guard === undefined || isAbsent || !written.has(guard);
          if (result?.status === "fulfilled") expect(result.value.ok).toBe(holds);
          if (isTooLarge || !holds) continue;
          next = changed(next, writes);
          for (const { key } of writes) written.add(key);
        }
        const isTold = settled.some(({ status }) => status === "fulfilled");
        const isUncertain = settled.some((result) => result.status === "rejected" && result.reason.uncertain);
        expect(isTold && isUncertain).toBe(false);
        if (isTold) told = next;
        // What is told is on a journal without what failed before.
        if (isTold && written.size > 0) uncertain = [];
        if (isUncertain) uncertain.push(next);
        expect(text(await found())).toBe(text(told));
        break;
      }
      case "fail": {
        let left = one.calls;
        disk.before = (call) => {
          if (left-- > 0) throw new DiskError(one.code, call);
        };
        break;
      }
      case "full":
        disk.capacity = (disk.peek("/store/journal")?.length ?? 0) + one.room;
        break;
      case "mend":
        disk.before = () => {};
        disk.capacity = Number.POSITIVE_INFINITY;
        break;
      case "tick":
        await clock.advance(STORE_TICK_MS);
        expect(text(await found())).toBe(text(told));
        break;
      case "restart":
        await store.close();
        await reopen();
        break;
      case "kill":
        disk = disk.afterKill();
        await reopen();
        break;
      case "crash": {
        const random = seededRandom(one.seed);
        disk = disk.afterCrash((below) => random.int(below));
        await reopen();
        break;
      }
    }
  }
  await store.close();
}

describe("a file store", () => {
  it("holds what it told, whatever happens, and of what it refused only what it called uncertain", async () => {
    // The same histories every time; the full run looks for new ones.
    const options =
      process.env.SHOAL_FULL === "1" ? { numRuns: 600, endOnFailure: true } : { numRuns: 40, seed: 20_261_126 };
    await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), play), options);
  }, 600_000);
});
