import { describe, expect, it } from "vitest";
import { age, bytes, cpus } from "./human.ts";

const SECOND = 1000;
const HOUR = 3600 * SECOND;
const DAY = 24 * HOUR;

describe("age", () => {
  it.each([
    [400, "Less than a second"],
    [1500, "1 second"],
    [59 * SECOND, "59 seconds"],
    [90 * SECOND, "About a minute"],
    [59 * 60 * SECOND, "59 minutes"],
    [HOUR, "About an hour"],
    [47 * HOUR, "47 hours"],
    [3 * DAY, "3 days"],
    [15 * DAY, "2 weeks"],
    [90 * DAY, "3 months"],
    [800 * DAY, "2 years"],
  ])("%d ms is %s", (ms, text) => {
    expect(age(ms)).toBe(text);
  });
});

describe("sizes", () => {
  it("have at most three digits", () => {
    expect([0, 512, 1 << 30, 2.1 * 2 ** 30, 1023 * 2 ** 20].map(bytes)).toEqual([
      "0B",
      "512B",
      "1GiB",
      "2.1GiB",
      "0.999GiB",
    ]);
    expect([1e9, 3.5e8, 123_456_789].map(cpus)).toEqual(["1", "0.35", "0.12"]);
  });
});
