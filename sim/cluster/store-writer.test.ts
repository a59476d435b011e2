/** Group commit, order and bounds of what the manager writes to its store. */
import { describe, expect, it } from "vitest";
import { StoreWriter } from "../../src/cluster/store-writer.ts";
import { systemClock } from "../../src/kit/clock.ts";
import { silentLog } from "../../src/kit/log.ts";
import {
  STORE_LATER_KEYS,
  STORE_RETRY_MS,
  STORE_TXN_BYTES,
  STORE_TXN_KEYS,
  STORE_WRITE_MS,
} from "../../src/kit/store-limits.ts";
import { MemoryStore } from "../../src/store/drivers/memory.ts";
import { type Limits, StoreError, type Txn, type TxnResult } from "../../src/store/store.ts";
import { TestClock } from "./test-clock.ts";

/** Notes its transactions, and waits before each when told to. */
class WatchedStore extends MemoryStore {
  readonly txns: string[][] = [];
  gate: Promise<void> = Promise.resolve();
  failure: Error | undefined;
  underWay = 0;

  override async txn(txn: Txn): Promise<TxnResult> {
    this.txns.push(txn.writes.map(({ key, value }) => `${key}=${value}`));
    expect(++this.underWay).toBe(1);
    try {
      await this.gate;
      if (this.failure) throw this.failure;
      return await super.txn(txn);
    } finally {
      this.underWay--;
    }
  }
}

/** As etcd and ZooKeeper are. */
class RoomyStore extends WatchedStore {
  override readonly limits: Limits = { operations: 128, bytes: STORE_TXN_BYTES * 3 };
}

function open(store = new WatchedStore()) {
  const clock = new TestClock(systemClock);
  return { store, clock, writer: new StoreWriter(store, { clock, log: silentLog }) };
}

const holding = (store: WatchedStore): (() => void) => {
  let release = (): void => {};
  store.gate = new Promise((resolve) => {
    release = resolve;
  });
  return release;
};

const set = (key: string, value: string) => ({ key, value });

