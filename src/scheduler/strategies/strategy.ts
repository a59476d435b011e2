/** What a strategy is: a weight for each node that passed the filters, and which end of the scale is the best. */
import type { Random } from "../../kit/random.ts";
import type { FilterContext } from "../filters/filter.ts";
import type { NodeView } from "../node-view.ts";
import type { Request } from "../request.ts";

export interface StrategyContext extends Omit<FilterContext, "nodes"> {
  readonly random: Random;
}

export interface Strategy {
  /** As in `--strategy` and in `docker info`. */
  readonly name: string;
  ranking(request: Request, context: StrategyContext): Ranking;
}

/** One decision's scale. Equal weights are settled by `ties`, then by name, so that the same input gives the same answer. */
export interface Ranking {
  readonly best: "highest" | "lowest";
  /** Which of two equal nodes is better: the one with more or fewer containers, with fewer networks, or (`name`) neither. */
  readonly ties: "more" | "fewer" | "networks" | "name";
  /** No allocation: asked of every node in every decision. */
  weight(node: NodeView): number;
}
