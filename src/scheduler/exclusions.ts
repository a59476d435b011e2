/**
 * Which filter excluded which node in one decision: counts always, reasons for the first few, so that an accepted
 * decision over a thousand nodes stays cheap to make and to keep.
 */
import { EXCLUDED_KEPT } from "../kit/limits.ts";
import type { Check, FilterKind } from "./filters/filter.ts";
import type { NodeView } from "./node-view.ts";
import type { FilterReport } from "./place.ts";

/** A filter's check of this request. */
export interface ActiveCheck {
  readonly name: string;
  readonly kind: FilterKind;
  readonly check: Check;
}

export class Exclusions {
  readonly #checks: readonly ActiveCheck[];
  readonly #nodes: NodeView[][];

  constructor(checks: readonly ActiveCheck[]) {
    this.#checks = checks;
    this.#nodes = checks.map(() => []);
  }

  /** `index` of the first check that did not accept the node. */
  add(index: number, node: NodeView): void {
    this.#nodes[index]?.push(node);
  }

  /** The nodes that a check was the first to exclude. */
  of(index: number): readonly NodeView[] {
    return this.#nodes[index] ?? [];
  }

  /** Reasons as they are now: call before anything is reserved. */
  reports(): readonly FilterReport[] {
    return this.#checks.flatMap(({ name, check }, index) => {
      const nodes = this.of(index);
      if (nodes.length === 0) return [];
      const excluded = nodes.slice(0, EXCLUDED_KEPT).map((node) => ({ node: node.name, why: check.why(node) }));
      return [{ filter: name, count: nodes.length, excluded }];
    });
  }
}
