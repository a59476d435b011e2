/** The registry of strategies. */
import { binpack } from "./binpack.ts";
import { defaultStrategy } from "./default.ts";
import { random } from "./random.ts";
import { spread } from "./spread.ts";
import type { Strategy } from "./strategy.ts";

const BY_NAME: ReadonlyMap<string, Strategy> = new Map([
  ["default", defaultStrategy],
  ["binpack", binpack],
  ["binpacking", binpack],
  ["spread", spread],
  ["random", random],
]);

/** The strategy of `--strategy`; undefined is shoal's default. Throws `strategy not supported`, classic Swarm's words. */
export function strategyByName(name: string | undefined): Strategy {
  const strategy = name === undefined ? defaultStrategy : BY_NAME.get(name);
  if (strategy === undefined) throw new Error("strategy not supported");
  return strategy;
}
