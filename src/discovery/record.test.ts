import { describe, expect, it } from "vitest";
import { entryOf, readRecord, writeRecord } from "./record.ts";

const ID = "0123456789abcdef";

describe("a node's record", () => {
  it("is read as it was written", () => {
    const registration = {
      address: "a:1",
      id: ID,
      name: "node-1",
      labels: { storage: "ssd" },
      ttlMs: 180_000,
      beat: 7,
    };
    expect(writeRecord(registration)).toBe(
      `{"addr":"a:1","id":"${ID}","name":"node-1","labels":{"storage":"ssd"},"beat":7,"ttl":180}`,
    );
    expect(readRecord(writeRecord(registration))).toEqual(registration);
    expect(entryOf(readRecord(writeRecord(registration)))).toEqual({
      address: "a:1",
      id: ID,
      name: "node-1",
      labels: { storage: "ssd" },
    });
  });

  it("may be a classic agent's bare address", () => {
    expect(readRecord("10.0.0.1:2375\n")).toEqual({ address: "10.0.0.1:2375" });
  });

  it.each([
    ["unix:///var/run/docker.sock", "cannot hold unix:"],
    ['{"addr":"unix:///x"}', "cannot hold unix:"],
    ["{", "neither host:port nor JSON"],
    ["{}", "bad host"],
    ['{"addr":1}', "addr in a node's record is no text"],
    ['{"addr":"a","id":"../../x"}', "a node's ID has 16 to 64"],
    ['{"addr":"a","name":"a b"}', "bad name of a node"],
    ['{"addr":"a","labels":{"a":1}}', "a node's labels are texts"],
    ['{"addr":"a","ttl":-1}', "ttl in a node's record is no number"],
    ['{"addr":"a","ttl":"1"}', "ttl in a node's record is no number"],
    [`{"addr":"a","labels":{"a":"${"x".repeat(20_000)}"}}`, "has at most 16384 bytes"],
    [
      JSON.stringify({ addr: "a", labels: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`k${i}`, ""])) }),
      "at most 64 labels",
    ],
  ])("%s is refused", (text, words) => {
    expect(() => readRecord(text)).toThrow(words);
  });
});
