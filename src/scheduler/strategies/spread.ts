/** The emptiest node, so that a lost node takes few containers with it. */
import type { Strategy } from "./strategy.ts";
import { utilisation } from "./utilisation.ts";

export const spread: Strategy = {
  name: "spread",
  ranking: (request, context) => ({ best: "lowest", ties: "fewer", weight: utilisation(request, context) }),
};
