/** The fullest node that still has room, so that large containers find whole nodes free later. */
import type { Strategy } from "./strategy.ts";
import { utilisation } from "./utilisation.ts";

export const binpack: Strategy = {
  name: "binpack",
  ranking: (request, context) => ({ best: "highest", ties: "more", weight: utilisation(request, context) }),
};
