import { describe, expect, it } from "vitest";
import { decodeHint, encodeHint, type Hint } from "./hint.ts";

const SMALL: Hint = {
  id: undefined,
  nonce: "0123456789abcdef",
  epoch: 1,
  cpuShares: undefined,
  needs: { nanoCpus: 0, memory: 0, ports: [], whenExited: false },
};
const FULL: Hint = {
  id: "a".repeat(64),
  nonce: "fedcba9876543210",
  epoch: 3,
  cpuShares: 2,
  moves: "unasked",
  needs: {
    nanoCpus: 2e9,
    memory: 2 ** 40,
    ports: [
      { ip: "", port: 80, protocol: "tcp" },
      { ip: "127.0.0.1", port: 53, protocol: "udp" },
    ],
    whenExited: true,
    slot: "shop/web/1",
    replaces: "b".repeat(64),
  },
};

describe("the hint", () => {
  it.each([["small", SMALL] as const, ["full", FULL] as const])("comes back as it was written: %s", (_name, hint) => {
    expect(decodeHint(encodeHint(hint))).toEqual(hint);
  });

  it("stays short when there is little to say", () => {
    expect(encodeHint(SMALL)).toBe('{"v":1,"n":"0123456789abcdef"}');
  });

  it.each([
    undefined,
    "",
    "null",
    "[]",
    "7",
    "{}",
    '{"v":2,"n":"x"}',
    '{"v":1}',
    '{"v":1,"n":5}',
    '{"v":1,"n":"x","p":7}',
    "{",
  ])("is none when it is not ours: %s", (text) => {
    expect(decodeHint(text)).toBeUndefined();
  });
});
