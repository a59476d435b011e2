/**
 * Without `--strategy`: what reserves CPU or memory is packed; what reserves nothing is spread by running containers per
 * CPU, this one included, so that unreserved work never piles up on one host and a large one takes its part. A new group
 * finds its home by room.
 */
import { binpack } from "./binpack.ts";
import { home } from "./home.ts";
import type { Strategy } from "./strategy.ts";

export const defaultStrategy: Strategy = {
  name: "default",
  ranking: (request, context) => {
    const { surroundings } = context;
    if (request.group !== undefined) {
      const standing = surroundings.groupOf(request.group);
      if (standing.home === undefined && standing.policy !== "spread") return home.ranking(request, context);
    }
    if (request.nanoCpus > 0 || request.memory > 0) return binpack.ranking(request, context);
    return {
      best: "lowest",
      ties: "name",
      // Division rounds correctly, so equal ratios of these small integers are equal numbers.
      weight: (node) => {
        const busy = surroundings.containersOn(node.id).running + surroundings.groupsExpectedOn(node.id) + 1;
        return busy / Math.max(1, Math.round(node.nanoCpus / 1e9));
      },
    };
  },
};
