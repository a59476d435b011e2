import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DockerError } from "./errors.ts";
import { bytesSize, humanSize, parseMemory } from "./units.ts";

const KIB = 1024;
const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

describe("parseMemory", () => {
  it.each([
    ["32", 32],
    ["32b", 32],
    ["32k", 32 * KIB],
    ["32KB", 32 * KIB],
    ["32Kib", 32 * KIB],
    ["512m", 512 * MIB],
    ["2g", 2 * GIB],
    ["1.5GiB", 1.5 * GIB],
    ["32 mb", 32 * MIB],
    ["2T", 2 * 1024 ** 4],
    ["1PiB", 1024 ** 5],
    [".5k", 512],
    ["0", 0],
    ["32.3", 32],
    ["1.", 1],
  ])("%s is %d bytes", (text, bytes) => {
    expect(parseMemory(text)).toBe(bytes);
  });

  it.each(["", "hello", "-32", "32 .3kb", "k", " ", "1  g", "1e3", "0x10"])("refuses '%s'", (text) => {
    expect(() => parseMemory(text)).toThrow(DockerError);
  });

  it("names the suffix that it does not know", () => {
    for (const suffix of ["kbb", "kbib", "e", "bb", "gi", "iib"]) {
      expect(() => parseMemory(`32${suffix}`)).toThrow(`invalid suffix: '${suffix}'`);
    }
  });
});

describe("printing", () => {
  it.each([
    [0, "0 B"],
    [1024, "1 KiB"],
    [1023, "1023 B"],
    [GIB, "1 GiB"],
    [2_204_090_368, "2.053 GiB"],
    [1_023.96 * MIB, "1024 MiB"],
    [3.42 * GIB, "3.42 GiB"],
    [2.22 * 1024 ** 8, "2.22 YiB"],
  ])("%d bytes in powers of 1024: %s", (bytes, text) => {
    expect(bytesSize(bytes)).toBe(text);
    expect(bytesSize(bytes, "")).toBe(text.replace(" ", ""));
  });

  it("in powers of 1000", () => {
    expect([humanSize(1000), humanSize(1024), humanSize(1_000_000), humanSize(5_372_000_000)]).toEqual([
      "1kB",
      "1.024kB",
      "1MB",
      "5.372GB",
    ]);
    expect([humanSize(132_800_000, 3), humanSize(4_263_000, 3), humanSize(0, 3)]).toEqual(["133MB", "4.26MB", "0B"]);
    // What Docker itself prints just below a unit.
    expect(humanSize(999_900_000, 3)).toBe("1e+03MB");
  });

  it("is read back within its four digits", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 50 }), (bytes) => {
        const back = parseMemory(bytesSize(bytes));
        expect(Math.abs(back - bytes)).toBeLessThanOrEqual(Math.max(1, bytes * 0.0005));
      }),
    );
  });
});
