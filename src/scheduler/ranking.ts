/**
 * The order of the nodes that passed: distress last, then fewer broken soft rules, then the strategy; of equals those that
 * have the image. Keeps only the best few: nobody tries more, decisions are remembered by the thousand, and sorting them all would cost more than the pass.
 */
import { RANKED_KEPT } from "../kit/limits.ts";
import { compareNatural } from "./natural-order.ts";
import type { NodeView } from "./node-view.ts";
import type { Ranking } from "./strategies/strategy.ts";

export interface Candidate {
  readonly node: NodeView;
  readonly weight: number;
  /** How many soft rules it breaks. */
  readonly broken: number;
  /** It has the request's image already. */
  readonly image: boolean;
  /** What settles a tie: how many containers or networks it has. */
  readonly has: number;
}

export class BestFew {
  readonly #compare: (a: Candidate, b: Candidate) => number;
  /** Best first. */
  readonly #kept: Candidate[] = [];

  constructor(ranking: Ranking) {
    this.#compare = candidateOrder(ranking);
  }

  add(candidate: Candidate): void {
    const kept = this.#kept;
    const worst = kept.at(-1);
    if (worst !== undefined && kept.length >= RANKED_KEPT && this.#compare(candidate, worst) > 0) return;
    let at = kept.length;
    for (let better = kept[at - 1]; better !== undefined; better = kept[at - 1]) {
      if (this.#compare(better, candidate) <= 0) break;
      at--;
    }
    kept.splice(at, 0, candidate);
    if (kept.length > RANKED_KEPT) kept.pop();
  }

  get best(): readonly Candidate[] {
    return this.#kept;
  }
}

/** A total order: no two nodes are equal, whatever order they came in. */
function candidateOrder({ best, ties }: Ranking): (a: Candidate, b: Candidate) => number {
  const heavier = best === "highest" ? -1 : 1;
  const fuller = ties === "name" ? 0 : ties === "more" ? -1 : 1;
  return (a, b) =>
    Number(a.node.distressed) - Number(b.node.distressed) ||
    a.broken - b.broken ||
    heavier * (a.weight - b.weight) ||
    Number(b.image) - Number(a.image) ||
    fuller * (a.has - b.has) ||
    compareNatural(a.node.name, b.node.name) ||
    compareNatural(a.node.id, b.node.id);
}
