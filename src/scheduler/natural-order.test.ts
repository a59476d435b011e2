import fc from "fast-check";
import { expect, it } from "vitest";
import { compareNatural } from "./natural-order.ts";

it("puts node-2 before node-10", () => {
  const names = ["node-10", "node-2", "node-1", "db", "node-02", "node", "node-1a", "n0de"];
  expect(names.sort(compareNatural)).toEqual([
    "db",
    "n0de",
    "node",
    "node-1",
    "node-1a",
    "node-02",
    "node-2",
    "node-10",
  ]);
});

it("is a total order", () => {
  const name = fc.array(fc.constantFrom("a", "b", "-", "0", "1", "2"), { maxLength: 5 }).map((chars) => chars.join(""));
  fc.assert(
    fc.property(name, name, name, (a, b, c) => {
      expect(Math.sign(compareNatural(a, b))).toBe(Math.sign(-compareNatural(b, a)) || 0);
      expect(compareNatural(a, b) === 0).toBe(a === b);
      if (compareNatural(a, b) <= 0 && compareNatural(b, c) <= 0) expect(compareNatural(a, c)).toBeLessThanOrEqual(0);
    }),
    { numRuns: 3000 },
  );
});
