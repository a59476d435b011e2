/** Nodes that the operator closed take nothing new. */
import type { Filter } from "./filter.ts";

export const cordon: Filter = {
  name: "cordon",
  kind: "condition",
  check: (_request, { nodes }) => {
    if (!nodes.some((node) => node.cordoned)) return undefined;
    return { accepts: (node) => !node.cordoned, why: () => "cordoned", words: ["not cordoned"] };
  },
};
