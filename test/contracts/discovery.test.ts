/** The discovery drivers against their contract. */
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { FileDiscovery } from "../../src/discovery/file.ts";
import { hubAddress } from "../../src/discovery/hub/address.ts";
import { HubClient } from "../../src/discovery/hub/client.ts";
import { HubDiscovery } from "../../src/discovery/hub/discovery.ts";
import { nodesDiscovery } from "../../src/discovery/nodes.ts";
import { CLASSIC_PATH, StoredDiscovery } from "../../src/discovery/stored.ts";
import { openTestHub } from "../../src/hub/testing.ts";
import { type Clock, sleepWith, systemClock } from "../../src/kit/clock.ts";
import { MemoryStore, MemoryStoreData } from "../../src/store/drivers/memory.ts";
import { discoveryContract } from "./discovery.ts";

/** Timers fire when the test says so. */
class HandClock implements Clock {
  readonly #timers = new Set<() => void>();
  now = () => 0;
  monotonic = () => 0;
  after(_ms: number, fn: () => void) {
    const fire = () => {
      this.#timers.delete(fire);
      fn();
    };
    this.#timers.add(fire);
    return { cancel: () => void this.#timers.delete(fire) };
  }
  sleep = (ms: number, signal?: AbortSignal) => sleepWith(this, ms, signal);
  get pending(): number {
    return this.#timers.size;
  }
  fireAll(): void {
    for (const fire of [...this.#timers]) fire();
  }
}

/** Watches on directories that this process holds. */
const directoryWatches = () => process.getActiveResourcesInfo().filter((name) => name === "FSEventWrap").length;

async function fileBench(write: (path: string, text: string) => Promise<void>) {
  const directory = await mkdtemp(join(tmpdir(), "shoal-discovery-"));
  const path = join(directory, "cluster");
  const clock = new HandClock();
  const entries = ["a:2375", "10.0.0.1:2375", "10.0.0.2:2375"];
  await writeFile(path, "# the fleet\n\na   # the first\r\n10.0.0.[1:2]:2375\na:2375\n");
  return {
    path,
    clock,
    discovery: new FileDiscovery(`file://${path}`, path, clock, 60_000),
    entries,
    change: (list: readonly string[]) => write(path, list.map((entry) => `${entry}\n`).join("")),
    breakSource: () => rm(path),
    tick: () => clock.fireAll(),
    held: () => clock.pending + directoryWatches(),
    close: () => rm(directory, { recursive: true }),
  };
}

const replace = async (path: string, text: string) => {
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
};

discoveryContract("nodes", async () => ({
  discovery: nodesDiscovery("nodes://a,b:1", "a,b:1"),
  entries: ["a:2375", "b:1"],
  change: undefined,
  breakSource: undefined,
  tick() {},
  held: () => 0,
  close: async () => {},
}));

/** Records in a store, as a node after another registers; whole lists are what the contract changes. */
async function storedBench() {
  const data = new MemoryStoreData();
  const clock = new HandClock();
  const store = new MemoryStore(data);
  const discovery = new StoredDiscovery({ url: "memory://", store, clock, path: CLASSIC_PATH });
  const write = async (addresses: readonly string[]): Promise<void> => {
    data.restore(addresses.map((address) => ({ key: `${CLASSIC_PATH}/${address}`, value: address })));
  };
  const entries = ["10.0.0.1:2375", "10.0.0.2:2375", "a:2375"];
  await write(entries);
  return {
    discovery,
    entries,
    change: write,
    breakSource: undefined,
    tick: () => clock.fireAll(),
    held: () => clock.pending,
    close: () => discovery.close(),
  };
}

/** A cluster at a hub. */
async function hubBench() {
  const hub = await openTestHub({ store: "memory://" });
  const clock = new HandClock();
  const created = await hub.fetch("/v1/clusters", { method: "POST", token: hub.adminToken });
  const address = hubAddress(`${hub.url}/v1/clusters/${await created.text()}`, {});
  // The deadlines of calls are the system's: only heartbeats pass by hand.
  const discovery = new HubDiscovery(hub.url, new HubClient(address, systemClock), clock, 60_000);
  const there = new Set<string>();
  const change = async (addresses: readonly string[]): Promise<void> => {
    for (const gone of [...there].filter((one) => !addresses.includes(one))) {
      await discovery.registry.withdraw(gone);
      there.delete(gone);
    }
    for (const one of addresses) {
      await discovery.registry.register({ address: one, id: "0123456789abcdef", ttlMs: 60_000, beat: 1 });
      there.add(one);
    }
  };
  const entries = ["10.0.0.1:2375", "10.0.0.2:2375"];
  await change(entries);
  return {
    discovery,
    entries,
    change: undefined,
    breakSource: undefined,
    tick: () => clock.fireAll(),
    held: () => clock.pending,
    async close() {
      await discovery.close();
      await hub.close();
    },
  };
}

discoveryContract("records in a store", storedBench);
discoveryContract("a cluster at a hub", hubBench);
discoveryContract("file, written in place", () => fileBench((path, text) => writeFile(path, text)));
discoveryContract("file, replaced by rename", () => fileBench(replace));

describe("a watched file", () => {
  it("is read again on the kernel's word, long before the heartbeat", async () => {
    const { discovery, change, close, clock } = await fileBench(replace);
    const lists: (readonly string[])[] = [];
    const controller = new AbortController();
    const done = discovery.watch(
      (list) => lists.push(list.map(({ address }) => address)),
      () => {},
      controller.signal,
    );
    await vi.waitFor(() => expect(clock.pending).toBe(1));
    await change(["x:1"]);
    // The heartbeat and, because the directory reported a change, the short wait for the writer.
    await vi.waitFor(() => expect(clock.pending).toBe(2), { timeout: 50_000 });
    clock.fireAll();
    await vi.waitFor(() => expect(lists.at(-1)).toEqual(["x:1"]));
    controller.abort();
    await done;
    await close();
  });

  it("may come into being later, together with its directory", async () => {
    const { path, clock, close, tick } = await fileBench(replace);
    const later = join(`${path}.d`, "cluster");
    const discovery = new FileDiscovery(`file://${later}`, later, clock, 60_000);
    const errors: Error[] = [];
    const lists: (readonly string[])[] = [];
    const controller = new AbortController();
    const done = discovery.watch(
      (list) => lists.push(list.map(({ address }) => address)),
      (error) => errors.push(error),
      controller.signal,
    );
    await vi.waitFor(() => expect(errors[0]?.message).toContain(`discovery file ${later} cannot be read: ENOENT`));
    await mkdir(`${path}.d`);
    await writeFile(later, "a");
    await vi.waitFor(() => {
      tick();
      expect(lists).toEqual([["a:2375"]]);
    });
    controller.abort();
    await done;
    await close();
  });

  it("with a bad line is refused whole, naming file and entry", async () => {
    const { discovery, path, close } = await fileBench(replace);
    await writeFile(path, "a\nb:x\n");
    await expect(discovery.list()).rejects.toThrow(`discovery file ${path}: bad port in discovery entry "b:x"`);
    await writeFile(path, "a".repeat((1 << 20) + 1));
    await expect(discovery.list()).rejects.toThrow("is larger than");
    await close();
  });

  it("that is a directory cannot be read", async () => {
    const { clock, close, path } = await fileBench(replace);
    await expect(new FileDiscovery("file:///", "/", clock, 1).list()).rejects.toThrow(
      "discovery file / cannot be read: it is not a plain file",
    );
    expect(path).not.toBe("/");
    await close();
  });
});
