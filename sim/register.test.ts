/** How a manager tells a hub of itself, and hears of promotions there. */
import { describe, expect, it } from "vitest";
import type { ManagerRegistration, ManagerRegistry, Promotion } from "../src/discovery/discovery.ts";
import { type Logger, silentLog } from "../src/kit/log.ts";
import { MANAGER_BEAT_MS } from "../src/kit/replica-limits.ts";
import { keepRegistered, type Self } from "../src/manager/register.ts";
import { SimClock } from "./clock.ts";

function world() {
  const clock = new SimClock();
  const said: string[] = [];
  const note = (message: string): void => void said.push(message);
  const log: Logger = { ...silentLog, info: note, warn: note };
  const sent: ManagerRegistration[] = [];
  const hub: { promotion: Promotion | undefined; trouble: string | undefined } = {
    promotion: undefined,
    trouble: undefined,
  };
  const registry: ManagerRegistry = {
    async register(registration) {
      if (hub.trouble !== undefined) throw new Error(hub.trouble);
      sent.push(registration);
      return hub.promotion;
    },
  };
  const stop = new AbortController();
  const run = (self: Self) => keepRegistered({ self, registry, clock, log, cluster: () => undefined }, stop.signal);
  return { clock, said, sent, hub, stop, run };
}

describe("a manager at a hub", () => {
  it("tells what it is with each sign of life, and hears of promotions", async () => {
    const { clock, sent, hub, stop, run } = world();
    const promoted: Promotion[] = [];
    let role: "primary" | "replica" = "replica";
    const done = run({
      address: "m:1",
      state: () => ({ role, isMaster: false }),
      promoted: async (promotion) => void promoted.push(promotion),
    });
    await clock.advance(0);
    expect(sent).toMatchObject([{ address: "m:1", ttlMs: 15_000, manager: { role: "replica", isMaster: false } }]);
    hub.promotion = { id: "one", address: "m:1" };
    role = "primary";
    await clock.advance(MANAGER_BEAT_MS);
    expect(promoted).toEqual([hub.promotion]);
    expect(sent.at(-1)?.manager.role).toBe("primary");
    stop.abort();
    await done;
  });

  it("says once that it cannot be registered, and that it is again", async () => {
    const { clock, said, hub, stop, run } = world();
    hub.trouble = "hub h: no such cluster";
    const done = run({ address: "m:1", state: () => ({ role: "primary", isMaster: false }), promoted: async () => {} });
    await clock.advance(10 * MANAGER_BEAT_MS);
    hub.trouble = undefined;
    await clock.advance(10 * MANAGER_BEAT_MS);
    expect(said).toEqual(["this manager cannot be registered", "this manager is registered again"]);
    stop.abort();
    await done;
  });

  it("that nobody can reach is not told of", async () => {
    const { sent, run } = world();
    await run({ address: undefined, state: () => ({ role: "primary", isMaster: false }), promoted: async () => {} });
    expect(sent).toEqual([]);
  });
});
