import stringWidth from "string-width";
import { describe, expect, it } from "vitest";
import { cut, table } from "./table.ts";

const widest = (text: string): number => Math.max(...text.split("\n").map((line) => stringWidth(line)));

describe("table", () => {
  it("leaves three spaces between columns and none at the end of a line", () => {
    expect(
      table(
        ["NAME", "STATE"],
        [
          ["node-1", "healthy"],
          ["n", ""],
        ],
      ),
    ).toBe("NAME     STATE\nnode-1   healthy\nn\n");
  });

  it("is never cut without a width", () => {
    const long = "x".repeat(300);
    expect(table(["A"], [[long]])).toContain(long);
  });

  it("narrows gaps before it cuts anything", () => {
    const headers = ["AAAAAAAAAA", "BBBBBBBBBB", "CCCCCCCCCC"];
    expect(table(headers, [], { width: 34 })).toBe("AAAAAAAAAA  BBBBBBBBBB  CCCCCCCCCC\n");
  });

  it("cuts the least important column first, then drops what may go", () => {
    const headers = ["NAME", "COMMAND", "PORTS"];
    const row = ["redis", "a".repeat(30), "10.0.0.1:80->80/tcp"];
    const columns = [{ importance: 90 }, { importance: 10, min: 7, droppable: true }, { importance: 50, min: 10 }];
    const cutOne = table(headers, [row], { width: 50, columns });
    expect(widest(cutOne)).toBe(50);
    expect(cutOne).toContain("10.0.0.1:80->80/tcp");
    expect(cutOne).toContain("a…");
    const dropped = table(headers, [row], { width: 26, columns });
    expect(dropped).not.toContain("COMMAND");
    expect(dropped).toContain("10.0.0.1:80->80/tcp");
  });

  it("counts what a terminal shows: wide characters twice, colours not at all", () => {
    const text = table(
      ["NAME", "X"],
      [
        ["日本語", "1"],
        ["abc", "2"],
      ],
      { paint: (cell) => `\u001b[32m${cell}\u001b[39m` },
    );
    const [, first = "", second = ""] = text.split("\n");
    expect(stringWidth(first)).toBe(stringWidth(second));
    expect(cut("日本語日本語", 7)).toBe("日本語…");
  });
});
