/** docs/classic-swarm.md names tests: each file is there and has what is quoted. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const rows = readFileSync(resolve(root, "docs/classic-swarm.md"), "utf8")
  .split("\n")
  .filter((line) => line.startsWith("| F"))
  .map((line) => line.split("|").map((cell) => cell.trim()))
  .map((cells) => ({ fault: cells[1] ?? "", tests: cells[4] ?? "" }));

/** `path`: "name", "name"; `path` … */
function named(tests: string): { readonly path: string; readonly names: readonly string[] }[] {
  return tests.split(";").map((one) => {
    const path = /`([^`]+)`/.exec(one)?.[1] ?? "";
    return { path, names: [...one.matchAll(/"([^"]+)"/g)].map(([, name = ""]) => name) };
  });
}

const range = (first: number, last: number): string[] =>
  Array.from({ length: last - first + 1 }, (_, index) => `F${first + index}`);

describe("what classic Swarm got wrong", () => {
  it("is told of every fault that shoal has an answer to", () => {
    const wanted = [
      [1, 6],
      [8, 12],
      [14, 23],
      [25, 28],
      [30, 36],
      [38, 38],
      [43, 43],
    ] as const;
    expect(rows.map(({ fault }) => fault)).toEqual(wanted.flatMap(([first, last]) => range(first, last)));
  });

  it.each(rows)("$fault is shown by tests that are there", ({ tests }) => {
    for (const { path, names } of named(tests)) {
      const text = readFileSync(resolve(root, path), "utf8");
      for (const name of names) expect(text).toContain(name);
    }
  });
});
