import { describe, expect, it } from "vitest";
import { DECISIONS_KEPT } from "../kit/limits.ts";
import type { Decision } from "../scheduler/place.ts";
import { Decisions } from "./decisions.ts";

const decision = { ranked: [] } as unknown as Decision;
const kept = (name: string, time = 0): Parameters<Decisions["keep"]>[0] => ({
  name,
  id: undefined,
  time,
  node: "n",
  decision,
});

describe("kept decisions", () => {
  it("are the last of each name, and the oldest goes when there are too many", () => {
    const decisions = new Decisions();
    for (let i = 0; i < DECISIONS_KEPT; i++) decisions.keep(kept(`c${i}`));
    decisions.keep(kept("c0", 7));
    expect(decisions.named("c0")?.time).toBe(7);
    decisions.keep(kept("one more"));
    expect(decisions.named("c1")).toBeUndefined();
    expect(decisions.named("c0")?.time).toBe(7);
  });
});
