import { describe, expect, it } from "vitest";
import { DockerError } from "./errors.ts";
import { parseFilters } from "./filters.ts";

const ACCEPTED = ["name", "id", "label", "dangling", "status"];
const parse = (value: unknown) => parseFilters(JSON.stringify(value), ACCEPTED);
const refusal = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (error instanceof DockerError && error.status === 400) return error.message;
    throw error;
  }
  throw new Error("nothing was thrown");
};

describe("parseFilters", () => {
  it("reads both forms and writes the newer one", () => {
    for (const value of [{ name: { a: true, b: true } }, { name: ["a", "b"] }]) {
      expect(parse(value).get("name")).toEqual(["a", "b"]);
      expect(parse(value).toJson()).toBe('{"name":{"a":true,"b":true}}');
    }
    for (const raw of [null, "", "{}", "null"]) {
      expect(parseFilters(raw, []).isEmpty).toBe(true);
      expect(parseFilters(raw, []).toJson()).toBe("");
    }
  });

  it("refuses what dockerd refuses, in its words", () => {
    for (const raw of [
      "x",
      "[]",
      '"a"',
      "1",
      '{"name":"a"}',
      '{"name":[1]}',
      '{"name":{"a":"true"}}',
      '{"name":["a"],"id":{"b":true}}',
    ]) {
      expect(refusal(() => parseFilters(raw, ACCEPTED))).toBe("invalid filter");
    }
    expect(refusal(() => parse({ nme: ["a"] }))).toBe("invalid filter 'nme'");
  });

  it("knows an empty filter from an absent one", () => {
    expect(parse({ name: [] }).has("name")).toBe(true);
    expect(parse({ name: [] }).exactMatch("name", "x")).toBe(true);
    expect(parse({}).has("name")).toBe(false);
    expect(parse({ name: null }).get("name")).toEqual([]);
  });
});

describe("matching", () => {
  it("exactly, any of the values; a value given as false matches nothing", () => {
    const filters = parse({ status: { running: true, exited: false } });
    expect(["running", "exited", "runnin"].map((status) => filters.exactMatch("status", status))).toEqual([
      true,
      false,
      false,
    ]);
    expect(filters.exactMatch("id", "anything")).toBe(true);
  });

  it("by regular expression anywhere in the source", () => {
    const name = (pattern: string, source: string) => parse({ name: [pattern] }).match("name", source);
    expect(name("red", "/my-redis")).toBe(true);
    expect(name("^/red", "/my-redis")).toBe(false);
    expect(name("^/redis$", "/redis")).toBe(true);
    expect(name("(?i)REDIS", "/redis")).toBe(true);
    expect(name("[[:digit:]]+$", "/redis-1")).toBe(true);
    expect(name("web.1", "/web-1")).toBe(true);
    expect(name("(", "/(")).toBe(false);
    expect(name("(", "(")).toBe(true);
    expect(parse({ name: ["(", "red"] }).match("name", "/redis")).toBe(true);
  });

  it("labels: all of the values, with or without a value", () => {
    const labels = { a: "1", b: "x=y", c: "" };
    const match = (...wanted: string[]) => parse({ label: wanted }).matchLabels(labels);
    expect(match("a", "b=x=y", "c=")).toBe(true);
    expect(match("a=2")).toBe(false);
    expect(match("a=")).toBe(false);
    expect(match("a", "d")).toBe(false);
    expect(match("toString")).toBe(false);
    expect(parse({ label: ["a"] }).matchLabels(null)).toBe(false);
    expect(parse({}).matchLabels(null)).toBe(true);
  });

  it("by prefix", () => {
    const filters = parse({ id: ["abc"] });
    expect([filters.fuzzyMatch("id", "abcdef"), filters.fuzzyMatch("id", "xabc")]).toEqual([true, false]);
  });
});

describe("bool", () => {
  it("reads 1, true, 0 and false", () => {
    expect(["1", "true", "0", "false"].map((value) => parse({ dangling: [value] }).bool("dangling", true))).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect([parse({}).bool("dangling", true), parse({}).bool("dangling", false)]).toEqual([true, false]);
  });

  it("refuses the rest", () => {
    expect(refusal(() => parse({ dangling: ["maybe"] }).bool("dangling", true))).toBe(
      "invalid filter 'dangling=[maybe]'",
    );
    expect(refusal(() => parse({ dangling: ["1", "false"] }).bool("dangling", true))).toBe(
      "invalid filter 'dangling=[1 false]'",
    );
    expect(refusal(() => parse({ dangling: [] }).bool("dangling", true))).toBe("invalid filter 'dangling'");
  });
});

describe("with", () => {
  it("replaces or drops one filter of a copy", () => {
    const filters = parse({ name: ["a"], id: ["b"] });
    expect(filters.with("id", ["c", "d"]).toJson()).toBe('{"name":{"a":true},"id":{"c":true,"d":true}}');
    expect(filters.with("id", []).toJson()).toBe('{"name":{"a":true}}');
    expect(filters.get("id")).toEqual(["b"]);
  });
});
