import { describe, expect, it } from "vitest";
import { parseConstraintFlag, parseExpression, parseWhitelist } from "./expression.ts";

const matches = (text: string, value: string): boolean => parseExpression(text).matcher.test(value);

describe("the grammar", () => {
  it.each([
    ["storage==ssd", "storage", "==", false],
    ["storage!=ssd", "storage", "!=", false],
    ["storage==~ssd", "storage", "==", true],
    ["storage!=~ssd*", "storage", "!=", true],
    ["com.example.tier==/fr[oa]nt/", "com.example.tier", "==", false],
    ["node==node-1", "node", "==", false],
    ["Storage_Driver==overlay2", "Storage_Driver", "==", false],
  ])("reads %s", (text, key, operator, soft) => {
    expect(parseExpression(text)).toMatchObject({ key, operator, soft, text });
  });

  it("finds == anywhere before it looks for !=, as classic Swarm does", () => {
    expect(parseExpression("ab==!=x".replace("!=", "!"))).toMatchObject({ key: "ab", operator: "==" });
    expect(() => parseExpression("ab!=x==y")).toThrow("Key 'ab!=x' is invalid");
  });

  it.each([
    ["storage", "One of operator ==, != is expected"],
    ["storage=ssd", "One of operator ==, != is expected"],
    ["", "One of operator ==, != is expected"],
    ["==ssd", "Key '' is invalid"],
    ["a==ssd", "Key 'a' is invalid"],
    ["1ab==ssd", "Key '1ab' is invalid"],
    ["sto rage==ssd", "Key 'sto rage' is invalid"],
    ["storage==", "Value '' is invalid"],
    ["storage==~", "Value '~' is invalid"],
    ["storage==a{2}", "Value 'a{2}' is invalid"],
    ["storage==é", "Value 'é' is invalid"],
  ])("refuses %j with classic Swarm's words", (text, message) => {
    expect(() => parseExpression(text)).toThrowError(expect.objectContaining({ status: 400, message }));
  });

  it("refuses a regular expression that Go would refuse, with the reason", () => {
    expect(() => parseExpression("node==/(ab/")).toThrow("Value '/(ab/' is invalid: missing )");
  });

  it("bounds an expression's length", () => {
    expect(() => parseExpression(`storage==${"a".repeat(16_384)}`)).toThrow("is invalid: longer than 16384 characters");
  });

  it("compiles the same text once", () => {
    expect(parseExpression("storage==once")).toBe(parseExpression("storage==once"));
  });
});

describe("globs", () => {
  it.each([
    ["ssd", "ssd", true],
    ["ssd", "ssd2", false],
    ["ssd*", "ssd-fast", true],
    ["ssd*", "ssd", true],
    ["*ssd", "fast-ssd", true],
    ["s*d*t", "ssd-fast", true],
    ["s*d*t", "ssd-fas", false],
    ["ab*ba", "aba", false],
    ["*", "", true],
    ["a.b", "a.b", true],
    ["a.b", "axb", false],
    ["a+b", "a+b", true],
    ["a|b", "a", false],
    ["/", "/", true],
  ])("%s on %j is %s", (glob, value, expected) => {
    expect(matches(`key==${glob}`, value)).toBe(expected);
  });

  it("offers a literal for an index look-up", () => {
    expect(parseExpression("key==redis").matcher.exact).toBe("redis");
    expect(parseExpression("key==redis*").matcher.exact).toBeUndefined();
    expect(parseExpression("key==/redis/").matcher.exact).toBeUndefined();
  });
});

describe("whitelists", () => {
  it("list alternatives, each a glob", () => {
    const { matcher } = parseWhitelist("node==node-1|web-*");
    expect(["node-1", "web-7", "node-10", "node-1|web-*"].map((name) => matcher.test(name))).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
});

describe("--constraint", () => {
  it.each([
    ["storage=ssd", "storage==ssd"],
    ["storage==ssd", "storage==ssd"],
    ["storage!=ssd", "storage!=ssd"],
    ["storage=~ssd", "storage==~ssd"],
    ["reschedule=never", "reschedule==never"],
  ])("%s means %s", (flag, text) => {
    expect(parseConstraintFlag(flag).text).toBe(text);
  });

  it("still asks for an operator", () => {
    expect(() => parseConstraintFlag("storage")).toThrow("One of operator ==, != is expected");
  });
});
