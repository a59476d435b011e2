import { describe, expect, it } from "vitest";
import { PrefixIndex } from "./prefix-index.ts";

describe("the prefix index", () => {
  const index = new PrefixIndex<string>();
  for (const id of ["abcd1", "abcd2", "abce1", "b0000"]) index.add(id, id.toUpperCase());

  it.each([
    ["abcd1", ["ABCD1"]],
    ["abcd", ["ABCD1", "ABCD2"]],
    ["abc", ["ABCD1", "ABCD2", "ABCE1"]],
    ["b", ["B0000"]],
    ["abcd3", []],
    ["c", []],
  ])("finds %s", (prefix, expected) => {
    expect(index.find(prefix, 9).sort()).toEqual(expected);
  });

  it("finds no more than it is asked for", () => {
    expect(index.find("abc")).toHaveLength(2);
    expect(index.find("abcd", 1)).toHaveLength(1);
  });

  it("forgets what was deleted, once or twice", () => {
    const own = new PrefixIndex<number>();
    own.add("abcd", 1);
    own.delete("abcd");
    own.delete("abcd");
    expect(own.find("a")).toEqual([]);
  });
});
