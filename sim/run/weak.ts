/** Searches for the first seed that fails with a protection switched off, and holds with it. */
import { planOf } from "./plan.ts";
import { PROTECTIONS } from "./protections.ts";
import { SCENES } from "./scenes.ts";
import { play, type Violation } from "./world.ts";

export interface Catch {
  readonly seed: number;
  readonly violation: Violation;
}

/** @returns undefined when none of `seeds` seeds fails */
export async function catchWithout(name: string, seeds: number): Promise<Catch | undefined> {
  const protection = PROTECTIONS[name];
  if (!protection) throw new Error(`no protection is called ${name}: ${Object.keys(PROTECTIONS).join(", ")}`);
  const makePlan = SCENES[protection.scene ?? ""] ?? planOf;
  for (let seed = 1; seed <= seeds; seed++) {
    const plan = makePlan(seed);
    const [violation] = (await play(plan, { weakness: protection.off })).violations;
    // Nothing but the missing protection may be to blame.
    if (violation && (await play(plan)).violations.length === 0) return { seed, violation };
  }
  return undefined;
}
