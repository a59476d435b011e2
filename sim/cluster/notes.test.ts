/** Notes on images and volumes: what a list that is older or newer does to them, and what the next manager finds. */
import { describe, expect, it } from "vitest";
import { Notes } from "../../src/cluster/notes.ts";
import { StoreWriter } from "../../src/cluster/store-writer.ts";
import { systemClock } from "../../src/kit/clock.ts";
import { silentLog } from "../../src/kit/log.ts";
import { MemoryStore } from "../../src/store/drivers/memory.ts";
import { TestClock } from "./test-clock.ts";

interface Note {
  readonly tags: readonly string[];
}

function rig() {
  const clock = new TestClock(systemClock);
  const store = new MemoryStore();
  const writer = new StoreWriter(store, { clock, log: silentLog });
  return { clock, store, writer, notes: new Notes<Note>("images/", { clock, writer }) };
}

const gone = (): undefined => undefined;

describe("notes", () => {
  it("end with a list that lacks their object, unless it was begun before they were made", () => {
    const { clock, notes } = rig();
    const before = clock.monotonic();
    clock.skip(1);
    notes.set("n", "a", { tags: [] });
    notes.reconcile("n", before, gone);
    expect(notes.on("n")).toEqual(["a"]);
    clock.skip(1);
    notes.reconcile("other", clock.monotonic(), gone);
    expect(notes.on("n")).toEqual(["a"]);
    notes.reconcile("n", clock.monotonic(), gone);
    expect(notes.on("n")).toEqual([]);
  });

  it("are found by the next manager as they were last, whatever stands in their object's name", async () => {
    const { clock, store, writer, notes } = rig();
    notes.set("n", "sha256:a", { tags: ["x"] });
    notes.set("n", "sha256:b", { tags: [] });
    notes.set("n", "a/b", { tags: [] });
    notes.delete("n", "sha256:b");
    clock.skip(1);
    notes.reconcile("n", clock.monotonic(), (_name, note) => (note.tags.length > 0 ? { tags: ["y"] } : note));
    await writer.idle();
    const next = new Notes<Note>("images/", { clock, writer });
    for (const { key, value } of await store.list("")) expect(next.restore(key, value)).toBe(true);
    expect(next.restore("volumes/n/x", "{}")).toBe(false);
    expect(next.on("n").toSorted()).toEqual(["a/b", "sha256:a"]);
    expect(next.get("n", "sha256:a")).toEqual({ tags: ["y"] });
    // Its engine's first list decides about what an earlier manager noted.
    next.reconcile("n", clock.monotonic() - 1_000, gone);
    expect(next.on("n")).toEqual([]);
  });
});
