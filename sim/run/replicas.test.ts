/** Several managers over one store, in the simulator: their scene replays, and a number of its seeds hold. */
import { describe, expect, it } from "vitest";
import { type Plan, planOf } from "./plan.ts";
import { SCENES } from "./scenes.ts";
import { play } from "./world.ts";

const SEEDS = process.env.SHOAL_FULL === "1" ? 1_000 : 40;

function replicas(seed: number): Plan {
  const plan = SCENES.replicas?.(seed);
  if (!plan) throw new Error("no such scene");
  return plan;
}

describe("several managers", () => {
  it("give the same trace to the last line, whatever was played before", async () => {
    const first = await play(replicas(8));
    await play(planOf(8));
    expect((await play(replicas(8))).hash).toBe(first.hash);
  }, 600_000);

  it(`are as one in ${SEEDS} seeds`, async () => {
    let created = 0;
    let terms = 0;
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { violations, ...told } = await play(replicas(seed));
      expect({ seed, violations }).toEqual({ seed, violations: [] });
      created += told.created;
      terms += told.terms;
    }
    // A scene in which nobody is elected finds nothing.
    expect(created).toBeGreaterThan(SEEDS * 3);
    expect(terms).toBeGreaterThan(SEEDS * 2);
  }, 3_600_000);
});
