/** What is counted when runs of test files fail, are cut short, and run again. */
import { describe, expect, it } from "vitest";
import { outcomesOf, settled, worthAgain } from "./tally.mjs";

const lines = (...values) => values.map((value) => `${JSON.stringify(value)}\n`).join("");
const fine = (file, passed = 2) => ({ file, passed, failed: 0, skipped: 0, failures: [] });
const bad = (file, test = "t", message = "boom") => ({
  file,
  passed: 1,
  failed: 1,
  skipped: 0,
  failures: [{ test, message }],
});

describe("a run's outcomes", () => {
  it("are those of its files", () => {
    const text = lines({ planned: ["a", "b"] }, fine("a"), bad("b"), { ended: true });
    expect(outcomesOf(text, 1)).toEqual([fine("a"), bad("b")]);
  });

  it("count a file that a killed run did not reach, and a last line cut in two", () => {
    const text = `${lines({ planned: ["a", "b"] }, fine("a"))}{"file":"b","pas`;
    expect(outcomesOf(text, 128)).toMatchObject([
      { file: "a", failed: 0 },
      { file: "b", failed: 1, cut: true },
    ]);
  });

  it("count a run that broke down before it had files, or ended badly with all tests passed", () => {
    expect(outcomesOf("", 1)).toMatchObject([{ file: "", failed: 1 }]);
    const text = lines({ planned: ["a"] }, fine("a"), { ended: true });
    expect(outcomesOf(text, 1)).toMatchObject([
      { file: "a", failed: 0 },
      { file: "", failed: 1, failures: [{ message: "the run ended with status 1" }] },
    ]);
  });

  it("blame an error that no test waited for on its file", () => {
    const stray = { file: "a", test: "stray", message: "late" };
    const text = lines({ planned: ["a"] }, fine("a"), { stray }, { ended: true });
    expect(outcomesOf(text, 1)).toMatchObject([
      { file: "a", passed: 2, failed: 1, failures: [{ test: "stray", message: "late" }] },
    ]);
    const text2 = lines({ planned: ["a"] }, fine("a"), { stray: { ...stray, file: undefined } }, { ended: true });
    expect(outcomesOf(text2, 1)).toMatchObject([
      { file: "a", failed: 0 },
      { file: "", failed: 1, failures: [{ message: "late" }] },
    ]);
  });
});

describe("what runs again", () => {
  it("is each failed file by itself, and those cut short together", () => {
    const cut = (file) => ({ ...bad(file), cut: true });
    expect(worthAgain([fine("a"), bad("b"), cut("c"), bad("d"), cut("e")], 5)).toEqual([["b"], ["d"], ["c", "e"]]);
  });

  it("is nothing when too many failed, and all when nothing ran", () => {
    expect(worthAgain([bad("a"), bad("b"), bad("c")], 2)).toEqual([]);
    expect(worthAgain(outcomesOf("", 1), 2)).toEqual([[]]);
    expect(worthAgain([fine("a"), { ...bad(""), cut: true }], 2)).toEqual([]);
    expect(worthAgain([fine("a")], 2)).toEqual([]);
  });
});

describe("the second outcome", () => {
  it("is the one that counts; what passed then is flaky", () => {
    const first = [fine("a"), bad("b"), bad("c")];
    expect(settled(first, [fine("b")])).toEqual({ outcomes: [fine("a"), fine("b"), bad("c")], flaky: [bad("b")] });
    expect(settled(first, [bad("c", "other")])).toEqual({
      outcomes: [fine("a"), bad("b"), bad("c", "other")],
      flaky: [],
    });
  });

  it("replaces a run that broke down as a whole", () => {
    const first = outcomesOf("", 1);
    expect(settled(first, [fine("a"), fine("b")])).toEqual({ outcomes: [fine("a"), fine("b")], flaky: first });
    expect(settled(first, [fine("a"), bad("b")]).flaky).toEqual([]);
  });

  it("counts also when the second run broke down", () => {
    const second = outcomesOf("", 1);
    expect(settled([fine("a"), bad("b")], second)).toEqual({ outcomes: [fine("a"), bad("b")], flaky: [] });
  });
});
