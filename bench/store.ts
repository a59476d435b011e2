/**
 * Transactions of a store: in memory against in a file, one writer against many, and how many share one sync.
 *
 *   store [--seconds 3] [--rounds 5] [--writers 64] [--quick] [--store etcd://host:port/path …]
 *
 * Stores that other machines keep take part when they are named; what they hold below their path is written over.
 * Each writer waits for its transaction (one key of many, 400 bytes) before the next. Cases alternate; medians of rounds.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { systemClock } from "../src/kit/clock.ts";
import { silentLog } from "../src/kit/log.ts";
import { systemRandom } from "../src/kit/random.ts";
import type { Disk } from "../src/store/drivers/file/disk.ts";
import { FileStore } from "../src/store/drivers/file/file-store.ts";
import { systemDisk } from "../src/store/drivers/file/system-disk.ts";
import { MemoryStore } from "../src/store/drivers/memory.ts";
import { openStore } from "../src/store/open.ts";
import type { Store } from "../src/store/store.ts";
import { figure, median, table } from "./stats.ts";

const KEYS = 10_000;
const VALUE = "x".repeat(400);

interface Case {
  readonly name: string;
  readonly store: Store;
  readonly writers: number;
  /** One value a round. */
  readonly perSecond: number[];
  readonly perSync: number[];
}

/** The machine's disk, with its syncs of files counted. */
function countingDisk(): { readonly disk: Disk; syncs: number } {
  const counter = {
    syncs: 0,
    disk: {
      ...systemDisk,
      create: async (path: string) => {
        const file = await systemDisk.create(path);
        const sync = (): Promise<void> => {
          counter.syncs++;
          return file.sync();
        };
        return { append: file.append, close: file.close, sync };
      },
    },
  };
  return counter;
}

/** Transactions done within so many milliseconds, and how long they really took. */
async function write(store: Store, writers: number, ms: number): Promise<{ done: number; seconds: number }> {
  const from = systemClock.monotonic();
  let done = 0;
  const writer = async (): Promise<void> => {
    while (systemClock.monotonic() - from < ms) {
      await store.txn({ conditions: [], writes: [{ key: `containers/${done++ % KEYS}`, value: VALUE }] });
    }
  };
  await Promise.all(Array.from({ length: writers }, writer));
  return { done, seconds: (systemClock.monotonic() - from) / 1000 };
}

async function compare(ms: number, rounds: number, writers: number, urls: readonly string[]): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "shoal-bench-"));
  const counter = countingDisk();
  const memory = new MemoryStore();
  const file = await FileStore.open(directory, { clock: systemClock, log: silentLog, disk: counter.disk });
  const cases: Case[] = [
    { name: "memory, 1 writer", store: memory, writers: 1, perSecond: [], perSync: [] },
    { name: `memory, ${writers} writers`, store: memory, writers, perSecond: [], perSync: [] },
    { name: "file, 1 writer", store: file, writers: 1, perSecond: [], perSync: [] },
    { name: `file, ${writers} writers`, store: file, writers, perSecond: [], perSync: [] },
  ];
  for (const url of urls) {
    const store = await openStore(url, { clock: systemClock, random: systemRandom, log: silentLog });
    const name = url.slice(0, url.indexOf(":"));
    for (const count of [1, writers]) {
      const words = count === 1 ? "1 writer" : `${count} writers`;
      cases.push({ name: `${name}, ${words}`, store, writers: count, perSecond: [], perSync: [] });
    }
  }
  try {
    for (let round = -1; round < rounds; round++) {
      console.error(round < 0 ? "warming up" : `round ${round + 1} of ${rounds}`);
      for (const one of cases) {
        const before = counter.syncs;
        const { done, seconds } = await write(one.store, one.writers, ms);
        if (round < 0) continue;
        one.perSecond.push(done / seconds);
        one.perSync.push(done / (counter.syncs - before));
      }
    }
  } finally {
    await Promise.all([...new Set(cases.map(({ store }) => store))].map((store) => store.close()));
    await rm(directory, { recursive: true });
  }
  const single = median(cases[2]?.perSecond ?? []);
  const rows = cases.map(({ name, perSecond, perSync }) => [
    name,
    figure(median(perSecond)),
    figure(median(perSecond) / single),
    perSync.every(Number.isFinite) ? figure(median(perSync)) : "",
  ]);
  console.log(table(["transactions", "per second", "ratio to file, 1 writer", "per sync"], rows));
}

export async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seconds: { type: "string", default: "3" },
      rounds: { type: "string" },
      writers: { type: "string", default: "64" },
      quick: { type: "boolean", default: false },
      store: { type: "string", multiple: true, default: [] },
    },
  });
  const rounds = Number(values.rounds ?? (values.quick ? 3 : 5));
  await compare(Number(values.seconds) * 1000, rounds, Number(values.writers), values.store);
}
