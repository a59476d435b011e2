/** A node-local network can be joined only where it lives. */
import { coLocation } from "./co-location.ts";
import type { Filter } from "./filter.ts";

export const network: Filter = {
  name: "network",
  kind: "condition",
  check: (request, context) =>
    coLocation(
      request.networks.map((name) => ({
        what: `network ${name}`,
        words: `network ${name}`,
        nodes: context.surroundings.nodesOfNetwork(name),
      })),
      context,
    ),
};
