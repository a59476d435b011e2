/** The file store on a disk that crashes, fills up, fails and hangs: at every call. */
import { describe, expect, it } from "vitest";
import { type Logger, silentLog } from "../../src/kit/log.ts";
import { STORE_CLOSE_MS, STORE_GROWTH, STORE_TICK_MS } from "../../src/kit/store-limits.ts";
import { FileStore } from "../../src/store/drivers/file/file-store.ts";
import { type Store, StoreError, type Txn, type Write } from "../../src/store/store.ts";
import { SimClock } from "../clock.ts";
import { everyChoice } from "./choices.ts";
import { type DiskCall, DiskError, SimDisk } from "./disk.ts";

const JOURNAL = "/store/journal";

const open = (disk: SimDisk, clock = new SimClock(), log: Logger = silentLog) =>
  FileStore.open("/store", { clock, log, disk });

const set = (key: string, value: string): Write => ({ key, value });
const writing = (...writes: readonly Write[]): Txn => ({ conditions: [], writes });

/** `key=value` of everything, with the versions where they matter. */
const contentsOf = async (store: Store) => (await store.list("")).map(({ key, value }) => `${key}=${value}`).join(" ");

/** A log that keeps its lines. */
function keepingLog(lines: string[]): Logger {
  const add = (message: string) => void lines.push(message);
  const log: Logger = { debug: add, info: add, warn: add, error: add, with: () => log };
  return log;
}

/** Transactions that are asked for together, so that they share a sync. */
const BURSTS: readonly (readonly Txn[])[] = [
  [writing(set("a", "1"))],
  [writing(set("a", "2"), set("b", "1")), writing(set("c", "1"), { key: "b", value: undefined })],
  [writing(set("b", "2"))],
  [writing({ key: "a", value: undefined }), writing(set("a", "3")), writing(set("d", "1"))],
];

/** What a store may hold after each number of bursts. */
async function statesAfter(bursts: readonly (readonly Txn[])[]): Promise<readonly string[]> {
  const store = await open(new SimDisk());
  const states = [await contentsOf(store)];
  for (const burst of bursts) {
    await Promise.all(burst.map((txn) => store.txn(txn)));
    states.push(await contentsOf(store));
  }
  return states;
}

/** Does the bursts until the process dies at a call; how many it was told of. */
async function runUntilDeath(disk: SimDisk, bursts: readonly (readonly Txn[])[]): Promise<number> {
  let told = 0;
  const run = async () => {
    const store = await open(disk);
    for (const burst of bursts) {
      await Promise.all(burst.map((txn) => store.txn(txn)));
      told++;
    }
    await store.close();
  };
  await Promise.race([run(), disk.death]);
  return told;
}

/** Opens what a crash left, and checks that it holds an allowed state, can be written, and is the same when opened again. */
async function survives(disk: SimDisk, allowed: readonly string[]): Promise<void> {
  const lines: string[] = [];
  const store = await open(disk, new SimClock(), keepingLog(lines));
  const found = await contentsOf(store);
  expect(allowed).toContain(found);
  expect(lines.filter((line) => line.includes("lost"))).toEqual([]);
  await store.txn(writing(set("z", "after")));
  await store.close();
  const again = await open(disk);
  expect(await contentsOf(again)).toBe(`${found} z=after`.trim());
  await again.close();
}

/** The number of calls that the bursts take without a crash. */
async function countCalls(disk: SimDisk, bursts: readonly (readonly Txn[])[]): Promise<number> {
  await runUntilDeath(disk, bursts);
  return disk.calls;
}

