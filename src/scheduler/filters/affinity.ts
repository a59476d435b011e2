/** `affinity:container==db`, `affinity:image==redis`, `affinity:<label of containers>==value`: nearness to what is there. */
import type { Expression } from "../expression.ts";
import type { Surroundings } from "../node-view.ts";
import { expressionCheck } from "./expressions.ts";
import type { Filter } from "./filter.ts";

export const affinity: Filter = {
  name: "affinity",
  kind: "condition",
  check: (request, { surroundings }) =>
    expressionCheck(
      "affinity",
      request.affinities.map((expression) => {
        const nodes = nodesWith(expression, surroundings);
        const equals = expression.operator === "==";
        return {
          expression,
          holds: (node) => nodes.has(node.id) === equals,
          has: () => `${equals ? "has no" : "has a"} ${expression.key} that matches`,
        };
      }),
    ),
};

function nodesWith({ key, matcher }: Expression, surroundings: Surroundings): ReadonlySet<string> {
  if (key === "container") return surroundings.nodesWithContainer(matcher);
  if (key === "image") return surroundings.nodesWithImage(matcher);
  return surroundings.nodesWithContainerLabel(key, matcher);
}
