/** Makes a failing plan small: leaves out what the failure does not need, as long as the same rule is still broken. */
import type { Item, Plan } from "./plan.ts";
import { play, type RunOptions } from "./world.ts";

/** Runs that one shrinking may take. */
const MOST_RUNS = 400;

/** @returns the smallest plan found that still breaks the rule, and how many runs that took */
export async function shrink(
  plan: Plan,
  rule: string,
  options: RunOptions = {},
): Promise<{ plan: Plan; runs: number }> {
  let runs = 0;
  const fails = async (candidate: Plan): Promise<boolean> => {
    if (runs >= MOST_RUNS) return false;
    runs++;
    const { violations } = await play(candidate, options);
    return violations.some((violation) => violation.rule === rule);
  };
  let best = plan;
  const { violations } = await play(plan, options);
  const at = violations.find((violation) => violation.rule === rule)?.at ?? plan.endMs;
  const early = { ...plan, items: plan.items.filter((item) => item.at <= at) };
  if (await fails(early)) best = early;
  for (let size = Math.ceil(best.items.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    best = await without(best, size, fails);
  }
  for (const simpler of simplerOnes(best)) if (await fails(simpler)) best = simpler;
  return { plan: best, runs };
}

/** Leaves out each run of `size` items that is not needed. */
async function without(plan: Plan, size: number, fails: (plan: Plan) => Promise<boolean>): Promise<Plan> {
  let best = plan;
  for (let at = 0; at < best.items.length; ) {
    const items: Item[] = [...best.items.slice(0, at), ...best.items.slice(at + size)];
    const candidate = { ...best, items };
    if (items.length < best.items.length && (await fails(candidate))) best = candidate;
    else at += size;
  }
  return best;
}

function* simplerOnes(plan: Plan): IterableIterator<Plan> {
  yield { ...plan, nodes: plan.nodes.map((node) => ({ ...node, foreign: 0 })) };
  if (plan.mintIds) yield { ...plan, mintIds: false };
  for (let count = 1; count < plan.nodes.length; count++) yield { ...plan, nodes: plan.nodes.slice(0, count) };
}
