/** Backup and restore on a simulated disk, with a store that is open meanwhile and without one. */
import { describe, expect, it } from "vitest";
import { silentLog } from "../../src/kit/log.ts";
import { seededRandom } from "../../src/kit/random.ts";
import { STORE_RESTORE_MS, STORE_TICK_MS } from "../../src/kit/store-limits.ts";
import { FileStore } from "../../src/store/drivers/file/file-store.ts";
import { backupOf, readBackup, readStore, restoreStore } from "../../src/store/drivers/file/maintenance.ts";
import type { Entry, Store } from "../../src/store/store.ts";
import { SimClock } from "../clock.ts";
import { everyChoice } from "../disk/choices.ts";
import { DiskError, SimDisk } from "../disk/disk.ts";

const JOURNAL = "/store/journal";

const open = (disk: SimDisk, clock = new SimClock()) => FileStore.open("/store", { clock, log: silentLog, disk });
const set = (store: Store, key: string, value: string | undefined) =>
  store.txn({ conditions: [], writes: [{ key, value }] });
const pairs = (entries: readonly Entry[]) => entries.map(({ key, value }) => `${key}=${value}`).join(" ");
const contentsOf = async (store: Store) => pairs(await store.list(""));

/** A disk with an open store, and a backup from before its last changes. */
async function backedUp() {
  const disk = new SimDisk();
  const clock = new SimClock();
  const store = await open(disk, clock);
  await set(store, "a", "1");
  await set(store, "b", "1");
  const backup = await readStore("/store", disk);
  await set(store, "a", "2");
  await set(store, "b", undefined);
  await set(store, "c", "1");
  return { disk, clock, store, backup };
}

describe("a backup", () => {
  it("is made of a store that is open, and holds the same", async () => {
    const { backup } = await backedUp();
    const bytes = Buffer.concat([...backupOf(backup)]);
    expect(pairs(backup.entries)).toBe("a=1 b=1");
    expect(readBackup(bytes, "file")).toEqual(backup);
  });

  it("that lost a byte or had a bit flipped is refused", async () => {
    const { backup } = await backedUp();
    const bytes = Buffer.concat([...backupOf(backup)]);
    for (let at = 0; at < bytes.length; at++) {
      const words = "file is no whole backup of a store: nothing was changed";
      expect(() => readBackup(bytes.subarray(0, at), "file")).toThrow(words);
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] ?? 0) ^ 4;
      expect(() => readBackup(flipped, "file")).toThrow(words);
    }
  });

  it("of no store says so", async () => {
    await expect(readStore("/store", new SimDisk())).rejects.toThrow("there is no store in /store");
  });
});

describe("a restore", () => {
  const random = seededRandom(1);

  it("is taken by the store that is open, tells its watchers, and repeats no version", async () => {
    const { disk, clock, store, backup } = await backedUp();
    const before = new Set((await store.list("")).concat(backup.entries).map(({ version }) => version));
    const told: string[] = [];
    const stop = new AbortController();
    const observer = { snapshot: (entries: readonly Entry[]) => void told.push(pairs(entries)), change() {} };
    const watching = store.watch("", observer, stop.signal);
    const restoring = restoreStore("/store", backup, { disk, clock, random });
    await clock.advance(2 * STORE_TICK_MS);
    expect(await restoring).toBe("by the manager");
    expect(await contentsOf(store)).toBe("a=1 b=1");
    expect(told).toEqual(["a=2 c=1", "a=1 b=1"]);
    for (const { version } of await store.list("")) expect(before).not.toContain(version);
    await set(store, "d", "1");
    await clock.advance(5 * STORE_TICK_MS);
    await store.close();
    stop.abort();
    await watching;
    expect(await contentsOf(await open(disk))).toBe("a=1 b=1 d=1");
  });

  it("of a store that nobody has open is done at once", async () => {
    const { disk, clock, store, backup } = await backedUp();
    await store.close();
    expect(await restoreStore("/store", backup, { disk, clock, random })).toBe("here");
    expect(await contentsOf(await open(disk))).toBe("a=1 b=1");
  });

  it("mends a store whose journal is damaged", async () => {
    const { disk, store, clock, backup } = await backedUp();
    await store.close();
    const bytes = Buffer.from(disk.peek(JOURNAL) ?? []);
    bytes[bytes.indexOf("\n") - 3] = 0;
    const damaged = new SimDisk([[JOURNAL, bytes]]);
    await expect(open(damaged)).rejects.toThrow("restore a backup");
    await restoreStore("/store", backup, { disk: damaged, clock, random });
    expect(await contentsOf(await open(damaged))).toBe("a=1 b=1");
  });

  it("happens whole or not at all, and once, whenever the machine crashes", async () => {
    const start = await backedUp();
    await start.store.close();
    const bytes = start.disk.peek(JOURNAL) ?? new Uint8Array();
    let calls = 1;
    for (let at = 0; at < calls; at++) {
      const disk = new SimDisk([[JOURNAL, bytes]]);
      disk.dieAt = at;
      const run = async () => {
        await restoreStore("/store", start.backup, { disk, clock: start.clock, random });
        const store = await open(disk);
        await set(store, "after", "1");
        calls = disk.calls;
        return "done";
      };
      if (at === 0) disk.dieAt = Number.POSITIVE_INFINITY;
      const outcome = await Promise.race([run(), disk.death]);
      if (outcome === "done") continue;
      await everyChoice(async (choose) => {
        const left = disk.afterCrash(choose);
        const store = await open(left);
        const found = await contentsOf(store);
        expect(["a=2 c=1", "a=1 b=1", "a=1 after=1 b=1"]).toContain(found);
        await set(store, "later", "1");
        await store.close();
        expect(await contentsOf(await open(left))).toBe([...found.split(" "), "later=1"].sort().join(" "));
      });
    }
    expect(calls).toBeGreaterThan(20);
  });

  it("that the disk does not let happen is withdrawn", async () => {
    const { disk, clock, store, backup } = await backedUp();
    disk.before = (call) => {
      if (call.name === "create" && call.path.startsWith(JOURNAL)) throw new DiskError("ENOSPC", call);
    };
    const restoring = restoreStore("/store", backup, { disk, clock, random });
    const refused = expect(restoring).rejects.toThrow("the backup was not taken, and is withdrawn");
    await clock.advance(STORE_RESTORE_MS + STORE_TICK_MS);
    await refused;
    disk.before = () => {};
    await clock.advance(5 * STORE_TICK_MS);
    expect(await contentsOf(store)).toBe("a=2 c=1");
  });

  it("placed by hand and not whole is put aside", async () => {
    const { disk, clock, store, backup } = await backedUp();
    const bytes = Buffer.concat([...backupOf(backup)]);
    const file = await disk.create("/store/restore");
    await file.append(bytes.subarray(0, bytes.length - 1));
    await clock.advance(2 * STORE_TICK_MS);
    expect(await contentsOf(store)).toBe("a=2 c=1");
    expect(disk.peek("/store/restore")).toBeUndefined();
    expect(disk.peek("/store/restore.refused")).toBeDefined();
  });
});
