/**
 * `constraint:storage==ssd`: engine labels, the node's name or ID, and the standard keys in any letter case, which no
 * engine label overrides. A key that the node does not have equals nothing, `*` included, and differs from everything.
 */
import type { Expression } from "../expression.ts";
import type { NodeView } from "../node-view.ts";
import { expressionCheck } from "./expressions.ts";
import type { Filter } from "./filter.ts";

const STANDARD: ReadonlySet<string> = new Set([
  "storagedriver",
  "driver",
  "executiondriver",
  "kernelversion",
  "operatingsystem",
  "ostype",
  "architecture",
]);

export const constraint: Filter = {
  name: "constraint",
  kind: "condition",
  check: (request) =>
    expressionCheck(
      "constraint",
      request.constraints.map((expression) => ({
        expression,
        holds: holdsOf(expression),
        has: (node) => {
          const values = valuesOf(node, expression.key);
          return `${expression.key} is ${values.length > 0 ? values.join(" or ") : "not set"}`;
        },
      })),
    ),
};

/**
 * Which nodes satisfy an expression, remembered by identity on both sides: the same text is the same Expression while it
 * is kept, and a node whose labels changed is another NodeView. Neither is kept alive by this.
 */
const answers = new WeakMap<Expression, WeakMap<NodeView, boolean>>();

function holdsOf(expression: Expression): (node: NodeView) => boolean {
  const equals = expression.operator === "==";
  const { exact } = expression.matcher;
  const label = isLabel(expression.key);
  // A look-up of a label is as fast as a look-up of the answer.
  if (exact !== undefined && label) return (node) => (node.labels.get(expression.key) === exact) === equals;
  const known = answers.get(expression) ?? new WeakMap<NodeView, boolean>();
  answers.set(expression, known);
  return (node) => {
    const before = known.get(node);
    if (before !== undefined) return before;
    const answer = valuesOf(node, expression.key).some((value) => expression.matcher.test(value)) === equals;
    known.set(node, answer);
    return answer;
  };
}

const isLabel = (key: string): boolean => key.toLowerCase() !== "node" && !STANDARD.has(key.toLowerCase());

function valuesOf(node: NodeView, key: string): readonly string[] {
  const folded = key.toLowerCase();
  if (folded === "node") return [node.name, node.id];
  const value = STANDARD.has(folded) ? node.standard.get(folded) : node.labels.get(key);
  return value === undefined ? [] : [value];
}