describe("a file store whose machine crashes", () => {
  it("at any call, however the crash falls out, holds all that was told and nothing in part", async () => {
    const states = await statesAfter(BURSTS);
    const calls = await countCalls(new SimDisk(), BURSTS);
    let crashes = 0;
    for (let at = 0; at < calls; at++) {
      const disk = new SimDisk();
      disk.dieAt = at;
      const told = await runUntilDeath(disk, BURSTS);
      const allowed = states.slice(told, told + 2);
      crashes += await everyChoice((choose) => survives(disk.afterCrash(choose), allowed));
      await survives(disk.afterKill(), allowed);
    }
    expect(crashes).toBeGreaterThan(calls);
  });

  it("at any call of a new journal, holds all that was told", async () => {
    const large = "x".repeat(200 << 10);
    const bursts = Array.from({ length: 8 }, (_, at) => [writing(set("a", `${at}${large}`), set(`k${at}`, "1"))]);
    const before = new SimDisk();
    await runUntilDeath(before, bursts.slice(0, 6));
    const grown = before.peek(JOURNAL)?.length ?? 0;
    expect(grown).toBeGreaterThan(STORE_GROWTH.bytes);
    const states = (await statesAfter(bursts)).slice(6);
    const rest = bursts.slice(6);
    const clone = () => new SimDisk([[JOURNAL, before.peek(JOURNAL) ?? new Uint8Array()]]);
    const calls = await countCalls(clone(), rest);
    for (let at = 0; at < calls; at++) {
      const disk = clone();
      disk.dieAt = at;
      const told = await runUntilDeath(disk, rest);
      await everyChoice((choose) => survives(disk.afterCrash(choose), states.slice(told, told + 2)));
    }
  });

  it("after its process was killed, keeps what the new one said that it holds", async () => {
    const disk = new SimDisk();
    const first = await open(disk);
    await first.txn(writing(set("a", "1")));
    disk.dieAt = disk.calls + 1;
    void first.txn(writing(set("b", "written and never synced")));
    await disk.death;
    const restarted = disk.afterKill();
    const second = await open(restarted);
    const seen = await contentsOf(second);
    expect(seen).toContain("b=");
    await everyChoice(async (choose) => {
      const third = await open(restarted.afterCrash(choose));
      expect(await contentsOf(third)).toBe(seen);
    });
  });
});

describe("a file store whose disk fails", () => {
  const failing = (code: string) =>
    it(`with ${code} at any one call, refuses what it could not keep, and goes on by itself`, async () => {
      const calls = await countCalls(new SimDisk(), BURSTS);
      for (let at = 0; at < calls; at++) {
        const disk = new SimDisk();
        disk.before = (call) => {
          if (call.index === at) throw new DiskError(code, call);
        };
        await goesOn(disk, at);
      }
    });
  failing("EIO");
  failing("ENOSPC");

  /** Does the bursts, whatever fails; then what was told is there, what was refused is not, now and when opened again. */
  async function goesOn(disk: SimDisk, at: number): Promise<void> {
    const clock = new SimClock();
    const store = await open(disk, clock).catch((error) => {
      expect(error).toBeInstanceOf(StoreError);
      expect(error.message).toContain("cannot open the store /store: ");
      return open(disk, clock);
    });
    const expected = new Map<string, string>();
    for (const burst of BURSTS) {
      const settled = await Promise.allSettled(burst.map((txn) => store.txn(txn)));
      for (const [index, { status }] of settled.entries()) {
        if (status === "rejected") continue;
        for (const { key, value } of burst[index]?.writes ?? []) {
          if (value === undefined) expected.delete(key);
          else expected.set(key, value);
        }
      }
      await clock.advance(STORE_TICK_MS);
    }
    await store.txn(writing(set("z", "after")));
    expected.set("z", "after");
    const wanted = [...expected].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => `${key}=${value}`);
    expect(await contentsOf(store), `call ${at}`).toBe(wanted.join(" "));
    await store.close();
    const again = await open(disk);
    expect(await contentsOf(again)).toBe(wanted.join(" "));
    await again.close();
    await everyChoice(async (choose) => {
      const crashed = await open(disk.afterCrash(choose));
      expect(await contentsOf(crashed)).toBe(wanted.join(" "));
    });
  }

  it("at a sync, never trusts that file again: a later sync that succeeds saves nothing", async () => {
    const disk = new SimDisk();
    const store = await open(disk);
    await store.txn(writing(set("a", "1")));
    let failed = false;
    disk.before = (call) => {
      if (call.name === "sync" && !failed) {
        failed = true;
        throw new DiskError("EIO", call);
      }
    };
    await expect(store.txn(writing(set("a", "2")))).rejects.toMatchObject({
      uncertain: true,
      message: `cannot write ${JOURNAL}: EIO: simulated, sync '/store/journal.new'`,
    });
    expect(await contentsOf(store)).toBe("a=1");
    await store.txn(writing(set("b", "1")));
    await everyChoice(async (choose) => {
      expect(await contentsOf(await open(disk.afterCrash(choose)))).toBe("a=1 b=1");
    });
  });

  it("leaves a refused transaction whole or not at all to a crash", async () => {
    const disk = new SimDisk();
    const store = await open(disk);
    await store.txn(writing(set("a", "1"), set("b", "1")));
    disk.before = (call) => {
      if (call.name === "sync") throw new DiskError("EIO", call);
    };
    await expect(store.txn(writing(set("a", "2"), set("b", "2")))).rejects.toMatchObject({ uncertain: true });
    const found = new Set<string>();
    await everyChoice(async (choose) => {
      found.add(await contentsOf(await open(disk.afterCrash(choose))));
    });
    expect([...found].sort()).toEqual(["a=1 b=1", "a=2 b=2"]);
  });
});

