import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expandEntries, parseEntry } from "./entries.ts";

describe("expandEntries", () => {
  it.each([
    [
      ["a:2375", "b:2375"],
      ["a:2375", "b:2375"],
    ],
    [
      [" a ", "", "tcp://b:1", "b:1"],
      ["a:2375", "b:1"],
    ],
    [["10.0.0.[9:11]:2375"], ["10.0.0.9:2375", "10.0.0.10:2375", "10.0.0.11:2375"]],
    [["10.0.[1:2].[5:6]"], ["10.0.1.5:2375", "10.0.1.6:2375", "10.0.2.5:2375", "10.0.2.6:2375"]],
    [["h:[1:2]"], ["h:1", "h:2"]],
    [["node-[08:10]"], ["node-08:2375", "node-09:2375", "node-10:2375"]],
    [["unix:///run/[1:2].sock"], ["unix:///run/1.sock", "unix:///run/2.sock"]],
    [
      ["[::1]:2376", "[fe80::1%eth0]"],
      ["[::1]:2376", "[fe80::1%eth0]:2375"],
    ],
    [["a", "a:2375", "tcp://a:2375/"], ["a:2375"]],
  ])("%j", (texts, entries) => {
    expect(expandEntries(texts)).toEqual(entries);
  });

  it("makes as many entries as the ranges hold, all different", () => {
    const range = fc.tuple(fc.nat(200), fc.nat(9)).map(([first, more]) => [first, first + more] as const);
    fc.assert(
      fc.property(range, range, ([a, b], [c, d]) => {
        const entries = expandEntries([`10.0.[${a}:${b}].x[${c}:${d}]:2375`]);
        expect(new Set(entries).size).toBe((b - a + 1) * (d - c + 1));
        expect(entries[0]).toBe(`10.0.${a}.x${c}:2375`);
      }),
    );
  });

  it("bounds what a line can make", () => {
    expect(expandEntries(["h[1:10000]"])).toHaveLength(10_000);
    expect(() => expandEntries(["h[1:10001]"])).toThrow('"h[1:10001]" makes more than 10000 entries');
    expect(() => expandEntries(["h[1:999].[1:999].[1:999]"])).toThrow("more than 10000");
    expect(() => expandEntries(["h[1:6000]", "g[1:6000]"])).toThrow("more than 10000");
  });
});

describe("parseEntry", () => {
  it.each([
    ["a:0", 'bad port in discovery entry "a:0": expected 1 to 65535'],
    ["a:65536", "bad port"],
    ["a:", "bad port"],
    ["a:x", "bad port"],
    [":2375", "bad host"],
    ["a b:1", "bad host"],
    ["-a:1", "bad host"],
    ["fe80::1", "an IPv6 address stands in brackets"],
    ["http://a:1", "expected host:port or unix:///path"],
    ["unix://run/x", "a unix socket's path begins with a slash"],
    ["h[1-3]:1", "bad range"],
    ["h[1:b]:1", "bad range"],
    ["h[:]", "bad range"],
    ["[3]:1", "bad range"],
    ["a/b", "bad host"],
  ])("refuses %s", (text, words) => {
    expect(() => parseEntry(text)).toThrow(words);
  });

  it("refuses a range that runs backwards", () => {
    expect(() => expandEntries(["h[3:1]"])).toThrow('bad range [3:1] in discovery entry "h[3:1]"');
  });
});
