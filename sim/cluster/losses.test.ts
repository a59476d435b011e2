/** How many nodes may vanish at once before the manager suspects itself. */
import { describe, expect, it } from "vitest";
import type { ClusterNode } from "../../src/cluster/node.ts";
import { Losses } from "../../src/cluster/reschedule/losses.ts";
import { BRAKE_NODES, BRAKE_WINDOW_MS, HOST_LOST_MS } from "../../src/kit/limits.ts";
import { SimClock } from "../clock.ts";

/** A cluster of which the first `lost` nodes are silent, found so one after the other. */
async function afterLoss(size: number, lost: number, apartMs = 50) {
  const clock = new SimClock();
  const losses = new Losses(clock);
  const nodes = new Map<string, ClusterNode>();
  const put = (id: string, isSilent: boolean) =>
    nodes.set(id, {
      id,
      known: true,
      blocked: undefined,
      state: isSilent ? "unhealthy" : "healthy",
      error: isSilent ? "no answer" : undefined,
      engine: { fault: isSilent ? "silent" : undefined, reached: false },
    } as unknown as ClusterNode);
  for (let i = 0; i < size; i++) put(`node-${i}`, false);
  for (let i = 0; i < lost; i++) {
    await clock.advance(apartMs);
    put(`node-${i}`, true);
    losses.note(nodes);
  }
  await clock.advance(HOST_LOST_MS);
  return [...nodes.values()].filter((node) => losses.isLost(node)).length;
}

describe("nodes that vanish at once", () => {
  it.each([
    { size: 2, lost: 1, move: 1 },
    { size: 3, lost: 1, move: 1 },
    { size: 3, lost: 2, move: 0 },
    { size: 30, lost: 10, move: 10 },
    { size: 30, lost: 11, move: 0 },
    { size: 1_000, lost: 1, move: 1 },
    { size: 1_000, lost: BRAKE_NODES, move: BRAKE_NODES },
    { size: 1_000, lost: 11, move: 0 },
    { size: 1_000, lost: 40, move: 0 },
  ])("$lost of $size: $move are lost", async ({ size, lost, move }) => {
    expect(await afterLoss(size, lost)).toBe(move);
  });

  it("are lost when each went for itself", async () => {
    expect(await afterLoss(1_000, 40, BRAKE_WINDOW_MS / BRAKE_NODES + 1)).toBe(40);
  });
});