describe("a file store whose disk is full", () => {
  it("refuses, shows nothing of it, goes on reading, and takes changes again when there is room", async () => {
    const disk = new SimDisk();
    const clock = new SimClock();
    const store = await open(disk, clock);
    await store.txn(writing(set("a", "1")));
    disk.capacity = (disk.peek(JOURNAL)?.length ?? 0) + 10;
    for (let turn = 0; turn < 3; turn++) {
      await expect(store.txn(writing(set("a", "2"), set("b", "2")))).rejects.toThrow("ENOSPC");
      expect(await contentsOf(store)).toBe("a=1");
      await clock.advance(STORE_TICK_MS);
    }
    // Only the first may have left anything; what followed never reached the disk.
    await expect(store.txn(writing(set("c", "1")))).rejects.toMatchObject({ uncertain: false });
    disk.capacity = Number.POSITIVE_INFINITY;
    await clock.advance(STORE_TICK_MS);
    await store.txn(writing(set("b", "3")));
    expect(await contentsOf(store)).toBe("a=1 b=3");
  });

  it("opens all the same, and takes changes when there is room", async () => {
    const disk = new SimDisk();
    const first = await open(disk);
    await first.txn(writing(set("a", "1")));
    await first.close();
    disk.capacity = (disk.peek(JOURNAL)?.length ?? 0) + 10;
    const clock = new SimClock();
    const second = await open(disk, clock);
    expect(await contentsOf(second)).toBe("a=1");
    await expect(second.txn(writing(set("a", "2")))).rejects.toMatchObject({ uncertain: false });
    disk.capacity = Number.POSITIVE_INFINITY;
    await clock.advance(STORE_TICK_MS);
    await second.txn(writing(set("a", "3")));
    await second.close();
    expect(await contentsOf(await open(disk))).toBe("a=3");
  });

  it("with room for changes but not for a new journal, goes on with the old one", async () => {
    const disk = new SimDisk();
    const clock = new SimClock();
    const store = await open(disk, clock);
    const large = "x".repeat(200 << 10);
    disk.capacity = 3 << 20;
    disk.before = (call) => {
      if (call.name === "create") throw new DiskError("ENOSPC", call);
    };
    for (let turn = 0; turn < 10; turn++) await store.txn(writing(set("a", `${turn}${large}`)));
    expect(disk.peek(JOURNAL)?.length).toBeGreaterThan(STORE_GROWTH.bytes + STORE_GROWTH.factor * large.length);
    disk.before = () => {};
    await clock.advance(STORE_TICK_MS);
    await store.txn(writing(set("b", "1")));
    expect(disk.peek(JOURNAL)?.length).toBeLessThan(2 * large.length);
  });
});

