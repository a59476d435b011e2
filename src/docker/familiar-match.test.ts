import { describe, expect, it } from "vitest";
import { familiarMatch } from "./familiar-match.ts";

describe("familiarMatch", () => {
  it.each([
    ["redis", "redis:latest", true],
    ["redis:latest", "redis:latest", true],
    ["red*", "redis:7", true],
    ["*:7", "redis:7", true],
    ["*", "me/redis:7", false],
    ["*/redis", "me/redis:7", true],
    ["r?dis", "redis:7", true],
    ["[a-q]edis", "redis:7", false],
    ["[q-s]edis", "redis:7", true],
    ["[^r]edis", "redis:7", false],
    ["redi.", "redis:7", false],
    ["localhost:5000/x", "localhost:5000/x:1", true],
    ["[", "redis:7", false],
  ])("%s against %s is %s", (pattern, name, expected) => {
    expect(familiarMatch(pattern, name)).toBe(expected);
  });
});
