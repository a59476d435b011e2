/** The house rules that a linter cannot say: imports go down only, and time and chance come from kit/. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const src = resolve(import.meta.dirname, "../src");

/** A folder may import from itself and from lower ranks; folders of one rank never import each other. */
const RANK: Record<string, number> = {
  kit: 0,
  docker: 1,
  scheduler: 2,
  engine: 3,
  store: 3,
  machine: 3,
  discovery: 4,
  cluster: 5,
  api: 6,
  manager: 7,
  hub: 7,
  agent: 7,
  cli: 8,
};

const files = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
const sources = files.map((name) => ({ name, text: readFileSync(join(src, name), "utf8") }));
const folderOf = (name: string): string => name.split("/")[0] ?? "";

describe("the layout", () => {
  it("knows every folder of src/", () => {
    expect([...new Set(files.map(folderOf))].filter((folder) => RANK[folder] === undefined)).toEqual([]);
  });

  it("imports downwards only", () => {
    const wrong: string[] = [];
    for (const { name, text } of sources) {
      for (const match of text.matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)) {
        const target = relative(src, resolve(src, dirname(name), match[1] ?? ""));
        const from = folderOf(name);
        const to = folderOf(target);
        if (from !== to && (RANK[to] ?? 99) >= (RANK[from] ?? -1)) wrong.push(`${name} imports ${target}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it("keeps one noun a file: none over 400 lines", () => {
    const long = sources.filter(({ text }) => text.split("\n").length > 400).map(({ name }) => name);
    expect(long).toEqual([]);
  });

  it("begins each file with a comment that says what it owns", () => {
    const bare = sources.filter(({ name, text }) => !name.endsWith(".test.ts") && !text.startsWith("/**"));
    expect(bare.map(({ name }) => name)).toEqual([]);
  });
});

describe("the store", () => {
  it("reads and writes in its drivers alone", () => {
    const wrong = sources
      .filter(
        ({ name }) => name.startsWith("store/") && !name.startsWith("store/drivers/") && !name.endsWith(".test.ts"),
      )
      .filter(({ text }) => /"node:(?!path")/.test(text))
      .map(({ name }) => name);
    expect(wrong).toEqual([]);
  });
});

describe("time and chance", () => {
  it("come from kit/clock.ts and kit/random.ts alone", () => {
    const forbidden =
      /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\bperformance\.now\(|\brandomBytes\(|\brandomUUID\(/;
    const wrong = sources
      .filter(({ name }) => !name.startsWith("kit/") && !name.endsWith(".test.ts"))
      .filter(({ text }) => forbidden.test(text))
      .map(({ name }) => name);
    expect(wrong).toEqual([]);
  });
});
