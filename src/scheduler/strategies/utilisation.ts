/**
 * Classic Swarm's weight: how full a node would be. Each of CPU and memory counts
 * (used + asked) × 100 / total in integers, or 100 when none of it is asked; total includes overcommit.
 * Classic adds a constant for a healthy node; here distress ranks a node last instead (place.ts), and the rest are equal.
 */
import { needOf } from "../filters/need.ts";
import type { NodeView } from "../node-view.ts";
import { percent, withOvercommit } from "../overcommit.ts";
import type { Request } from "../request.ts";
import type { StrategyContext } from "./strategy.ts";

/** The sum of both percentages, 0 to 200. */
export function utilisation(request: Request, context: StrategyContext): (node: NodeView) => number {
  const { ledger, overcommit, surroundings } = context;
  const need = needOf(request, surroundings);
  if (need.nanoCpus === 0 && need.memory === 0) return () => 200;
  return (node) => {
    const after = ledger.after(node.id, need);
    const cpu = need.nanoCpus > 0 ? percent(after.nanoCpus, withOvercommit(node.nanoCpus, overcommit)) : 100;
    const memory = need.memory > 0 ? percent(after.memory, withOvercommit(node.memory, overcommit)) : 100;
    return cpu + memory;
  };
}
