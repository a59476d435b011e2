import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileRegex } from "./regex.ts";

describe("Go's regular expressions", () => {
  it.each([
    ["node-[12]", "node-2", true],
    ["node-[12]$", "node-21", false],
    ["^node", "my-node", false],
    ["node", "my-node", true],
    ["(?i)NODE-1", "node-1", true],
    ["(?i)[A-C]x", "bX", true],
    ["a(?i)b|c", "AB", false],
    ["a(?i)b|c", "C", true],
    ["(?i:a)b", "Ab", true],
    ["(?i:a)b", "AB", false],
    ["(?:ab)+$", "xabab", true],
    ["a|b|", "z", true],
    ["^(a|b)*$", "abba", true],
    ["^(a|b)*$", "abca", false],
    ["^(a*)*$", "aaab", false],
    ["^a?b+?c$", "bbc", true],
    ["^.$", "\n", false],
    ["(?s)^.$", "\n", true],
    ["(?m)^b$", "a\nb\nc", true],
    ["^b$", "a\nb\nc", false],
    ["\\bssd\\b", "fast ssd disk", true],
    ["\\bssd\\b", "fastssd", false],
    ["^\\d+\\.\\d+$", "6.1", true],
    ["^\\d+\\.\\d+$", "6x1", false],
    ["^[^a-z]+$", "ABC", true],
    ["^[]a]+$", "]a", true],
    ["^[a-]+$", "a-", true],
    ["^[[:digit:]x]+$", "12x", true],
    ["^[[:^digit:]]$", "1", false],
    ["^\\w\\W\\s\\S$", "a- b", true],
    ["\\Aab\\z", "ab", true],
    ["", "anything", true],
  ])("%s on %j is %s", (pattern, subject, expected) => {
    expect(compileRegex(pattern)(subject)).toBe(expected);
  });

  it.each(["(a", "a)", "[a", "*a", "a**", "a+*", "\\1", "\\q", "a\\", "[z-a]", "(?<n>a)", "(?=a)", "[[:nope:]]"])(
    "refuses %s",
    (pattern) => {
      expect(() => compileRegex(pattern)).toThrow();
    },
  );

  it("refuses a pattern beyond its bound and does not match a subject beyond its own", () => {
    expect(() => compileRegex("a".repeat(257))).toThrow("longer than 256 characters");
    expect(compileRegex("a")("a".repeat(1025))).toBe(false);
  });

  it("answers at once where a backtracking engine would never end", () => {
    expect(compileRegex("^(a+)+$")(`${"a".repeat(1000)}b`)).toBe(false);
    expect(compileRegex("(a|aa)*(a|aa)*(a|aa)*c")("a".repeat(1000))).toBe(false);
  });

  it("agrees with JavaScript's engine on the syntax that both know", () => {
    const leaf = fc.constantFrom("a", "b", ".", "[ab]", "[^a]", "\\w", "^", "$", "\\b");
    const { pattern } = fc.letrec<{ pattern: string }>((tie) => ({
      pattern: fc.oneof(
        { maxDepth: 4 },
        leaf,
        fc.tuple(tie("pattern"), tie("pattern")).map(([a, b]) => a + b),
        fc.tuple(tie("pattern"), tie("pattern")).map(([a, b]) => `(${a}|${b})`),
        fc.tuple(tie("pattern"), fc.constantFrom("*", "+", "?", "*?")).map(([a, op]) => `(?:${a})${op}`),
      ),
    }));
    const subject = fc.array(fc.constantFrom("a", "b", "c", " "), { maxLength: 8 }).map((chars) => chars.join(""));
    fc.assert(
      fc.property(pattern, subject, (text, value) => {
        expect(compileRegex(text)(value)).toBe(new RegExp(text).test(value));
      }),
      { numRuns: 2000 },
    );
  });
});
