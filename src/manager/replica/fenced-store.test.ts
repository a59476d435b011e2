/** What a leader writes while its lease ends, over a store that hangs. */
import { describe, expect, it } from "vitest";
import { MemoryStore, MemoryStoreData } from "../../store/drivers/memory.ts";
import { FencedStore } from "./fenced-store.ts";

/** Takes everything and answers nothing, whoever gives up. */
class Hanging extends MemoryStore {
  override txn(): Promise<never> {
    return new Promise(() => undefined);
  }
}

function fenced(store: MemoryStore) {
  const lost = new AbortController();
  const lease = { remaining: 1_000, lost: lost.signal, fence: { key: "leader/term", version: undefined } };
  return { lost, lease, store: new FencedStore(store, lease) };
}

const WRITE = { conditions: [], writes: [{ key: "x", value: "1" }] };

describe("a leader's store", () => {
  it("gives up what hangs when the lease is lost, and does not say that it was not done", async () => {
    const { lost, store } = fenced(new Hanging(new MemoryStoreData()));
    const written = store.txn(WRITE);
    lost.abort(new Error("lost"));
    await expect(written).rejects.toMatchObject({ name: "StoreError", uncertain: true });
  });

  it("takes nothing without a lease, and says that", async () => {
    const data = new MemoryStoreData();
    const { lease, store } = fenced(new MemoryStore(data));
    lease.remaining = 0;
    await expect(store.txn(WRITE)).rejects.toMatchObject({ name: "StoreError", uncertain: false });
    expect(await new MemoryStore(data).get("x")).toBeUndefined();
  });

  it("takes nothing when another one leads, and tells that from a condition of the caller", async () => {
    const data = new MemoryStoreData();
    const { store } = fenced(new MemoryStore(data));
    const mine = { conditions: [{ key: "x", version: "none" }], writes: WRITE.writes };
    expect(await store.txn(mine)).toEqual({ ok: false });
    await new MemoryStore(data).txn({ conditions: [], writes: [{ key: "leader/term", value: "2" }] });
    await expect(store.txn(mine)).rejects.toMatchObject({ name: "StoreError" });
    await expect(store.txn(WRITE)).rejects.toMatchObject({ name: "StoreError" });
  });
});
