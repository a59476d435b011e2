/** When a record's node counts as gone: by its reader's monotonic clock alone, and only while it could read. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Entry, Registration } from "../src/discovery/discovery.ts";
import { LiveRecords } from "../src/discovery/live-records.ts";
import { writeRecord } from "../src/discovery/record.ts";
import { CLASSIC_PATH, StoredDiscovery } from "../src/discovery/stored.ts";
import { MemoryStore, MemoryStoreData } from "../src/store/drivers/memory.ts";
import { type Store, StoreError, type WatchObserver } from "../src/store/store.ts";
import { SimClock } from "./clock.ts";

const TTL_MS = 30_000;
const ID = "0123456789abcdef";

describe("a node that tells its heartbeats to a hub", () => {
  const GROUP = "hub/nodes/c";
  const KEY = `${GROUP}/a:1`;
  const record = { address: "a:1", id: ID, ttlMs: TTL_MS };

  it("is alive by them alone, and its record is written often enough for others who read the store", async () => {
    const clock = new SimClock();
    const data = new MemoryStoreData();
    const stop = new AbortController();
    const open = () =>
      new LiveRecords({ store: new MemoryStore(data), clock, prefix: "hub/nodes/", keepSilentMs: TTL_MS });
    const [own, other] = [open(), open()];
    const done = Promise.all([own.run(stop.signal), other.run(stop.signal)]);
    const states = () => [own, other].map((one) => one.of(GROUP).map(({ silentMs }) => silentMs === undefined));
    let writes = 0;
    const counting = new MemoryStore(data).watch(
      "hub/nodes/",
      { snapshot: () => {}, change: () => writes++ },
      stop.signal,
    );
    expect(own.beat(KEY, record)).toBe(false);
    await own.write(KEY, writeRecord(record));
    for (let beat = 1; beat <= 60; beat++) {
      await clock.advance(3_000);
      expect(own.beat(KEY, { ...record, beat })).toBe(true);
      expect(states()).toEqual([[true], [true]]);
    }
    expect(writes).toBeGreaterThan(10);
    expect(writes).toBeLessThan(20);
    expect(own.beat(KEY, { ...record, name: "other" })).toBe(false);
    await clock.advance(TTL_MS + 2_000);
    expect(states()).toEqual([[false], [false]]);
    // It must write its record to come back.
    expect(own.beat(KEY, record)).toBe(false);
    await clock.advance(TTL_MS + 2_000);
    expect(states()).toEqual([[], []]);
    stop.abort();
    await Promise.all([done, counting]);
  });
});

describe("a node in a store", () => {
  let clock: SimClock;
  let data: MemoryStoreData;
  let writer: StoredDiscovery;
  let lists: string[];
  let errors: string[];
  let stop: AbortController;
  let done: Promise<void>;
  let observers: WatchObserver[];
  let isDown: boolean;

  beforeEach(() => {
    clock = new SimClock();
    data = new MemoryStoreData();
    lists = [];
    errors = [];
    observers = [];
    isDown = false;
    stop = new AbortController();
    writer = new StoredDiscovery({ url: "memory://", store: new MemoryStore(data), clock, path: CLASSIC_PATH });
    const store: Store = new MemoryStore(data);
    const watch = store.watch.bind(store);
    const list = store.list.bind(store);
    store.watch = (prefix, observer, signal) => {
      observers.push(observer);
      return watch(prefix, observer, signal);
    };
    store.list = async (prefix, options) => {
      if (isDown) throw new StoreError("down");
      return list(prefix, options);
    };
    const reader = new StoredDiscovery({ url: "memory://", store, clock, path: CLASSIC_PATH });
    done = reader.watch(
      (entries: readonly Entry[]) => lists.push(entries.map(({ address }) => address).join()),
      ({ message }) => errors.push(message),
      stop.signal,
    );
  });
  afterEach(async () => {
    stop.abort();
    await done;
    expect(clock.timers).toBe(0);
  });

  let beat = 0;
  const register = async (address = "a:1", more: Partial<Registration> = {}): Promise<void> => {
    await writer.registry.register({ address, id: ID, ttlMs: TTL_MS, beat: ++beat, ...more });
  };
  const seconds = (count: number): Promise<void> => clock.advance(count * 1000);

  it("is listed while it beats, and gone when it did not for its time", async () => {
    await register();
    for (let i = 0; i < 10; i++) {
      await seconds(20);
      await register();
    }
    expect(lists).toEqual(["", "a:1"]);
    await seconds(29);
    expect(lists).toEqual(["", "a:1"]);
    await seconds(2);
    expect(lists).toEqual(["", "a:1", ""]);
    // The record is gone for those who look but once.
    expect(await writer.list()).toEqual([]);
    await register();
    await seconds(1);
    expect(lists).toEqual(["", "a:1", "", "a:1"]);
  });

  it("is told again when anything but its beat changes, and goes at once when it withdraws", async () => {
    await register();
    await seconds(1);
    await register("a:1", { labels: { a: "b" } });
    await seconds(1);
    expect(lists).toEqual(["", "a:1", "a:1"]);
    await writer.registry.withdraw("a:1");
    await seconds(1);
    expect(lists.at(-1)).toBe("");
  });

  it("of classic Swarm is there for as long as its key is", async () => {
    await new MemoryStore(data).txn({ conditions: [], writes: [{ key: `${CLASSIC_PATH}/c:1`, value: "c:1" }] });
    await seconds(600);
    expect(lists).toEqual(["", "c:1"]);
  });

  it("stays while the store cannot be read, and has its whole time again afterwards", async () => {
    await register();
    await seconds(20);
    observers[0]?.trouble?.(new StoreError("down"));
    await seconds(300);
    observers[0]?.snapshot(await new MemoryStore(data).list(CLASSIC_PATH));
    await seconds(29);
    expect(lists).toEqual(["", "a:1", "a:1"]);
    await seconds(2);
    expect(lists.at(-1)).toBe("");
  });

  it("stays when the store does not answer the question whether it is gone, or says that it beat", async () => {
    await register();
    await seconds(1);
    isDown = true;
    await seconds(100);
    expect(lists).toEqual(["", "a:1"]);
    expect(errors).toContain("down");
    isDown = false;
    await seconds(2);
    expect(lists.at(-1)).toBe("");
  });

  it("is not blamed when its reader stood still", async () => {
    await register();
    await seconds(1);
    // As a process that was stopped: time has gone by, and its timers come after it.
    const after = clock.after.bind(clock);
    clock.after = (ms, fn) => after(ms + 100_000, fn);
    await seconds(1);
    clock.after = after;
    await seconds(101);
    expect(lists).toEqual(["", "a:1"]);
    await seconds(29);
    expect(lists).toEqual(["", "a:1"]);
    await seconds(3);
    expect(lists).toEqual(["", "a:1", ""]);
  });

  it("that holds nonsense is passed over, and said", async () => {
    await new MemoryStore(data).txn({ conditions: [], writes: [{ key: `${CLASSIC_PATH}/c:1`, value: "{" }] });
    await register();
    await seconds(1);
    expect(lists.at(-1)).toBe("a:1");
    expect(errors.join()).toContain(`${CLASSIC_PATH}/c:1 is passed over`);
  });
});
