/** Who leads: one of several at a time. */
import { describe, expect, it } from "vitest";
import { systemClock } from "../../kit/clock.ts";
import { silentLog } from "../../kit/log.ts";
import { seededRandom } from "../../kit/random.ts";
import { MemoryStore, MemoryStoreData } from "../../store/drivers/memory.ts";
import { Election } from "./election.ts";

function candidate(data: MemoryStoreData, address: string): Election {
  const parts = {
    clock: systemClock,
    random: seededRandom(1),
    log: silentLog,
    ttlMs: 200,
    isMaster: false,
    changed: () => {},
  };
  return new Election({ ...parts, store: new MemoryStore(data), address });
}

const ended = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));

describe("an election", () => {
  it("makes one lead, and the other one when that has ended", async () => {
    const data = new MemoryStoreData();
    const [first, second] = [new AbortController(), new AbortController()];
    const [a, b] = [candidate(data, "a:1"), candidate(data, "b:1")];
    let leading = 0;
    const elected: string[] = [];
    const lead = (name: string, until: AbortSignal) => async (): Promise<void> => {
      expect(++leading).toBe(1);
      elected.push(name);
      if (elected.length === 1) first.abort();
      else second.abort();
      if (!until.aborted) await ended(until);
      leading--;
    };
    const following = Promise.all([a.follow(first.signal), b.follow(second.signal)]);
    await a.campaign(lead("a", first.signal), first.signal);
    await b.campaign(lead("b", second.signal), second.signal);
    await following;
    expect(elected).toEqual(["a", "b"]);
  });
});
