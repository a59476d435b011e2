/**
 * `whitelist:node==node-1|node-2`: the only nodes that may be considered, by name, under any key. `!=` keeps the named
 * ones out (classic Swarm took it for `==`).
 */
import { expressionCheck } from "./expressions.ts";
import type { Filter } from "./filter.ts";

export const whitelist: Filter = {
  name: "whitelist",
  kind: "condition",
  check: (request) =>
    expressionCheck(
      "whitelist",
      request.whitelists.map((expression) => ({
        expression,
        holds: (node) => expression.matcher.test(node.name) === (expression.operator === "=="),
        has: (node) => `node is ${node.name}`,
      })),
    ),
};
