/** What happens to servers, and what a store's driver owes its owner all the same. The same for every real server. */
import { setTimeout } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { STORE_WATCH_CHECK_MS } from "../../../src/kit/store-limits.ts";
import type { Entry, Store } from "../../../src/store/store.ts";
import { Load } from "./load.ts";
import { isRoot, type Server, type SmallDisk } from "./server.ts";

export interface FaultBench {
  start(disk?: SmallDisk): Promise<Server>;
  open(server: Server): Promise<Store>;
  /** Enough for the server to begin, and little enough to be filled. */
  readonly diskBytes: number;
}

export function storeFaults(name: string, bench: FaultBench): void {
  describe(`${name}, under load`, () => {
    let server: Server;
    let store: Store;
    let stopWatch: () => Promise<void>;
    let watched: Map<string, string>;
    let snapshots = 0;
    let troubles: string[];

    async function begin(disk?: SmallDisk): Promise<Load> {
      server = await bench.start(disk);
      store = await bench.open(server);
      const controller = new AbortController();
      snapshots = 0;
      watched = new Map();
      troubles = [];
      const watching = store.watch(
        "load/",
        {
          snapshot(entries: readonly Entry[]) {
            snapshots++;
            watched = new Map(entries.map(({ key, value }) => [key, value]));
          },
          change: ({ key, value }) => void (value === undefined ? watched.delete(key) : watched.set(key, value)),
          trouble: (error) => void troubles.push(error.message),
        },
        controller.signal,
      );
      stopWatch = () => {
        controller.abort();
        return watching;
      };
      const load = new Load(store, "load/", disk ? { writers: 2, size: 20_000 } : {});
      await answered(load);
      return load;
    }

    /** The store takes changes. */
    async function answered(load: Load): Promise<void> {
      const before = load.done;
      await vi.waitFor(() => expect(load.done).toBeGreaterThan(before + 40));
    }

    async function failed(load: Load): Promise<void> {
      const before = load.failed;
      await vi.waitFor(() => expect(load.failed).toBeGreaterThan(before + 4));
    }

    async function end(load: Load): Promise<void> {
      await load.stop();
      const entries = await load.verify();
      expect(entries.length).toBeGreaterThan(20);
      const expected = new Map(entries.map(({ key, value }) => [key, value]));
      await vi.waitFor(() => expect(watched).toEqual(expected));
    }

    beforeEach(() => {
      stopWatch = () => Promise.resolve();
    });
    afterEach(async () => {
      await stopWatch();
      await store?.close();
      await server?.remove();
    });

    it("survives that the server is killed and started again, twice", async () => {
      const load = await begin();
      for (let round = 0; round < 2; round++) {
        const seen = snapshots;
        await server.kill();
        await failed(load);
        await server.startAgain();
        await answered(load);
        await vi.waitFor(() => expect(snapshots).toBeGreaterThan(seen));
      }
      await end(load);
      expect(troubles).not.toEqual([]);
    });

    it("has one watch for all the time when nothing happens to the server", async () => {
      const load = await begin();
      await setTimeout(STORE_WATCH_CHECK_MS * 1.5);
      await end(load);
      expect({ snapshots, troubles }).toEqual({ snapshots: 1, troubles: [] });
    });

    it("survives that the server stands still", async () => {
      const load = await begin();
      server.pause();
      await failed(load);
      server.resume();
      await answered(load);
      await end(load);
    });

    it.runIf(isRoot)("survives that the server's disk is full", async () => {
      const load = await begin({ bytes: bench.diskBytes });
      server.fillDisk();
      await failed(load);
      server.freeDisk();
      await server.kill();
      await server.startAgain();
      await answered(load);
      await end(load);
    });
  });
}