describe("a file store whose disk does not answer", () => {
  const hang = (disk: SimDisk, name: DiskCall["name"]) => {
    disk.before = (call) => (call.name === name ? new Promise<void>(() => {}) : undefined);
  };

  it("lets a caller give up: uncertain what is on its way, certain what waits", async () => {
    const disk = new SimDisk();
    const store = await open(disk);
    hang(disk, "sync");
    const stop = new AbortController();
    const first = store.txn(writing(set("a", "1")), { signal: stop.signal });
    await new Promise((done) => setImmediate(done));
    const second = store.txn(writing(set("b", "1")), { signal: stop.signal });
    stop.abort(new Error("late"));
    await expect(first).rejects.toMatchObject({ uncertain: true });
    await expect(second).rejects.toMatchObject({ uncertain: false });
    expect(await contentsOf(store)).toBe("");
  });

  it("closes without it in the end", async () => {
    const disk = new SimDisk();
    const clock = new SimClock();
    const lines: string[] = [];
    const store = await open(disk, clock, keepingLog(lines));
    hang(disk, "sync");
    void store.txn(writing(set("a", "1"))).catch(() => {});
    await clock.advance(1);
    const closing = store.close();
    await clock.advance(STORE_CLOSE_MS);
    await closing;
    expect(lines.at(-1)).toContain("does not answer");
    expect(clock.timers).toBe(0);
  });
});

describe("a file store's journal", () => {
  it("never grows beyond twice what it holds and a little more", async () => {
    const disk = new SimDisk();
    const store = await open(disk);
    const value = "x".repeat(20 << 10);
    for (let turn = 0; turn < 400; turn++) {
      await store.txn(writing(set(`k${turn % 7}`, `${turn}${value}`)));
      const live = Math.min(turn + 1, 7) * (value.length + 64);
      const bytes = disk.peek(JOURNAL)?.length ?? 0;
      expect(bytes).toBeLessThan(STORE_GROWTH.factor * live + STORE_GROWTH.bytes + 2 * value.length);
    }
    for (let key = 0; key < 7; key++) await store.txn(writing({ key: `k${key}`, value: undefined }));
    await store.txn(writing(set("a", "1")));
    expect(disk.peek(JOURNAL)?.length).toBeLessThan(STORE_GROWTH.bytes + 8 * value.length);
  });

  it("shares one sync among all who ask while another is under way", async () => {
    const disk = new SimDisk();
    const store = await open(disk);
    let syncs = 0;
    disk.before = ({ name }) => {
      if (name === "sync") syncs++;
    };
    await Promise.all(Array.from({ length: 500 }, (_, at) => store.txn(writing(set(`k${at}`, "1")))));
    expect(syncs).toBe(1);
  });

  it("cut off at any byte opens with what was whole, and can be written", async () => {
    const disk = new SimDisk();
    await runUntilDeath(disk, BURSTS);
    const bytes = disk.peek(JOURNAL) ?? new Uint8Array();
    const states = await statesAfter(BURSTS);
    for (let length = 0; length <= bytes.length; length++) {
      const cut = new SimDisk([[JOURNAL, bytes.subarray(0, length)]]);
      const store = await open(cut);
      expect(states).toContain(await contentsOf(store));
      await store.txn(writing(set("z", "after")));
      await store.close();
      expect(await contentsOf(await open(cut))).toContain("z=after");
    }
  });

  it("damaged before its end is refused with the remedy, and left as it is", async () => {
    const disk = new SimDisk();
    await runUntilDeath(disk, BURSTS);
    const bytes = Buffer.from(disk.peek(JOURNAL) ?? []);
    const second = bytes.indexOf("\n") + 1;
    bytes[second + 12] = 0;
    const damaged = new SimDisk([[JOURNAL, bytes]]);
    await expect(open(damaged)).rejects.toThrow(
      `the store's journal ${JOURNAL} is damaged at byte ${second} (line 2), though what follows is whole: restore a backup ` +
        "(shoal store restore /store BACKUP), or move it aside to begin with an empty store",
    );
    expect(damaged.peek(JOURNAL)).toEqual(bytes);
  });
});

describe("a file store that is open", () => {
  it("is refused to a second opener, and free again when it closes", async () => {
    const disk = new SimDisk();
    const first = await open(disk);
    await expect(open(disk)).rejects.toThrow("the store /store is in use by another process");
    await first.close();
    await (await open(disk)).close();
  });
});
