import { describe, expect, it } from "vitest";
import { parseGoDuration } from "./go-duration.ts";

describe("Go durations", () => {
  it.each([
    ["20s", 20_000],
    ["1m30s", 90_000],
    ["1.5h", 5_400_000],
    ["100ms", 100],
    ["0", 0],
    ["-2s", -2000],
    [".5s", 500],
    ["1h2m3s4ms5us", 3_723_004.005],
  ])("%s", (text, ms) => {
    expect(parseGoDuration(text)).toBeCloseTo(ms, 6);
  });

  it.each([
    ["20", 'time: missing unit in duration "20"'],
    ["", 'time: invalid duration ""'],
    ["x", 'time: invalid duration "x"'],
    ["5d", 'time: unknown unit "d" in duration "5d"'],
    ["1s.", 'time: invalid duration "1s."'],
  ])("refuses %s in Go's words", (text, message) => {
    expect(() => parseGoDuration(text)).toThrow(message);
  });
});
