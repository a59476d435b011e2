/** Discovery by records in each real store: the contract, nodes that join and fall silent, and a store that is away. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { runAgent } from "../../src/agent/run.ts";
import type { Discovery, Entry, Registry } from "../../src/discovery/discovery.ts";
import { openDiscovery } from "../../src/discovery/open.ts";
import { systemClock } from "../../src/kit/clock.ts";
import { type Logger, silentLog } from "../../src/kit/log.ts";
import { discoveryContract } from "../contracts/discovery.ts";
import { sleep } from "../e2e/support/exec.ts";
import { Server } from "./support/server.ts";
import { STORES } from "./support/stores.ts";

const ID = "0123456789abcdef";
const HEARTBEAT_MS = 1_000;
/** Long enough for a heartbeat on a busy machine, where a node must not be lost. */
const TTL_MS = 3_000;
const SHORT_MS = 1_500;

interface Enrolled {
  readonly labels?: Readonly<Record<string, string>>;
  readonly ttlMs?: number;
  readonly log?: Logger;
}

describe.each(STORES)("discovery in $scheme", ({ scheme, program }) => {
  let server: Server;
  let paths = 0;
  beforeAll(async () => {
    server = await Server.start(await program());
  });
  afterAll(() => server?.remove());

  const next = (): string => `${scheme}://${server.address}/cluster/${++paths}`;

  discoveryContract(scheme, async () => {
    const discovery = await open(next());
    const registry = registryOf(discovery);
    let there: readonly string[] = [];
    const change = async (addresses: readonly string[]): Promise<void> => {
      await server.startAgain();
      for (const address of there) if (!addresses.includes(address)) await registry.withdraw(address);
      for (const address of addresses) await registry.register({ address, id: ID, ttlMs: 600_000, beat: 1 });
      there = addresses;
    };
    const entries = ["10.0.0.1:2375", "10.0.0.2:2375"];
    await change(entries);
    return {
      discovery,
      entries,
      change,
      breakSource: () => server.kill(),
      tick() {},
      held: () => 0,
      close: () => discovery.close(),
    };
  });

  describe("with agents", () => {
    let states: string;
    let url: string;
    let lists: (readonly Entry[])[];
    const ends: (() => Promise<void>)[] = [];
    beforeEach(async () => {
      states = mkdtempSync(join(tmpdir(), "shoal-agents-"));
      url = next();
      lists = [];
      const discovery = await open(url);
      const watching = new AbortController();
      const done = discovery.watch(
        (entries) => lists.push(entries),
        () => {},
        watching.signal,
      );
      ends.push(async () => {
        watching.abort();
        await done;
        await discovery.close();
      });
    });
    afterEach(async () => {
      await Promise.all(ends.splice(0).map((end) => end()));
      rmSync(states, { recursive: true, force: true });
    });

    /** @param state of its directory */
    function enrol(state: string, advertise: string, { labels = {}, ttlMs = TTL_MS, log = silentLog }: Enrolled = {}) {
      const stopping = new AbortController();
      const running = runAgent(
        {
          discovery: url,
          discoveryOptions: {},
          hub: { url: undefined },
          advertise,
          heartbeatMs: HEARTBEAT_MS,
          ttlMs,
          delayMs: 0,
          name: undefined,
          labels,
          stateDir: join(states, state),
        },
        log,
        stopping.signal,
      );
      const stop = async (): Promise<void> => {
        stopping.abort();
        await running;
      };
      ends.push(stop);
      return stop;
    }
    const listed = (expected: readonly object[]) => vi.waitFor(() => expect(lists.at(-1)).toMatchObject(expected));

    it("lists a node under its ID at another address, and loses it with its record when it beats no more", async () => {
      const leave = enrol("one", "10.0.0.1:2375", { labels: { storage: "ssd" } });
      await listed([{ address: "10.0.0.1:2375", labels: { storage: "ssd" } }]);
      const id = lists.at(-1)?.[0]?.id;
      await leave();
      const leaveAgain = enrol("one", "10.0.0.9:2375", { labels: { storage: "disk" }, ttlMs: SHORT_MS });
      await listed([{ address: "10.0.0.9:2375", id, labels: { storage: "disk" } }]);
      await leaveAgain();
      await vi.waitFor(async () => {
        expect(lists.at(-1)).toEqual([]);
        const once = await open(url);
        expect(await once.list().finally(() => once.close())).toEqual([]);
      });
    });

    it("keeps a node while the store is away for longer than its time to live, and hears it again afterwards", async () => {
      const said: string[] = [];
      enrol("one", "10.0.0.1:2375", { log: noting(said) });
      await listed([{ address: "10.0.0.1:2375" }]);
      await server.kill();
      await vi.waitFor(() => expect(said).toContain("cannot register"));
      await sleep(TTL_MS);
      await server.startAgain();
      await vi.waitFor(() => expect(said.filter((message) => message === "registered")).toHaveLength(2));
      enrol("two", "10.0.0.2:2375");
      await listed([{ address: "10.0.0.1:2375" }, { address: "10.0.0.2:2375" }]);
      const first = lists.findIndex((entries) => entries.length > 0);
      expect(lists.slice(first).every((entries) => entries.length > 0)).toBe(true);
    });
  });
});

const open = (url: string): Promise<Discovery> =>
  openDiscovery(url, { clock: systemClock, log: silentLog, heartbeatMs: 60_000 });

function registryOf({ registry }: Discovery): Registry {
  if (!registry) throw new Error("no registry");
  return registry;
}

/** Keeps what is said. */
function noting(said: string[]): Logger {
  const note = (message: string): void => void said.push(message);
  const log: Logger = { debug: note, info: note, warn: note, error: note, with: () => log };
  return log;
}
