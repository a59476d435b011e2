import { describe, expect, it } from "vitest";
import { seededRandom } from "../kit/random.ts";
import { JsonLines, JsonLinesError } from "./json-lines.ts";

const values = [
  { a: 1 },
  { text: 'braces } ] { [ and "quotes" and \\ in strings', list: [[{ deep: ["}"] }]] },
  [],
  { name: "größe 魚 🐟", escaped: "\u0000\n" },
  { long: "x".repeat(1000) },
];

function inChunks(bytes: Buffer, size: () => number): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const next = Math.min(bytes.length, at + Math.max(1, size()));
    chunks.push(bytes.subarray(at, next));
    at = next;
  }
  return chunks;
}

describe("JsonLines", () => {
  it.each(["\n", "\r\n", "", " "])("cuts texts separated by %j wherever the chunks end", (separator) => {
    const bytes = Buffer.from(values.map((value) => JSON.stringify(value) + separator).join(""));
    for (const size of [1, 2, 3, 7, 1024]) {
      const lines = new JsonLines(10_000);
      const texts = inChunks(bytes, () => size).flatMap((chunk) => lines.push(chunk));
      expect(texts.map((text) => JSON.parse(text) as unknown)).toEqual(values);
      expect(lines.pending).toBe(0);
    }
  });

  it("cuts 1 MiB in odd chunks", () => {
    const random = seededRandom(7);
    const many = Array.from({ length: 2_000 }, (_, i) => ({ i, text: "ü}".repeat(random.int(300)) }));
    const bytes = Buffer.from(many.map((value) => JSON.stringify(value)).join("\n"));
    expect(bytes.length).toBeGreaterThan(1 << 19);
    const lines = new JsonLines(1 << 16);
    const texts = inChunks(bytes, () => random.int(5_000)).flatMap((chunk) => lines.push(chunk));
    expect(texts.map((text) => JSON.parse(text) as unknown)).toEqual(many);
  });

  it("refuses a text beyond its bound, also one that never ends", () => {
    const lines = new JsonLines(100);
    lines.push(Buffer.from(`{"a":"${"x".repeat(50)}`));
    expect(() => lines.push(Buffer.from("x".repeat(100)))).toThrow(JsonLinesError);
  });

  it("refuses what is not JSON", () => {
    expect(() => new JsonLines(100).push(Buffer.from("\n<html>"))).toThrow(JsonLinesError);
  });

  it("says how much of a text is there", () => {
    const lines = new JsonLines(100);
    expect(lines.push(Buffer.from('{"a":1}\n{"b'))).toEqual(['{"a":1}']);
    expect(lines.pending).toBe(3);
  });
});
