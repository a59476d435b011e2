/** Nodes that cannot be reached take nothing. */
import type { Filter } from "./filter.ts";

export const health: Filter = {
  name: "health",
  kind: "health",
  check: () => ({
    accepts: (node) => node.healthy,
    why: () => "not healthy",
    words: [],
  }),
};
