/** Request + nodes → ranked nodes, or an explanation. The scheduler's front door. */
import type { NodeView } from "./node-view.ts";

export interface FilterReport {
  readonly filter: string;
  /** Node names that it excluded, each with why. */
  readonly excluded: readonly { readonly node: string; readonly why: string }[];
}

/** One decision, kept for `shoal why`. */
export interface Decision {
  /** Best first; empty when refused. */
  readonly ranked: readonly NodeView[];
  readonly strategy: string;
  readonly filters: readonly FilterReport[];
  /** Of every node that passed the filters, best first. `weight` as the strategy's formula gives it. */
  readonly scores: readonly {
    readonly node: string;
    readonly weight: number;
    readonly softBroken: readonly string[];
  }[];
  /** The refusal: the classic sentence first, then a line per filter. Undefined when there is a node. */
  readonly refusal: string | undefined;
}
