/** Chance as the fuzzer draws it: small helpers over a seeded source, so that a seed and an index give one input. */
import { pick, type Random, seededRandom } from "../../src/kit/random.ts";

export interface Chance extends Random {
  /** True in `percent` of a hundred draws. */
  often(percent: number): boolean;
  one<T>(list: readonly T[]): T;
  /** A whole number in [from, to]. */
  between(from: number, to: number): number;
}

/** The source of input number `index` under `seed`. */
export function chanceOf(seed: number, index: number): Chance {
  // Neighbouring numbers must not give neighbouring streams.
  const random = seededRandom(Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(index + 1, 0xc2b2ae35));
  return {
    ...random,
    often: (percent) => random.int(100) < percent,
    one: (list) => pick(random, list),
    between: (from, to) => from + random.int(to - from + 1),
  };
}
