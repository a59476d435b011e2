/**
 * Randomness: the only place that draws it. Everything random takes a `Random`, so that a seed replays a run.
 */
import { randomBytes, randomInt } from "node:crypto";

export interface Random {
  /** A whole number in [0, below). */
  int(below: number): number;
  /** `bytes` random bytes as lower-case hexadecimal. */
  hex(bytes: number): string;
}

export const systemRandom: Random = {
  int: (below) => randomInt(below),
  hex: (bytes) => randomBytes(bytes).toString("hex"),
};

/** A repeatable source for tests and the simulator (mulberry32; never for identities outside of them). */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return {
    int: (below) => Math.floor(next() * below),
    hex: (bytes) =>
      Array.from({ length: bytes }, () =>
        Math.floor(next() * 256)
          .toString(16)
          .padStart(2, "0"),
      ).join(""),
  };
}

/** One element of a list that is not empty. */
export function pick<T>(random: Random, list: readonly T[]): T {
  const value = list[random.int(list.length)];
  if (value === undefined) throw new RangeError("pick from an empty list");
  return value;
}
