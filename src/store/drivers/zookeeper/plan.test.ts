/** Transactions as ZooKeeper's parts: the same effect whatever is there, and none when it is no longer so. */
import { describe, expect, it } from "vitest";
import type { Condition, Write } from "../../store.ts";
import { decodeValue, encodeValue, type Found, parentsOf, planTxn } from "./plan.ts";
import { WORLD } from "./wire/operations.ts";

const entry: Found = { mzxid: 7n, version: 3, dataLength: 1, children: 0 };
const directory: Found = { mzxid: 5n, version: 0, dataLength: 0, children: 2 };
const both: Found = { mzxid: 7n, version: 3, dataLength: 1, children: 2 };

function plan(found: Found, conditions: readonly Condition[], writes: readonly Write[]) {
  const guard = { path: "/root", version: 9 };
  const parts = planTxn({ conditions, writes }, { guard, acl: WORLD, found: () => found });
  return parts?.map(({ op, path, ...more }) => `${op} ${path}${"version" in more ? ` ${more.version}` : ""}`);
}
const set: Write = { key: "k", value: "v" };
const gone: Write = { key: "k", value: undefined };
const absent: Condition = { key: "k", version: undefined };
const present: Condition = { key: "k", version: "7" };

describe("a plan", () => {
  it.each([
    ["sets what is there", entry, [], [set], ["setData /k -1"]],
    ["makes what is not", undefined, [], [set], ["create /k"]],
    ["makes an entry of a directory", directory, [absent], [set], ["setData /k 0", "check /root 9"]],
    ["sets only that version", entry, [present], [set], ["setData /k 3", "check /root 9"]],
    ["deletes, and says so", entry, [], [gone], ["delete /k -1", "setData /root -1"]],
    ["deletes only that version", entry, [present], [gone], ["delete /k 3", "setData /root 9"]],
    ["leaves what lies below", both, [], [gone], ["setData /k -1"]],
    ["deletes nothing only while there is nothing", undefined, [], [gone], ["create /k", "delete /k -1"]],
    ["nor of a directory", directory, [], [gone], ["check /k 0", "check /root 9"]],
    ["asks for a version", entry, [present], [], ["check /k 3", "check /root 9"]],
    ["asks for nothing", undefined, [absent], [], ["create /k", "delete /k -1"]],
  ] as const)("%s", (_, found, conditions, writes, parts) => {
    expect(plan(found, conditions, writes)).toEqual(parts);
  });

  it("is none when a condition does not hold", () => {
    expect(plan(entry, [absent], [set])).toBeUndefined();
    expect(plan(undefined, [present], [set])).toBeUndefined();
    expect(plan(directory, [present], [set])).toBeUndefined();
    expect(plan(entry, [{ key: "k", version: "6" }], [set])).toBeUndefined();
  });
});

describe("a node", () => {
  it.each(["", "x", "\0", "\0x", "é"])("holds the value %j, and tells it from none", (value) => {
    expect(encodeValue(value).length).toBeGreaterThan(0);
    expect(decodeValue(encodeValue(value))).toBe(value);
  });

  it("without data is no entry", () => {
    expect(decodeValue(Buffer.alloc(0))).toBeUndefined();
  });

  it("lies below others", () => {
    expect(parentsOf("a/b/c")).toEqual(["/a", "/a/b"]);
    expect(parentsOf("a")).toEqual([]);
  });
});
