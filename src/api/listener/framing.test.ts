import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BodyDecoder } from "./framing.ts";

function decode(input: string, cuts: readonly number[]): { body: string; rest: string; done: boolean } {
  const decoder = new BodyDecoder("chunked", 1 << 20);
  const edges = [...new Set([0, ...cuts.map((cut) => cut % (input.length + 1)), input.length])].sort((a, b) => a - b);
  let rest = "";
  for (let i = 1; i < edges.length; i++)
    rest += decoder.push(Buffer.from(input.slice(edges[i - 1], edges[i]))).toString();
  return { body: decoder.body.toString(), rest, done: decoder.done };
}

describe("BodyDecoder", () => {
  it("reads chunks wherever the packets are cut", () => {
    const chunk = fc.stringMatching(/^[a-z\r\n]{1,20}$/);
    fc.assert(
      fc.property(
        fc.array(chunk),
        fc.array(fc.nat()),
        fc.stringMatching(/^[a-z0-9\r\n]{0,9}$/),
        (chunks, cuts, tail) => {
          const wire = chunks.map((text) => `${text.length.toString(16)}\r\n${text}\r\n`).join("");
          expect(decode(`${wire}0\r\n\r\n${tail}`, cuts)).toEqual({ body: chunks.join(""), rest: tail, done: true });
        },
      ),
    );
  });

  it.each([
    "g\r\n",
    "-1\r\n",
    " 1\r\n",
    "0x1\r\n",
    "1\n",
    "1\r\nab\r\n",
    "1\r\naX\r\n",
    "fffffffff\r\n",
    "\r\n",
    `1;${"x".repeat(5000)}`,
  ])("refuses %#", (wire) => {
    expect(() => decode(wire, [])).toThrow("malformed chunked encoding");
  });

  it("bounds both framings", () => {
    expect(() => new BodyDecoder({ length: 11 }, 10)).toThrow("too large");
    const decoder = new BodyDecoder("chunked", 10);
    expect(() => decoder.push(Buffer.from("b\r\n01234567890"))).toThrow("too large");
  });

  it("gives back what follows a length", () => {
    const decoder = new BodyDecoder({ length: 3 }, 10);
    expect(decoder.push(Buffer.from("ab")).length).toBe(0);
    expect(decoder.push(Buffer.from("cde")).toString()).toBe("de");
    expect(decoder.body.toString()).toBe("abc");
  });
});
