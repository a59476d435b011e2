import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { percent, withOvercommit } from "./overcommit.ts";

const safe = fc.integer({ min: 0, max: 2 ** 52 });

describe("withOvercommit", () => {
  it.each([
    [1e9, 0.05, 1.05e9],
    [2 * 2 ** 30, 0.05, 2254857830],
    [19, 0.05, 19],
    [20, 0.05, 21],
    [100, -0.25, 75],
    [3, -0.5, 1],
    [0, 0.05, 0],
  ])("%d with %d is %d", (total, ratio, expected) => {
    expect(withOvercommit(total, ratio)).toBe(expected);
  });

  it("is exact", () => {
    fc.assert(
      fc.property(safe, fc.integer({ min: -99, max: 100 }), (total, hundredths) => {
        const exact = (BigInt(total) * BigInt(100 + hundredths)) / 100n;
        fc.pre(exact <= BigInt(Number.MAX_SAFE_INTEGER));
        expect(BigInt(withOvercommit(total, hundredths / 100))).toBe(exact);
      }),
    );
  });
});

describe("percent", () => {
  it("is Go's integer division wherever the answer is a safe integer", () => {
    fc.assert(
      fc.property(safe, fc.integer({ min: 1, max: 2 ** 52 }), (used, total) => {
        const exact = (BigInt(used) * 100n) / BigInt(total);
        fc.pre(exact <= BigInt(Number.MAX_SAFE_INTEGER));
        expect(BigInt(percent(used, total))).toBe(exact);
      }),
    );
    expect(percent(5, 0)).toBe(100);
  });
});
