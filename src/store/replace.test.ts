import { describe, expect, it } from "vitest";
import { MemoryStore } from "./drivers/memory.ts";
import { replaceAll } from "./replace.ts";

describe("replaceAll", () => {
  it("leaves what was given and nothing else, however much it is", async () => {
    const store = new MemoryStore();
    for (let at = 0; at < 100; at++) await store.txn({ conditions: [], writes: [{ key: `old/${at}`, value: "x" }] });
    const value = "y".repeat(100_000);
    const entries = Array.from({ length: 150 }, (_, at) => ({ key: `new/${at}`, value: at % 10 === 0 ? value : "" }));
    await replaceAll(store, entries);
    const held = (await store.list("")).map(({ key, value }) => ({ key, value }));
    expect(held).toEqual([...entries].sort((a, b) => (a.key < b.key ? -1 : 1)));
  });
});
