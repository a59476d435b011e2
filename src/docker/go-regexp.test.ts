import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileAutomaton, compileGoRegexp } from "./go-regexp.ts";

const found = (pattern: string, text: string) => compileGoRegexp(pattern)?.test(text);

describe("compileGoRegexp", () => {
  it.each([
    ["", "x"],
    ["red", "/my-redis"],
    ["^/redis$", "/redis"],
    ["^/(web|db)-[0-9]+$", "/db-12"],
    ["(?i)REDIS", "/redis"],
    ["a(?i:B)c", "abc"],
    ["(?i)[A-C]{3}", "abc"],
    ["^(?:ab){2,3}$", "ababab"],
    ["^a{0}b$", "b"],
    ["a{,2}", "a{,2}"],
    ["x{", "x{"],
    ["[[:digit:]][[:^digit:]]", "1a"],
    ["^[]a]+$", "]a]"],
    ["^[^]a]$", "b"],
    ["[a-]", "-"],
    ["\\Aab\\z", "ab"],
    ["\\bweb\\b", "a web b"],
    ["\\x41\\x{42}\\103", "ABC"],
    ["^\\Qa.b*\\E+$", "a.b**"],
    ["(?P<name>x)(?<other>y)", "xy"],
    ["(?s)a.b", "a\nb"],
    ["(?m)^b$", "a\nb\nc"],
    ["a+?b", "aab"],
    ["\\.\\d\\W\\S", ".1-x"],
    ["^.$", "\ud83d\ude00"],
    ["^*a", "a"],
    ["(|a)b", "b"],
    ["(a*)*$", "aaa"],
  ])("%j is found in %j", (pattern, text) => {
    expect(found(pattern, text)).toBe(true);
  });

  it.each([
    ["^red", "/redis"],
    ["a.b", "a\nb"],
    ["a$", "ab"],
    ["a$", "a\n"],
    ["\\Bweb", " web"],
    ["^(?:ab){2,3}$", "abababab"],
    ["[^a-c]", "abc"],
    ["(?-i)A", "a"],
    ["(?i:A)B", "ab"],
  ])("%j is not found in %j", (pattern, text) => {
    expect(found(pattern, text)).toBe(false);
  });

  it.each([
    "(",
    ")",
    "a)",
    "[",
    "[b-a]",
    "*",
    "+a",
    "a**",
    "a{2}{3}",
    "a{1001}",
    "a{3,2}",
    "\\",
    "\\1",
    "\\k",
    "(?=a)",
    "(?!a)",
    "(?<=a)b",
    "[[:nope:]]",
    "(?x)a",
    "\\x{110000}",
    "((a{1000}){1000}){1000}",
  ])("refuses %j", (pattern) => {
    expect(compileGoRegexp(pattern)).toBeUndefined();
  });

  it("refuses what is longer or larger than the limits", () => {
    expect(compileGoRegexp("a".repeat(1025))).toBeUndefined();
    expect(compileGoRegexp("(?:a{1000}){6}")).toBeUndefined();
    expect(compileGoRegexp("(?:a{1000}){4}")?.test("a".repeat(4000))).toBe(true);
  });

  it("agrees with JavaScript where both mean the same", () => {
    const atom = fc.constantFrom("a", "b", "c", ".", "[ab]", "[^a]", "(?:a|bc)", "(?:a|)", "\\w");
    const piece = fc
      .tuple(atom, fc.constantFrom("", "", "*", "+", "?", "{2}", "{1,2}", "{2,}"))
      .map((parts) => parts.join(""));
    const pattern = fc
      .tuple(fc.constantFrom("", "^"), fc.array(piece, { maxLength: 4 }), fc.constantFrom("", "$", "|b$", "\\b"))
      .map(([head, pieces, tail]) => head + pieces.join("") + tail);
    const text = fc.string({ unit: fc.constantFrom("a", "b", "c", "-"), maxLength: 8 });
    fc.assert(
      fc.property(pattern, text, (source, subject) => {
        const expected = new RegExp(source).test(subject);
        expect(compileAutomaton(source)?.test(subject)).toBe(expected);
        expect(found(source, subject)).toBe(expected);
      }),
      { numRuns: 3000 },
    );
  });

  it("does not blow up on what backtracks: the steps taken are bounded by text times pattern", () => {
    const text = `${"a".repeat(5_000)}!`;
    for (const pattern of ["^(a+)+$", "^(a|a)*$", "^(a|aa)+$", "^.*.*.*.*.*b$"])
      expect(found(pattern, text)).toBe(false);
  });
});