describe("StoreWriter", () => {
  it("commits in one transaction what is asked for together, and what waits meanwhile in the next", async () => {
    const { store, writer } = open();
    const release = holding(store);
    const first = [writer.write([set("a", "1")]), writer.write([set("b", "1")])];
    await Promise.resolve().then(() => {});
    const second = Array.from({ length: 20 }, (_, i) => writer.write([set(`c${i}`, "1"), set("a", String(i))]));
    release();
    await Promise.all([...first, ...second]);
    expect(store.txns).toHaveLength(2);
    expect(store.txns[0]).toEqual(["a=1", "b=1"]);
    expect((await store.get("a"))?.value).toBe("19");
  });

  it("never has more keys in a transaction than Consul takes, and keeps each caller's together", async () => {
    const { store, writer } = open();
    const groups = Array.from({ length: 50 }, (_, i) => [set(`a${i}`, "1"), set(`b${i}`, "1"), set(`c${i}`, "1")]);
    await Promise.all(groups.map((group) => writer.write(group)));
    for (const txn of store.txns) {
      expect(txn.length).toBeLessThanOrEqual(STORE_TXN_KEYS);
      expect(txn.length % 3).toBe(0);
    }
    expect(await store.list("")).toHaveLength(150);
  });

  it("makes use of a store that takes larger transactions, but of no caller's that not every store takes", async () => {
    const { store, writer } = open(new RoomyStore());
    const groups = Array.from({ length: 50 }, (_, i) => [set(`a${i}`, "1"), set(`b${i}`, "1"), set(`c${i}`, "1")]);
    await Promise.all(groups.map((group) => writer.write(group)));
    expect(store.txns.map(({ length }) => length)).toEqual([126, 24]);
    const third = "x".repeat(STORE_TXN_BYTES / 3);
    await Promise.all(Array.from({ length: 8 }, (_, i) => writer.write([set(`d${i}`, third)])));
    expect(store.txns.slice(2).map(({ length }) => length)).toEqual([8]);
    const many = Array.from({ length: STORE_TXN_KEYS + 1 }, (_, i) => set(`e${i}`, "1"));
    await expect(writer.write(many)).rejects.toMatchObject({ status: 503 });
  });

  it("never has more bytes in a transaction than a store takes, and still writes everything", async () => {
    const { store, writer } = open();
    const large = "x".repeat(STORE_TXN_BYTES / 4);
    const asked = Array.from({ length: 10 }, (_, i) => writer.write([set(`a${i}`, large)]));
    writer.later(Array.from({ length: 10 }, (_, i) => set(`b${i}`, large)));
    await Promise.all(asked);
    await writer.idle();
    expect(await store.list("")).toHaveLength(20);
    expect(Math.max(...store.txns.map(({ length }) => length))).toBe(3);
  });

  it("refuses what no store takes, and lets nothing else suffer for it", async () => {
    const { store, writer } = open();
    const tooLarge = "x".repeat(STORE_TXN_BYTES);
    writer.later([set("large", tooLarge), set("small", "1")]);
    const refused = writer.write([set("a", tooLarge)]);
    await Promise.all([writer.write([set("b", "1")]), expect(refused).rejects.toMatchObject({ status: 503 })]);
    await writer.idle();
    expect((await store.list("")).map(({ key }) => key)).toEqual(["b", "small"]);
  });

  it("refuses what a fenced store cannot take, which names one key itself, and serves the next", async () => {
    const store = new WatchedStore();
    let asked = 0;
    const operations = STORE_TXN_KEYS - 1;
    // One that is asked for ever takes it in the end.
    const limits = { bytes: STORE_TXN_BYTES, operations };
    Object.defineProperty(store, "limits", { get: () => (asked++ < 1_000 ? limits : new MemoryStore().limits) });
    const { writer } = open(store);
    const many = Array.from({ length: STORE_TXN_KEYS }, (_, i) => set(`a${i}`, "1"));
    await expect(writer.write(many)).rejects.toMatchObject({ status: 503 });
    await writer.write(many.slice(1));
    expect(await store.list("")).toHaveLength(operations);
  });

  it("tries nothing again when nobody leads by it any more", async () => {
    const { store, clock, writer } = open();
    store.failure = new StoreError("this manager no longer leads");
    writer.later([set("a", "1")]);
    await writer.idle();
    expect(clock.pending(STORE_RETRY_MS)).toBe(1);
    await writer.retire();
    expect(clock.pending(STORE_RETRY_MS)).toBe(0);
    store.failure = undefined;
    writer.later([set("b", "1")]);
    await expect(writer.write([set("c", "1")])).rejects.toMatchObject({ status: 503 });
    await writer.idle();
    expect(await store.list("")).toEqual([]);
  });

  it("refuses with one sentence what the store does not take, and serves the next", async () => {
    const { store, writer } = open();
    store.failure = new StoreError("no space left on device");
    await expect(writer.write([set("a", "1")])).rejects.toMatchObject({
      status: 503,
      message: "the store does not take changes: no space left on device. Mend it and try again",
    });
    store.failure = undefined;
    await writer.write([set("a", "2")]);
    expect((await store.get("a"))?.value).toBe("2");
  });

  it("refuses what a hanging store does not answer in time; its late end never undoes what came after", async () => {
    const { store, clock, writer } = open();
    const waits: (() => void)[] = [];
    const hurried = new StoreWriter(store, {
      log: silentLog,
      clock: {
        now: () => clock.now(),
        monotonic: () => clock.monotonic(),
        sleep: (ms, signal) => clock.sleep(ms, signal),
        after: (_ms, fn) => {
          waits.push(fn);
          return { cancel: () => {} };
        },
      },
    });
    const release = holding(store);
    const write = hurried.write([set("a", "old")]);
    while (store.txns.length === 0) await clock.sleep(1);
    waits[0]?.();
    await expect(write).rejects.toMatchObject({ status: 503 });
    const next = hurried.write([set("a", "new")]);
    await clock.sleep(5);
    expect(store.txns).toEqual([["a=old"]]);
    release();
    await next;
    expect((await store.get("a"))?.value).toBe("new");
    await writer.idle();
  });

  it("refuses what waited too long in the queue", async () => {
    const { store, clock, writer } = open();
    const release = holding(store);
    const first = writer.write([set("a", "1")]);
    while (store.txns.length === 0) await clock.sleep(1);
    const second = writer.write([set("b", "1")]);
    clock.skip(STORE_WRITE_MS);
    release();
    await first;
    await expect(second).rejects.toMatchObject({ status: 503 });
    expect(await store.get("b")).toBeUndefined();
    expect(clock.foreground).toBe(0);
  });

  it("writes for later the last value of a key, and never over a newer one", async () => {
    const { store, writer } = open();
    writer.later([set("a", "1"), set("b", "1")]);
    writer.later([set("b", "2")]);
    await writer.write([set("a", "2")]);
    await writer.idle();
    expect((await store.list("")).map(({ key, value }) => `${key}=${value}`)).toEqual(["a=2", "b=2"]);
  });

  it("tries again what it wrote for later and the store did not take, unless something newer came", async () => {
    const { store, writer } = open();
    store.failure = new StoreError("gone for a moment");
    writer.later([set("a", "1"), set("b", "1")]);
    await writer.idle();
    store.failure = undefined;
    await writer.write([set("a", "2")]);
    await writer.idle();
    expect((await store.list("")).map(({ key, value }) => `${key}=${value}`)).toEqual(["a=2", "b=1"]);
  });

  it("writes what it has when it retires, and takes nothing more", async () => {
    const { store, writer } = open();
    const release = holding(store);
    const written = writer.write([set("a", "1")]);
    writer.later([set("b", "1")]);
    const retired = writer.retire();
    writer.later([set("c", "1")]);
    await expect(writer.write([set("d", "1")])).rejects.toThrow("does not lead");
    release();
    await Promise.all([written, retired]);
    expect((await store.list("")).map(({ key }) => key)).toEqual(["a", "b"]);
  });

  it("tries nothing again once it has retired", async () => {
    const { store, clock, writer } = open();
    store.failure = new StoreError("another manager leads");
    writer.later([set("a", "1")]);
    await writer.idle();
    await writer.retire();
    const tried = store.txns.length;
    store.failure = undefined;
    clock.hurry(STORE_RETRY_MS);
    await writer.idle();
    expect(store.txns).toHaveLength(tried);
    expect(writer.unwritten).toEqual([]);
  });

  it("keeps no more for later than its bound", async () => {
    const { store, writer } = open();
    store.failure = new StoreError("gone for a moment");
    writer.later(Array.from({ length: STORE_LATER_KEYS + 10 }, (_, i) => set(`k${i}`, "1")));
    await writer.idle();
    store.failure = undefined;
    await writer.write([set("z", "1")]);
    await writer.idle();
    expect((await store.list("k")).length).toBeLessThanOrEqual(STORE_LATER_KEYS);
    expect(await store.get("k0")).toBeUndefined();
  });
});
