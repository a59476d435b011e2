/** Things that already live somewhere pull a container to a node that has them all. Shared by dependency, volume and network. */
import type { NodeView } from "../node-view.ts";
import type { Check, FilterContext } from "./filter.ts";

export interface Tie {
  /** What it is, in an explanation: `container db (--link)`. */
  readonly what: string;
  /** The bracket of classic Swarm's refusal. */
  readonly words: string;
  /** IDs of the nodes that have it; empty when none does, and then it ties to none. */
  readonly nodes: ReadonlySet<string>;
}

/** Undefined when nothing ties. What lives nowhere is left to the engine: it makes it, or says `No such …` itself. */
export function coLocation(ties: readonly Tie[], context: FilterContext): Check | undefined {
  const binding = ties.filter((tie) => tie.nodes.size > 0);
  if (binding.length === 0) return undefined;
  const missing = (node: NodeView): readonly Tie[] => binding.filter((tie) => !tie.nodes.has(node.id));
  return {
    accepts: (node) => {
      for (const tie of binding) if (!tie.nodes.has(node.id)) return false;
      return true;
    },
    why: (node) => sentence(missing(node), context),
    words: binding.map((tie) => tie.words),
    // Where each lives says more than what one node lacks, above all when they live apart.
    get summary() {
      return sentence(binding, context);
    },
    miss: (node) => missing(node).length,
  };
}

function sentence(ties: readonly Tie[], { nodes }: FilterContext): string {
  return ties
    .map((tie) => {
      const names = nodes.filter((node) => tie.nodes.has(node.id)).map((node) => node.name);
      return `${tie.what} is on ${names.length > 0 ? names.join(", ") : "a node that is not here"}`;
    })
    .join("; ");
}
