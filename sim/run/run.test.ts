/** The simulator itself: it replays, it shrinks, and a number of seeds hold. `npm run sim` plays more. */
import { describe, expect, it } from "vitest";
import type { Weakness } from "./open-cluster.ts";
import { planOf } from "./plan.ts";
import { SCENES } from "./scenes.ts";
import { shrink } from "./shrink.ts";
import { play } from "./world.ts";

const FULL = process.env.SHOAL_FULL === "1";
const SEEDS = FULL ? 3_000 : 200;
/** Of each scene with networks, volumes and projects. */
const OBJECT_SEEDS = FULL ? 1_000 : 50;

describe("a seed", () => {
  it("gives the same trace to the last line, whatever was played before", async () => {
    const first = await play(planOf(7));
    await play(planOf(8));
    const lines: string[] = [];
    const again = await play(planOf(7), { sink: (line) => lines.push(line) });
    expect(again.hash).toBe(first.hash);
    expect(lines.length).toBe(first.lines);
    expect((await play(planOf(8))).hash).not.toBe(first.hash);
  }, 600_000);

  it("that fails is made small, and still fails", async () => {
    // A manager that counts nothing.
    const weakness: Weakness = {
      cluster({ ledger }) {
        ledger.fits = () => true;
      },
    };
    for (let seed = 1; ; seed++) {
      const plan = planOf(seed);
      const { violations } = await play(plan, { weakness });
      if (!violations.some(({ rule }) => rule === "capacity")) continue;
      const small = await shrink(plan, "capacity", { weakness });
      expect(small.plan.items.length).toBeLessThan(plan.items.length);
      expect((await play(small.plan, { weakness })).violations.map(({ rule }) => rule)).toContain("capacity");
      return;
    }
  }, 600_000);
});

describe("whatever clients do and engines suffer", () => {
  it(`nothing is lost, twice or harmed in ${SEEDS} seeds`, async () => {
    let created = 0;
    let crashes = 0;
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { violations, ...told } = await play(planOf(seed));
      expect({ seed, violations }).toEqual({ seed, violations: [] });
      created += told.created;
      crashes += told.crashes;
    }
    // A simulator in which nothing happens finds nothing.
    expect(created).toBeGreaterThan(SEEDS * 3);
    expect(crashes).toBeGreaterThan(SEEDS / 4);
  }, 3_600_000);

  it.each(["projects", "open objects"])(
    `networks, volumes and groups stay whole in ${OBJECT_SEEDS} seeds of the scene «%s»`,
    async (scene) => {
      let objects = 0;
      for (let seed = 1; seed <= OBJECT_SEEDS; seed++) {
        const plan = SCENES[scene]?.(seed);
        if (!plan) throw new Error(`no scene ${scene}`);
        const { violations, ...told } = await play(plan);
        expect({ seed, violations }).toEqual({ seed, violations: [] });
        objects += told.objects;
      }
      expect(objects).toBeGreaterThan(OBJECT_SEEDS * 3);
    },
    3_600_000,
  );

  it(`what ran on lost hosts goes on elsewhere, once, in ${OBJECT_SEEDS} seeds of the scene «lost hosts»`, async () => {
    let moved = 0;
    // Those beyond found something once.
    const seeds = [...Array.from({ length: OBJECT_SEEDS }, (_, n) => n + 1), 100, 113, 176];
    for (const seed of seeds) {
      const plan = SCENES["lost hosts"]?.(seed);
      if (!plan) throw new Error("no such scene");
      const { violations, ...told } = await play(plan);
      expect({ seed, violations }).toEqual({ seed, violations: [] });
      moved += told.moved;
    }
    expect(moved).toBeGreaterThan(OBJECT_SEEDS / 4);
  }, 3_600_000);
});
