/**
 * Without `--strategy`: what reserves CPU or memory is packed; what reserves nothing is spread by running containers per
 * CPU, this one included, so that unreserved work never piles up on one host and a large one takes its part.
 */
import { binpack } from "./binpack.ts";
import type { Strategy } from "./strategy.ts";

export const defaultStrategy: Strategy = {
  name: "default",
  ranking: (request, context) => {
    if (request.nanoCpus > 0 || request.memory > 0) return binpack.ranking(request, context);
    const { surroundings } = context;
    return {
      best: "lowest",
      ties: "name",
      // Division rounds correctly, so equal ratios of these small integers are equal numbers.
      weight: (node) => (surroundings.containersOn(node.id).running + 1) / Math.max(1, Math.round(node.nanoCpus / 1e9)),
    };
  },
};
