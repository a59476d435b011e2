import { describe, expect, it } from "vitest";
import { seededRandom } from "../kit/random.ts";
import { ADJECTIVES, CREATURES } from "./name-words.ts";
import { generateName } from "./names.ts";
import { isValidContainerName } from "./references.ts";

describe("the words", () => {
  it.each([
    ["adjectives", ADJECTIVES],
    ["creatures", CREATURES],
  ])("%s: many, plain, none twice", (_what, list) => {
    expect(list.length).toBeGreaterThanOrEqual(120);
    expect(new Set(list).size).toBe(list.length);
    expect(list.filter((word) => !/^[a-z]{3,14}$/.test(word))).toEqual([]);
  });
});

describe("generateName", () => {
  it("makes names that dockerd takes, the same from the same seed", () => {
    const random = seededRandom(1);
    const again = seededRandom(1);
    for (let i = 0; i < 100; i++) {
      const name = generateName(random, () => false);
      expect(isValidContainerName(name) && /^[a-z]+_[a-z]+$/.test(name)).toBe(true);
      expect(generateName(again, () => false)).toBe(name);
    }
  });

  it("makes far more different names than there are pairs", () => {
    const names = new Set<string>();
    const random = seededRandom(2);
    const count = 2 * ADJECTIVES.length * CREATURES.length;
    for (let i = 0; i < count; i++) names.add(generateName(random, (name) => names.has(name)));
    expect(names.size).toBe(count);
  });

  it("adds a number from the third try on", () => {
    const tried: string[] = [];
    generateName(seededRandom(3), (name) => tried.push(name) < 4);
    expect(tried.map((name) => /\d+$/.test(name))).toEqual([false, false, true, true]);
  });

  it("gives up instead of trying for ever", () => {
    expect(() => generateName(seededRandom(4), () => true)).toThrow("no free container name");
  });
});
