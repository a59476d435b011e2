/** A journal cut off at every byte, and with every bit of it flipped. */
import { crc32 } from "node:zlib";
import { describe, expect, it } from "vitest";
import { Contents, Staged } from "../../src/store/contents.ts";
import { decode, encodeBatch, encodeSnapshot, FormatError } from "../../src/store/drivers/file/format.ts";
import type { Entry, Write } from "../../src/store/store.ts";

/** A journal, and what it holds up to each of its lines. */
function journal(snapshot: readonly Write[], batches: readonly (readonly Write[])[]) {
  const contents = new Contents();
  const change = (writes: readonly Write[]) => {
    const staged = new Staged(contents);
    staged.add({ conditions: [], writes });
    contents.apply(staged.changes, staged.revision);
    return staged;
  };
  change(snapshot);
  const lines = [...encodeSnapshot([...contents.entries()], contents.revision, undefined)];
  const states: (readonly Entry[])[] = [[], ...lines.slice(1).map(() => contents.list(""))];
  for (const writes of batches) {
    const staged = change(writes);
    lines.push(encodeBatch(staged.changes, staged.revision));
    states.push(contents.list(""));
  }
  const ends: number[] = [];
  for (const line of lines) ends.push((ends.at(-1) ?? 0) + line.length);
  /** What is whole in the first `bytes` bytes. */
  const upTo = (bytes: number) => states[ends.filter((end) => end <= bytes).length - 1] ?? [];
  return { bytes: Buffer.concat(lines), ends, states, upTo };
}

const sample = () =>
  journal(
    [
      { key: "cluster", value: "{}" },
      { key: "containers/a", value: 'with "quotes", \n lines and 00000000 {"revision":9}' },
    ],
    [
      [{ key: "intents/1", value: "ä" }],
      [
        { key: "intents/1", value: undefined },
        { key: "containers/b", value: "" },
      ],
      [{ key: "cluster", value: "x".repeat(40) }],
    ],
  );

const listed = (entries: ReadonlyMap<string, Entry>) => [...entries.values()].sort((a, b) => (a.key < b.key ? -1 : 1));

describe("the journal's format", () => {
  it("gives back what was put in", () => {
    const { bytes, states } = sample();
    const decoded = decode(bytes);
    expect(listed(decoded.entries)).toEqual(states.at(-1));
    expect(decoded).toMatchObject({ revision: 4, cut: 0, missing: 0, whole: true, restoration: undefined });
  });

  it("cut off at any byte, holds what was whole before it", () => {
    const { bytes, ends, upTo } = sample();
    for (let length = 0; length <= bytes.length; length++) {
      const decoded = decode(bytes.subarray(0, length));
      expect(listed(decoded.entries)).toEqual(upTo(length));
      expect(decoded.cut).toBe(length - Math.max(0, ...ends.filter((end) => end <= length)));
      expect(decoded.whole).toBe(ends.slice(1).includes(length));
    }
  });

  it("cut off with anything but a whole record behind it, holds what was whole before it", () => {
    const { bytes, upTo } = sample();
    for (const junk of [
      Buffer.alloc(100),
      Buffer.from("\n\n\n"),
      Buffer.from(' {"revision":1}\n'),
      Buffer.alloc(9, "a"),
    ]) {
      for (let length = 0; length < bytes.length; length++) {
        const torn = Buffer.concat([bytes.subarray(0, length), junk]);
        // The junk's own line break may be what was cut off.
        expect([upTo(length), upTo(length + 1)]).toContainEqual(listed(decode(torn).entries));
      }
    }
  });

  it("with any bit flipped, is refused, or lost its last record and nothing else", () => {
    const { bytes, ends, states } = sample();
    const lastLine = ends.at(-2) ?? 0;
    let refused = 0;
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const at = bit >> 3;
      const flipped = Buffer.from(bytes);
      flipped[at] = (bytes[at] ?? 0) ^ (1 << (bit & 7));
      if (at < lastLine) {
        refused++;
        expect(() => decode(flipped)).toThrow(FormatError);
      } else {
        const decoded = decode(flipped);
        expect(listed(decoded.entries)).toEqual(states.at(-2));
        expect(decoded.cut).toBe(bytes.length - lastLine);
      }
    }
    expect(refused).toBe(lastLine * 8);
  });

  it("says where it is damaged, and which revision is the highest that is left", () => {
    const { bytes, ends } = sample();
    bytes[(ends[1] ?? 0) + 20] = 0;
    const error = (() => {
      try {
        return decode(bytes);
      } catch (caught) {
        return caught;
      }
    })();
    expect(error).toBeInstanceOf(FormatError);
    expect(error).toMatchObject({
      message: `damaged at byte ${ends[1]} (line 3), though what follows is whole`,
      revision: 4,
    });
  });

  it("says when the snapshot itself was cut short", () => {
    const large = Array.from({ length: 5 }, (_, at) => ({ key: `k${at}`, value: "x".repeat(150 << 10) }));
    const { bytes, ends } = journal(large, []);
    expect(ends.length).toBeGreaterThan(3);
    expect(decode(bytes).missing).toBe(0);
    expect(decode(bytes.subarray(0, ends[1])).missing).toBe(3);
    expect(decode(bytes.subarray(0, ends[0])).missing).toBe(5);
  });

  it("names a version that it cannot read, and what is not a store", () => {
    const line = (json: string) => Buffer.from(`${crc32(json).toString(16).padStart(8, "0")} ${json}\n`);
    expect(() => decode(line('{"format":"shoal-store","version":2,"entries":0,"revision":0}'))).toThrow(
      "written by another shoal (format 2, this one reads 1)",
    );
    expect(() => decode(line('{"hello":"world"}'))).toThrow("not a store of shoal's");
  });
});
