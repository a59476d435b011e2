import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { durationSeconds, humanDuration, splitStatus } from "./status.ts";

const MINUTE = 60;
const HOUR = 3600;
const DAY = 24 * HOUR;

describe("humanDuration", () => {
  it.each([
    [-5, "Less than a second"],
    [0.45, "Less than a second"],
    [1, "1 second"],
    [1.999, "1 second"],
    [45, "45 seconds"],
    [59.9, "59 seconds"],
    [MINUTE, "About a minute"],
    [119, "About a minute"],
    [2 * MINUTE, "2 minutes"],
    [HOUR - 1, "59 minutes"],
    [HOUR, "About an hour"],
    [89 * MINUTE, "About an hour"],
    [90 * MINUTE, "2 hours"],
    [47 * HOUR, "47 hours"],
    [48 * HOUR, "2 days"],
    [13 * DAY, "13 days"],
    [14 * DAY, "2 weeks"],
    [34 * DAY, "4 weeks"],
    [60 * DAY, "2 months"],
    [365 * DAY, "12 months"],
    [729 * DAY, "24 months"],
    [730 * DAY, "2 years"],
    [730 * DAY - 60, "1 years"],
    [1095 * DAY, "3 years"],
  ])("%d s: %s", (seconds, words) => {
    expect(humanDuration(seconds)).toBe(words);
  });
});

describe("durationSeconds", () => {
  it("is the least age that prints the same words", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 20 * 365 * DAY, noNaN: true }), (seconds) => {
        const words = humanDuration(seconds);
        const least = durationSeconds(words);
        expect(least).toBeDefined();
        expect(least).toBeLessThanOrEqual(seconds + 1e-6);
        expect(humanDuration(least ?? -1)).toBe(words);
      }),
      { numRuns: 1000 },
    );
  });

  it("knows no other words", () => {
    expect([durationSeconds("soon"), durationSeconds("3 minute"), durationSeconds("")]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe("splitStatus", () => {
  it.each([
    ["Up 3 minutes", "Up ", "3 minutes", ""],
    ["Up 3 minutes (healthy)", "Up ", "3 minutes", " (healthy)"],
    ["Up About a minute (health: starting)", "Up ", "About a minute", " (health: starting)"],
    ["Up Less than a second (Paused)", "Up ", "Less than a second", " (Paused)"],
    ["Exited (0) 3 minutes ago", "Exited (0) ", "3 minutes", " ago"],
    ["Exited (-1) 2 years ago", "Exited (-1) ", "2 years", " ago"],
    ["Restarting (1) 3 seconds ago", "Restarting (1) ", "3 seconds", " ago"],
  ])("%s", (status, before, duration, after) => {
    expect(splitStatus(status)).toEqual({ before, duration, after });
  });

  it.each(["Created", "Dead", "Removal In Progress", "", "Up", "Host Down", "pending"])(
    "leaves '%s' whole",
    (status) => {
      expect(splitStatus(status)).toEqual({ before: status, duration: undefined, after: "" });
    },
  );
});
