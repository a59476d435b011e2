/** From expressions to a check: hard ones exclude, soft ones order. Shared by constraint, affinity and whitelist. */
import type { Expression } from "../expression.ts";
import type { NodeView } from "../node-view.ts";
import type { Check } from "./filter.ts";

/** One expression bound to the facts of this decision. */
export interface Rule {
  readonly expression: Expression;
  /** With the operator applied: true when the node is as the expression asks. */
  holds(node: NodeView): boolean;
  /** What the node has instead, for explanations. */
  has(node: NodeView): string;
}

export function expressionCheck(kind: string, rules: readonly Rule[]): Check | undefined {
  if (rules.length === 0) return undefined;
  const hard = rules.filter((rule) => !rule.expression.soft);
  const broken = (node: NodeView): readonly Rule[] => hard.filter((rule) => !rule.holds(node));
  return {
    accepts: (node) => {
      for (const rule of hard) if (!rule.holds(node)) return false;
      return true;
    },
    why: (node) =>
      broken(node)
        .map((rule) => `${rule.has(node)}, ${rule.expression.text} asked`)
        .join("; "),
    words: hard.map((rule) => `${kind} ${rule.expression.text}`),
    soft: rules
      .filter((rule) => rule.expression.soft)
      .map((rule) => ({ text: `${kind} ${rule.expression.text}`, holds: (node: NodeView) => rule.holds(node) })),
    miss: (node) => broken(node).length,
  };
}
