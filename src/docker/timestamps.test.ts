import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DockerError } from "./errors.ts";
import {
  compareMoments,
  formatMoment,
  formatUnix,
  type Moment,
  momentFromMs,
  momentFromNanos,
  momentToMs,
  momentToNanos,
  parseDate,
  parseGoDuration,
  parseTimestamp,
  parseUnix,
} from "./timestamps.ts";

const NOW_MS = 1_700_000_000_123;
const parse = (text: string) => parseTimestamp(text, NOW_MS);
const at = (seconds: number, nanos = 0): Moment => ({ seconds, nanos });
/** The years 1 to 9999, which RFC 3339 can write. */
const moment = fc.record({
  seconds: fc.integer({ min: -62135596800, max: 253402300799 }),
  nanos: fc.integer({ min: 0, max: 999_999_999 }),
});

describe("parseTimestamp", () => {
  it.each([
    ["1700000000", at(1700000000)],
    ["1700000000.000000001", at(1700000000, 1)],
    ["1700000000.5", at(1700000000, 500_000_000)],
    ["1700000000.", at(1700000000)],
    ["0", at(0)],
    ["10", at(10)],
    ["-1.25", at(-2, 750_000_000)],
    ["10m", at(1699999400, 123_000_000)],
    ["1h30m", at(1699994600, 123_000_000)],
    ["-10s", at(1700000010, 123_000_000)],
    ["123ms", at(1700000000)],
    ["2023-11-14T22:13:20Z", at(1700000000)],
    ["2023-11-14T22:13:20.000000001Z", at(1700000000, 1)],
    ["2023-11-14T23:13:20+01:00", at(1700000000)],
    ["2023-11-14T20:43:20.5-01:30", at(1700000000, 500_000_000)],
    ["2023-11-14T22:13:20", at(1700000000)],
    ["2023-11-14T22:13", at(1699999980)],
    ["2023-11-14T22", at(1699999200)],
    ["2023-11-14", at(1699920000)],
    ["2023-11-14T22Z", at(1699999200)],
    ["2023-11-14+01:00", at(1699916400)],
    ["2024-02-29", at(1709164800)],
    ["0001-01-01T00:00:00Z", at(-62135596800)],
  ])("%s", (text, expected) => {
    expect(parse(text)).toEqual(expected);
  });

  it.each([
    "",
    "now",
    "10x",
    "m",
    "1.2.3",
    "1e9",
    "2023-02-29",
    "2023-13-01",
    "2023-00-01",
    "2023-11-14T24",
    "2023-11-14T22:60",
    "2023-11-14 22:13",
    "2023-11-14T22:13:20+25:00",
    "0x10",
    "+1",
    `${"1h".repeat(60)}`,
  ])("%j", (text) => {
    if (text === "10") expect(parse(text)).toEqual(at(10));
    else expect(() => parse(text)).toThrow(DockerError);
  });

  it("is exact where a number is not", () => {
    expect(parse("1795183086.123456789")).toEqual(at(1795183086, 123456789));
    expect(momentToNanos(parse("1795183086.123456789"))).toBe(1795183086123456789n);
  });
});

describe("Go's durations", () => {
  it("add up in nanoseconds", () => {
    expect(parseGoDuration("1h2m3s4ms5us6ns")).toBe(3_723_004_005_006n);
    expect(parseGoDuration("1.5h")).toBe(5_400_000_000_000n);
    expect(parseGoDuration(".5s")).toBe(500_000_000n);
    expect(parseGoDuration("-1\u00b5s")).toBe(-1_000n);
    expect(parseGoDuration("0.3333333333333333333h")).toBe(1_199_999_999_999n);
    expect([parseGoDuration("5"), parseGoDuration(""), parseGoDuration("1 h"), parseGoDuration("1d")]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe("writing", () => {
  it("drops the zeros that Go drops", () => {
    expect(formatMoment(at(1700000000))).toBe("2023-11-14T22:13:20Z");
    expect(formatMoment(at(1700000000, 120_000_000))).toBe("2023-11-14T22:13:20.12Z");
    expect(formatMoment(at(-62135596800))).toBe("0001-01-01T00:00:00Z");
  });

  it("is read back the same, in every form", () => {
    fc.assert(
      fc.property(moment, (m) => {
        expect(parseDate(formatMoment(m))).toEqual(m);
        expect(parseUnix(formatUnix(m))).toEqual(m);
        expect(momentFromNanos(momentToNanos(m))).toEqual(m);
      }),
    );
  });

  it("compares as nanoseconds do", () => {
    fc.assert(
      fc.property(moment, moment, (a, b) => {
        const difference = momentToNanos(a) - momentToNanos(b);
        expect(Math.sign(compareMoments(a, b))).toBe(difference < 0n ? -1 : difference > 0n ? 1 : 0);
      }),
    );
  });

  it("goes to milliseconds and back", () => {
    for (const ms of [0, 1, 999, -1, 1_700_000_000_123]) expect(momentToMs(momentFromMs(ms))).toBe(ms);
  });
});
