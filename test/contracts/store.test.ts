/** The store drivers against their contract. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../src/kit/clock.ts";
import { silentLog } from "../../src/kit/log.ts";
import { FileStore } from "../../src/store/drivers/file/file-store.ts";
import { systemDisk } from "../../src/store/drivers/file/system-disk.ts";
import { MemoryStore, MemoryStoreData } from "../../src/store/drivers/memory.ts";
import { storeContract } from "./store.ts";

storeContract("memory", async () => {
  const data = new MemoryStoreData();
  return { open: async () => new MemoryStore(data), close: async () => undefined };
});

storeContract("file", async () => {
  const directory = await mkdtemp(join(tmpdir(), "shoal-store-"));
  return {
    open: () => FileStore.open(directory, { clock: systemClock, log: silentLog, disk: systemDisk }),
    close: () => rm(directory, { recursive: true }),
  };
});

describe("a memory store", () => {
  it("shares what it holds with others opened on the same data, and with nobody else", async () => {
    const data = new MemoryStoreData();
    await new MemoryStore(data).txn({ conditions: [], writes: [{ key: "a", value: "1" }] });
    expect(await new MemoryStore(data).get("a")).toMatchObject({ value: "1" });
    expect(await new MemoryStore().get("a")).toBeUndefined();
  });
});
