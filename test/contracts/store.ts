/**
 * What every store driver owes its owner. Call `storeContract` in a test file with a way to make the driver.
 */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { STORE_KEY_CHARS, STORE_TXN_BYTES, STORE_TXN_KEYS, STORE_VALUE_BYTES } from "../../src/kit/store-limits.ts";
import { type Condition, type Entry, type Store, StoreError, type Write } from "../../src/store/store.ts";

/** One driver on contents of its own, empty at first. */
export interface StoreBench {
  open(): Promise<Store>;
  close(): Promise<void>;
}

const set = (key: string, value: string): Write => ({ key, value });
const remove = (key: string): Write => ({ key, value: undefined });
const keys = (entries: readonly { readonly key: string }[]) => entries.map(({ key }) => key);

export function storeContract(name: string, make: () => Promise<StoreBench>): void {
  describe(`store: ${name}`, () => {
    let bench: StoreBench;
    let store: Store;
    beforeEach(async () => {
      bench = await make();
      store = await bench.open();
    });
    afterEach(async () => {
      await store.close();
      await bench.close();
    });

    const write = (...writes: readonly Write[]) => store.txn({ conditions: [], writes });
    const on = (conditions: readonly Condition[], ...writes: readonly Write[]) => store.txn({ conditions, writes });
    const versionOf = async (key: string) => (await store.get(key))?.version;
    const reopen = async () => {
      await store.close();
      store = await bench.open();
    };

    describe("reading", () => {
      it("gives what was written, and nothing for other keys", async () => {
        await write(set("a/b", "1"));
        expect(await store.get("a/b")).toEqual({ key: "a/b", value: "1", version: expect.any(String) });
        expect(await store.get("a")).toBeUndefined();
        expect(await store.get("a/b/c")).toBeUndefined();
      });

      it("lists by prefix, sorted by key", async () => {
        await write(...["b/2", "a/10", "b/10", "b", "a/2", "ab", "B"].map((key) => set(key, key)));
        expect(keys(await store.list(""))).toEqual(["B", "a/10", "a/2", "ab", "b", "b/10", "b/2"]);
        expect(keys(await store.list("b"))).toEqual(["b", "b/10", "b/2"]);
        expect(keys(await store.list("b/"))).toEqual(["b/10", "b/2"]);
        expect(await store.list("c")).toEqual([]);
      });

      it("takes any key, and one that others lie below", async () => {
        const odd = [
          "!\"#$%&'()*+,-.",
          ":;<=>?@[\\]^_`{|}~",
          "%2F",
          "...",
          ".a",
          "a/..b",
          "b./c",
          "deep",
          "deep/a",
          "deep/a/b/c",
        ];
        await write(...odd.map((key) => set(key, key)));
        for (const key of odd) expect(await store.get(key)).toMatchObject({ key, value: key });
        await write(remove("deep"), remove("deep/a"));
        const left = odd.filter((key) => key !== "deep" && key !== "deep/a").sort();
        expect((await store.list("")).map(({ key, value }) => [key, value])).toEqual(left.map((key) => [key, key]));
        expect(await store.get("deep")).toBeUndefined();
        await write(set("deep", "again"));
        expect(await store.get("deep")).toMatchObject({ value: "again" });
      });

      it("gives in a list what it gives one by one", async () => {
        await write(set("a", "1"), set("b", "2"));
        await write(set("b", "3"));
        expect(await store.list("")).toEqual([await store.get("a"), await store.get("b")]);
      });

      it("keeps any text: empty, with line breaks, NUL, beyond the basic plane", async () => {
        const texts = ["", "\n", "a\0b", '{"a":"\\""}', "héllo 😀", "\u2028"];
        await write(...texts.map((text, at) => set(`k${at}`, text)));
        await reopen();
        expect((await store.list("k")).map(({ value }) => value)).toEqual(texts);
      });
    });

    describe("a transaction", () => {
      it("tells the versions of what it wrote, undefined for what it deleted", async () => {
        await write(set("gone", "x"));
        const result = await write(set("a", "1"), remove("gone"), set("b", "2"));
        expect(result).toEqual({ ok: true, versions: [await versionOf("a"), undefined, await versionOf("b")] });
        expect(keys(await store.list(""))).toEqual(["a", "b"]);
      });

      it("may delete what is not there", async () => {
        expect(await write(remove("a"))).toEqual({ ok: true, versions: [undefined] });
      });

      it("may do nothing, and still judges its conditions", async () => {
        expect(await on([])).toEqual({ ok: true, versions: [] });
        expect(await on([{ key: "a", version: undefined }])).toEqual({ ok: true, versions: [] });
        await write(set("a", "1"));
        expect(await on([{ key: "a", version: undefined }])).toEqual({ ok: false });
      });

      it("writes only when the key has the version", async () => {
        await write(set("a", "1"));
        const first = await versionOf("a");
        expect(await on([{ key: "a", version: first }], set("a", "2"))).toMatchObject({ ok: true });
        expect(await on([{ key: "a", version: first }], set("a", "3"))).toEqual({ ok: false });
        expect(await store.get("a")).toMatchObject({ value: "2" });
      });

      it("writes only when there is no such key", async () => {
        const absent = [{ key: "a", version: undefined }];
        expect(await on(absent, set("a", "1"))).toMatchObject({ ok: true });
        expect(await on(absent, set("a", "2"))).toEqual({ ok: false });
        await write(remove("a"));
        expect(await on(absent, set("a", "3"))).toMatchObject({ ok: true });
      });

      it("deletes only when the key has the version", async () => {
        await write(set("a", "1"));
        const first = await versionOf("a");
        await write(set("a", "2"));
        expect(await on([{ key: "a", version: first }], remove("a"))).toEqual({ ok: false });
        expect(await on([{ key: "a", version: undefined }], remove("a"))).toEqual({ ok: false });
        expect(await on([{ key: "a", version: await versionOf("a") }], remove("a"))).toMatchObject({ ok: true });
        expect(await on([{ key: "a", version: first }], remove("a"))).toEqual({ ok: false });
        expect(await on([{ key: "a", version: undefined }], remove("a"))).toMatchObject({ ok: true });
      });

      it("may depend on keys that it does not write", async () => {
        await write(set("a", "1"));
        const conditions = [
          { key: "a", version: await versionOf("a") },
          { key: "b", version: undefined },
        ];
        expect(await on(conditions, set("c", "1"))).toMatchObject({ ok: true });
        await write(set("b", "1"));
        expect(await on(conditions, set("c", "2"))).toEqual({ ok: false });
      });

      it("writes nothing when one condition of several fails", async () => {
        await write(set("a", "1"), set("b", "1"));
        const conditions = [
          { key: "a", version: await versionOf("a") },
          { key: "b", version: undefined },
        ];
        expect(await on(conditions, set("a", "2"), set("c", "2"), remove("b"))).toEqual({ ok: false });
        expect((await store.list("")).map(({ key, value }) => [key, value])).toEqual([
          ["a", "1"],
          ["b", "1"],
        ]);
      });

      it("of many at once on one key wins alone", async () => {
        await write(set("a", "0"));
        const conditions = [{ key: "a", version: await versionOf("a") }];
        const results = await Promise.all(Array.from({ length: 20 }, (_, at) => on(conditions, set("a", `${at + 1}`))));
        expect(results.filter(({ ok }) => ok)).toHaveLength(1);
        const winner = results.findIndex(({ ok }) => ok);
        expect(await store.get("a")).toMatchObject({ value: `${winner + 1}` });
      });

      it("counts up under contention without losing one", async () => {
        const add = async (): Promise<void> => {
          for (;;) {
            const now = await store.get("n");
            const next = String(Number(now?.value ?? 0) + 1);
            if ((await on([{ key: "n", version: now?.version }], set("n", next))).ok) return;
          }
        };
        await Promise.all(Array.from({ length: 12 }, add));
        expect(await store.get("n")).toMatchObject({ value: "12" });
      });
    });

    describe("versions", () => {
      it("change with every write, the same value included", async () => {
        await write(set("a", "1"));
        const first = await versionOf("a");
        await write(set("a", "1"));
        expect(await versionOf("a")).not.toBe(first);
      });

      it("stay when other keys are written", async () => {
        await write(set("a", "1"));
        const first = await versionOf("a");
        await write(set("b", "1"));
        expect(await versionOf("a")).toBe(first);
      });

      it("never repeat, not after deletion and not after opening again", async () => {
        const seen = new Set<string | undefined>();
        for (let round = 0; round < 6; round++) {
          await write(set("a", "1"));
          seen.add(await versionOf("a"));
          await write(remove("a"));
          if (round % 2 === 1) await reopen();
        }
        expect(seen.size).toBe(6);
      });
    });

    describe("opened again", () => {
      it("holds the same entries with the same versions", async () => {
        await write(set("a", "1"), set("b", "2"));
        await write(set("a", "3"), remove("b"), set("c", "4"));
        const before = await store.list("");
        await reopen();
        expect(await store.list("")).toEqual(before);
        expect(await on([{ key: "a", version: before[0]?.version }], set("a", "5"))).toMatchObject({ ok: true });
      });
    });

    describe("a watch", () => {
      function watch(prefix: string) {
        const controller = new AbortController();
        const told: string[] = [];
        const state = new Map<string, string>();
        let snapshots = 0;
        const done = store.watch(
          prefix,
          {
            snapshot(entries: readonly Entry[]) {
              snapshots++;
              told.push(`snapshot ${keys(entries).join(" ")}`);
              state.clear();
              for (const { key, value } of entries) state.set(key, value);
            },
            change({ key, value }) {
              told.push(value === undefined ? `- ${key}` : `+ ${key}=${value}`);
              if (value === undefined) state.delete(key);
              else state.set(key, value);
            },
          },
          controller.signal,
        );
        const stop = async () => {
          controller.abort();
          await done;
        };
        return { told, state, stop, done, snapshots: () => snapshots };
      }
      const soon = (check: () => void) => vi.waitFor(check, { timeout: 50_000, interval: 2 });

      it("tells a snapshot, sorted, and then changes", async () => {
        await write(set("a/2", "x"), set("a/1", "x"), set("b", "x"));
        const { told, stop } = watch("a/");
        await soon(() => expect(told).toEqual(["snapshot a/1 a/2"]));
        await write(set("a/3", "y"), set("b", "y"));
        // What changes between two looks may be told in any order.
        await soon(() => expect(told.slice(1)).toEqual(["+ a/3=y"]));
        await write(remove("a/1"));
        await soon(() => expect(told.slice(1)).toEqual(["+ a/3=y", "- a/1"]));
        await stop();
      });

      it("tells an empty snapshot of nothing", async () => {
        const { told, stop } = watch("none/");
        await soon(() => expect(told).toEqual(["snapshot "]));
        await stop();
      });

      it("tells at last the last value of each key, whatever is skipped", async () => {
        const { state, stop, snapshots } = watch("");
        await soon(() => expect(snapshots()).toBeGreaterThan(0));
        for (let round = 0; round < 30; round++) {
          await Promise.all([write(set(`k${round % 4}`, `${round}`)), write(set("n", `${round}`), remove("k2"))]);
        }
        const expected = new Map((await store.list("")).map(({ key, value }) => [key, value]));
        await soon(() => expect(state).toEqual(expected));
        await stop();
      });

      it("begun while others write misses nothing", async () => {
        const writing = Array.from({ length: 20 }, (_, at) => write(set(`k${at}`, "x")));
        const { state, stop } = watch("k");
        await Promise.all(writing);
        await soon(() => expect(state.size).toBe(20));
        await stop();
      });

      it("says nothing more after its signal", async () => {
        const { told, stop } = watch("");
        await soon(() => expect(told).toHaveLength(1));
        await stop();
        await write(set("a", "1"));
        const other = watch("");
        await soon(() => expect(other.told).toHaveLength(1));
        await other.stop();
        expect(told).toHaveLength(1);
      });

      it("ends when the store closes", async () => {
        const { told, done } = watch("");
        await soon(() => expect(told).toHaveLength(1));
        await store.close();
        await done;
      });

      it("may be many, each with its own prefix", async () => {
        const watches = ["", "a", "b"].map(watch);
        for (const { told } of watches) await soon(() => expect(told).toHaveLength(1));
        await write(set("a", "1"), set("b", "1"));
        await soon(() =>
          expect(watches.map(({ state }) => [...state.keys()].sort())).toEqual([["a", "b"], ["a"], ["b"]]),
        );
        for (const { stop } of watches) await stop();
      });

      it("may write from what it is told", async () => {
        const controller = new AbortController();
        let begun = false;
        const observer = {
          snapshot: () => {
            begun = true;
          },
          change: ({ key, value = "" }: { readonly key: string; readonly value: string | undefined }) =>
            void write(set(key.replace("in/", "out/"), value)),
        };
        const done = store.watch("in/", observer, controller.signal);
        await soon(() => expect(begun).toBe(true));
        await write(set("in/a", "1"), set("in/b", "2"));
        await vi.waitFor(async () => expect(keys(await store.list("out/"))).toEqual(["out/a", "out/b"]));
        controller.abort();
        await done;
      });
    });

    describe("closed", () => {
      it("answers nothing any more, and may be closed again", async () => {
        await store.close();
        await store.close();
        await expect(store.get("a")).rejects.toThrow(StoreError);
        await expect(store.list("")).rejects.toThrow(StoreError);
        await expect(write(set("a", "1"))).rejects.toThrow(StoreError);
        const { signal } = new AbortController();
        await expect(store.watch("", { snapshot() {}, change() {} }, signal)).rejects.toThrow(StoreError);
      });

      it("has done what was under way, or refused it", async () => {
        const writing = Array.from({ length: 10 }, (_, at) => write(set(`k${at}`, "x")));
        await store.close();
        const settled = await Promise.allSettled(writing);
        store = await bench.open();
        const held = await store.list("k");
        for (const [at, { status }] of settled.entries()) {
          expect(held.some(({ key }) => key === `k${at}`)).toBe(status === "fulfilled");
        }
      });
    });

    describe("a signal that aborted before the call", () => {
      it("refuses it, certainly", async () => {
        const signal = AbortSignal.abort(new Error("enough"));
        await expect(store.get("a", { signal })).rejects.toThrow(StoreError);
        await expect(store.list("", { signal })).rejects.toThrow(StoreError);
        const refused = store.txn({ conditions: [], writes: [set("a", "1")] }, { signal });
        await expect(refused).rejects.toMatchObject({ name: "StoreError", uncertain: false });
        expect(await store.get("a")).toBeUndefined();
      });

      it("of a watch resolves at once, and nothing is told", async () => {
        let told = 0;
        const observer = { snapshot: () => void told++, change: () => void told++ };
        await store.watch("", observer, AbortSignal.abort());
        await write(set("a", "1"));
        expect(told).toBe(0);
      });
    });

    describe("bounds", () => {
      const refused = async (writes: readonly Write[], words: string, conditions: readonly Condition[] = []) => {
        const error = await store.txn({ conditions, writes }).catch((caught: unknown) => caught);
        expect(error).toBeInstanceOf(StoreError);
        expect(error).toMatchObject({ uncertain: false, message: expect.stringContaining(words) });
        expect(await store.list("")).toEqual([]);
      };

      it.each(["", "/a", "a/", "a//b", "a b", "ä", "a\nb", "a\u007f", "..", "a/../b", "./a", "a/."])(
        "refuse the key %j",
        async (key) => {
          await refused([set("fine", "1"), set(key, "1")], "bad key");
          await refused([set("fine", "1")], "bad key", [{ key, version: undefined }]);
          await expect(store.get(key)).rejects.toThrow("bad key");
        },
      );

      it("refuse a prefix that no key can begin with", async () => {
        await expect(store.list("a b")).rejects.toThrow("bad prefix");
        const { signal } = new AbortController();
        await expect(store.watch("ä", { snapshot() {}, change() {} }, signal)).rejects.toThrow("bad prefix");
      });

      it("take a key of the greatest length, and no longer one", async () => {
        await refused([set("k".repeat(STORE_KEY_CHARS + 1), "1")], `at most ${STORE_KEY_CHARS} characters`);
        const longest = "k".repeat(STORE_KEY_CHARS);
        await write(set(longest, "1"));
        expect(keys(await store.list(""))).toEqual([longest]);
      });

      it("take a value of the greatest size in bytes, and no larger one", async () => {
        await refused([set("a", "x".repeat(STORE_VALUE_BYTES + 1))], `at most ${STORE_VALUE_BYTES} bytes`);
        await refused([set("a", "é".repeat(STORE_VALUE_BYTES / 2 + 1))], `at most ${STORE_VALUE_BYTES} bytes`);
        const largest = "é".repeat(STORE_VALUE_BYTES / 2);
        await write(set("a", largest));
        expect((await store.get("a"))?.value === largest).toBe(true);
      });

      it("take as many keys as fit, and no more, those of conditions included", async () => {
        const { operations } = store.limits;
        expect(operations).toBeGreaterThanOrEqual(STORE_TXN_KEYS);
        const many = Array.from({ length: operations }, (_, at) => set(`k${at}`, "1"));
        await refused([...many, set("more", "1")], `at most ${operations} keys`);
        await refused(many, `at most ${operations} keys`, [{ key: "more", version: undefined }]);
        const conditions = many.map(({ key }) => ({ key, version: undefined }));
        expect(await on(conditions, ...many)).toMatchObject({ ok: true });
      });

      it("take as many bytes as fit in one transaction, and no more", async () => {
        const { bytes } = store.limits;
        expect(bytes).toBeGreaterThanOrEqual(STORE_TXN_BYTES);
        // Each value with its key of one character.
        const quarter = "x".repeat(bytes / 4 - 1);
        const full = ["a", "b", "c", "d"].map((key) => set(key, quarter));
        await refused([...full, set("e", "")], `at most ${bytes} bytes`);
        expect(await write(...full)).toMatchObject({ ok: true });
      });

      it("refuse a key written twice, and a value that is no text", async () => {
        await refused([set("a", "1"), remove("a")], "twice");
        await refused([set("a", "\ud800")], "no text");
      });
    });
  });
}
