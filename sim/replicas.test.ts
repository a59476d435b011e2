/** One manager of several, through its elections. */
import { describe, expect, it } from "vitest";
import { noLeader } from "../src/api/by-leader.ts";
import { silentLog } from "../src/kit/log.ts";
import { seededRandom } from "../src/kit/random.ts";
import { Face } from "../src/manager/face.ts";
import { type ReplicaParts, replicate, type Succession } from "../src/manager/replica/replicate.ts";
import { MemoryStore } from "../src/store/drivers/memory.ts";
import { StoreError } from "../src/store/store.ts";
import { SimClock } from "./clock.ts";
import { HOST, World } from "./cluster/world.ts";

/** @param lead what its leaderships do, one after the other; the last one lasts */
function elected(lead: readonly ((succession: Succession) => Promise<void>)[]) {
  const clock = new SimClock();
  const stop = new AbortController();
  let terms = 0;
  const parts: ReplicaParts = {
    store: new MemoryStore(),
    clock,
    random: seededRandom(1),
    host: HOST,
    log: silentLog,
    face: new Face([]),
    address: "10.0.0.1:2375",
    ttlMs: 3_000,
    openWire: () => {
      throw noLeader();
    },
    discovery: {
      url: "",
      registry: undefined,
      fences: undefined,
      watch: async () => {},
      list: async () => [],
      close: async () => {},
    },
    openFollower: () => {
      throw noLeader();
    },
    lead: (_store, lease, until, succession) => {
      terms = lease.term;
      return (
        lead[terms - 1]?.(succession) ?? new Promise((resolve) => until.addEventListener("abort", () => resolve()))
      );
    },
  };
  const ended = replicate(parts, stop.signal, stop.signal).then(
    () => "ended",
    (error: unknown) => String(error),
  );
  return { clock, stop, ended, terms: () => terms };
}

describe("a manager that is elected", () => {
  it("and then cannot read the store stands again when it is back", async () => {
    const { clock, stop, ended, terms } = elected([() => Promise.reject(new StoreError("the connection broke"))]);
    await clock.advance(5_000);
    expect(terms()).toBe(2);
    stop.abort();
    await clock.advance(5_000);
    expect(await ended).toBe("ended");
  });

  it("goes on with its cluster, which changes nothing more, and with none that answered nobody yet", async () => {
    for (const ready of [true, false]) {
      const world = await World.open({ nodes: 1 });
      const { clock, stop, ended } = elected([
        async (succession) => {
          if (ready) await succession.ready();
          await succession.heir(world.cluster);
        },
      ]);
      const [node] = world.cluster.nodes.values();
      await clock.advance(1_000);
      await world.until("it stands down", () => !world.cluster.leads);
      expect(node?.state).toBe(ready ? "healthy" : "disconnected");
      stop.abort();
      await clock.advance(5_000);
      expect(await ended).toBe("ended");
      await world.close();
    }
  });

  it("and finds a store that it must not touch ends", async () => {
    const { clock, ended } = elected([() => Promise.reject(new Error("the store has format 2"))]);
    await clock.advance(5_000);
    expect(await ended).toContain("format 2");
  });
});
