/**
 * What a filter is. A filter looks at the request once per decision and gives a check for the nodes, or undefined when
 * the request asks nothing of it. Filters are pure: everything that they may know comes in here.
 */
import type { Ledger } from "../ledger.ts";
import type { NodeView, Surroundings } from "../node-view.ts";
import type { Request } from "../request.ts";

export interface FilterContext {
  readonly ledger: Ledger;
  readonly surroundings: Surroundings;
  /** 0.05 admits 5 % more than a node reports. */
  readonly overcommit: number;
  /** All nodes of the decision, for explanations. */
  readonly nodes: readonly NodeView[];
}

/**
 * How a refusal speaks when only this kind stood in the way: `health`: no node can take anything; `room`: nodes meet the
 * conditions but are full; `condition`: no node is what was asked for.
 */
export type FilterKind = "health" | "room" | "condition";

export interface Filter {
  /** As in `--filter` and in explanations. */
  readonly name: string;
  readonly kind: FilterKind;
  check(request: Request, context: FilterContext): Check | undefined;
}

/** One filter's judgement of one request. `accepts` is asked of every node in every decision: no allocation there. */
export interface Check {
  /** Hard rules only. */
  accepts(node: NodeView): boolean;
  /** Why a node that was not accepted was not: a clause without the node's name. */
  why(node: NodeView): string;
  /** What is asked, one bracket each in classic Swarm's refusal. */
  readonly words: readonly string[];
  /** Rules that a node may break at a cost: they order the nodes and never exclude one. */
  readonly soft?: readonly SoftRule[];
  /** Things of which it must be clear which is meant: no node is chosen while what else is asked leaves several. */
  readonly choices?: readonly Choice[];
  /** How far an excluded node is from being accepted; the smallest is named as the nearest miss. */
  miss?(node: NodeView): number;
  /** A clause that explains the exclusion better than one node's reason does. */
  readonly summary?: string | undefined;
}

/** One of several alike things, each on a node of its own. */
export interface Choice {
  /** IDs of the nodes that have one. */
  readonly nodes: ReadonlySet<string>;
  /** What the client is told, given the nodes between which nothing decides. */
  refusal(nodes: readonly NodeView[]): string;
}

export interface SoftRule {
  /** As the user wrote it. */
  readonly text: string;
  holds(node: NodeView): boolean;
}
