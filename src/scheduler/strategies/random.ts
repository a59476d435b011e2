/** Any node with room (classic Swarm's ignored room; here the resource filter has spoken before). */
import { seededRandom } from "../../kit/random.ts";
import type { Strategy } from "./strategy.ts";

const STEPS = 2 ** 31;

export const random: Strategy = {
  name: "random",
  ranking: (_request, context) => {
    // One draw per decision: the system's source costs a microsecond each, times a thousand nodes.
    const draws = seededRandom(context.random.int(STEPS));
    return { best: "lowest", ties: "name", weight: () => draws.int(STEPS) };
  },
};
