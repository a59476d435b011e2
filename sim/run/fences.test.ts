/** Nodes whose agents have fences, and many nodes that vanish at once, in the simulator: a number of seeds hold. */
import { describe, expect, it } from "vitest";
import { SCENES } from "./scenes.ts";
import { play } from "./world.ts";

const SEEDS = process.env.SHOAL_FULL === "1" ? 1_000 : 15;

async function holds(scene: string): Promise<{ readonly created: number; readonly moved: number }> {
  let created = 0;
  let moved = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const plan = SCENES[scene]?.(seed);
    if (!plan) throw new Error("no such scene");
    const { violations, ...told } = await play(plan);
    expect({ seed, violations }).toEqual({ seed, violations: [] });
    created += told.created;
    moved += told.moved;
  }
  return { created, moved };
}

describe("lost nodes", () => {
  it(`that have fences run nothing that runs elsewhere, in ${SEEDS} seeds`, async () => {
    const { created, moved } = await holds("fences");
    // Where nothing moves no fence is needed.
    expect(created).toBeGreaterThan(SEEDS * 3);
    expect(moved).toBeGreaterThan(SEEDS / 3);
  }, 3_600_000);

  it(`of which most vanish at once keep what they ran, in ${SEEDS} seeds`, async () => {
    const { created, moved } = await holds("blackouts");
    expect(created).toBeGreaterThan(SEEDS * 8);
    expect(moved).toBe(0);
  }, 3_600_000);
});
