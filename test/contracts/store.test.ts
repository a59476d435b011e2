/** The store drivers against their contract. */
import { describe, expect, it } from "vitest";
import { MemoryStore, MemoryStoreData } from "../../src/store/drivers/memory.ts";
import { storeContract } from "./store.ts";

storeContract("memory", async () => {
  const data = new MemoryStoreData();
  return { open: async () => new MemoryStore(data), close: async () => undefined };
});

describe("a memory store", () => {
  it("shares what it holds with others opened on the same data, and with nobody else", async () => {
    const data = new MemoryStoreData();
    await new MemoryStore(data).txn({ conditions: [], writes: [{ key: "a", value: "1" }] });
    expect(await new MemoryStore(data).get("a")).toMatchObject({ value: "1" });
    expect(await new MemoryStore().get("a")).toBeUndefined();
  });
});
