/**
 * What every discovery driver owes its owner. Call `discoveryContract` in a test file with a way to make the driver.
 */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Discovery } from "../../src/discovery/discovery.ts";

/** One driver over a source of its own. */
export interface DiscoveryBench {
  readonly discovery: Discovery;
  /** Addresses that the source holds at first. */
  readonly entries: readonly string[];
  /** Changes the source; undefined for a driver whose source never changes. */
  readonly change: ((entries: readonly string[]) => Promise<void>) | undefined;
  /** Makes the source unreadable; undefined when it cannot be. */
  readonly breakSource: (() => Promise<void>) | undefined;
  /** Lets the driver look again (a heartbeat passes). */
  tick(): void;
  /** Timers, watchers and the like that the driver holds now. */
  held(): number;
  close(): Promise<void>;
}

/** Watches until `stop`, keeping all that was reported. */
function watch(discovery: Discovery) {
  const controller = new AbortController();
  const lists: (readonly string[])[] = [];
  const errors: Error[] = [];
  const done = discovery.watch(
    (entries) => lists.push(entries.map(({ address }) => address)),
    (error) => errors.push(error),
    controller.signal,
  );
  const stop = async () => {
    controller.abort();
    await done;
  };
  return { lists, errors, stop };
}

export function discoveryContract(name: string, make: () => Promise<DiscoveryBench>): void {
  describe(`discovery: ${name}`, () => {
    let bench: DiscoveryBench;
    beforeEach(async () => {
      bench = await make();
    });
    afterEach(async () => {
      await bench.close();
    });

    /** Until `check` passes; heartbeats go by meanwhile. */
    const eventually = (check: () => void) =>
      vi.waitFor(
        () => {
          bench.tick();
          check();
        },
        { timeout: 50_000, interval: 5 },
      );

    it("lists", async () => {
      expect((await bench.discovery.list()).map(({ address }) => address)).toEqual(bench.entries);
    });

    it("reports the whole list at once, and not again while nothing changes", async () => {
      const { lists, errors, stop } = watch(bench.discovery);
      await eventually(() => expect(lists).toEqual([bench.entries]));
      for (let i = 0; i < 5; i++) {
        bench.tick();
        await bench.discovery.list();
      }
      await stop();
      expect(lists).toEqual([bench.entries]);
      expect(errors).toEqual([]);
    });

    it("stops at the signal and holds nothing afterwards", async () => {
      const before = bench.held();
      const { lists, stop } = watch(bench.discovery);
      await eventually(() => expect(lists).toHaveLength(1));
      await stop();
      // The kernel's handles are given back a little later.
      await vi.waitFor(() => expect(bench.held()).toBe(before));
      bench.tick();
      await bench.discovery.list();
      expect(lists).toHaveLength(1);
    });

    it("says nothing when the signal was aborted before", async () => {
      const onEntries = vi.fn();
      await bench.discovery.watch(onEntries, onEntries, AbortSignal.abort());
      expect(onEntries).not.toHaveBeenCalled();
      expect(bench.held()).toBe(0);
    });

    it("serves several watchers", async () => {
      const first = watch(bench.discovery);
      const second = watch(bench.discovery);
      await eventually(() => expect([first.lists.length, second.lists.length]).toEqual([1, 1]));
      await first.stop();
      await second.stop();
    });

    it("reports changes", async () => {
      const { change } = bench;
      if (change === undefined) return;
      const { lists, stop } = watch(bench.discovery);
      await eventually(() => expect(lists).toHaveLength(1));
      for (const entries of [["x:1", "y:2"], ["y:2"], [], ["z:3"]]) {
        await change(entries);
        await eventually(() => expect(lists.at(-1)).toEqual(entries));
      }
      await stop();
    });

    it("keeps the last list when its source breaks, says so, and reports again when it is back", async () => {
      const { breakSource, change } = bench;
      if (breakSource === undefined || change === undefined) return;
      const { lists, errors, stop } = watch(bench.discovery);
      await eventually(() => expect(lists).toHaveLength(1));
      await breakSource();
      await eventually(() => expect(errors.length).toBeGreaterThan(0));
      expect(lists).toEqual([bench.entries]);
      await expect(bench.discovery.list()).rejects.toThrow();
      await change(bench.entries);
      await eventually(() => expect(lists).toEqual([bench.entries, bench.entries]));
      await stop();
    });
  });
}
