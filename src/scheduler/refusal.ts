/**
 * The words of a refusal: classic Swarm's sentence, then one line per filter that excluded a node.
 * Owns the text and its HTTP status; must not decide who is excluded.
 */
import { conflict, type DockerError, unavailable } from "../docker/errors.ts";
import { invariant } from "../kit/invariant.ts";
import type { ActiveCheck, Exclusions } from "./exclusions.ts";
import type { FilterKind } from "./filters/filter.ts";
import { compareNatural } from "./natural-order.ts";
import type { NodeView } from "./node-view.ts";
import type { Decision } from "./place.ts";

export type RefusalKind = FilterKind;

export interface Refusal {
  readonly kind: RefusalKind;
  readonly text: string;
}

/** For a decision in which every node was excluded. */
export function refusalOf(checks: readonly ActiveCheck[], exclusions: Exclusions, nodes: readonly NodeView[]): Refusal {
  const kind = kindOf(checks, nodes);
  const lines = checks.flatMap((active, index) => lineOf(active, exclusions.of(index), nodes.length));
  return { kind, text: [...sentence(kind, checks, exclusions), ...lines].join("\n") };
}

/**
 * The refusal as an error for the client: 503 when no node is healthy (it may be worth trying again), 409 otherwise,
 * which is what Docker answers where names and ports conflict.
 */
export function refusalError(decision: Decision): DockerError {
  invariant(decision.refusal !== undefined, "refusalError of a decision that has a node");
  return decision.refusedFor === "health" ? unavailable(decision.refusal) : conflict(decision.refusal);
}

/**
 * What to say first does not depend on the filters' order: no node that is up, or nodes that are as asked and are full,
 * or none that is as asked.
 */
function kindOf(checks: readonly ActiveCheck[], nodes: readonly NodeView[]): RefusalKind {
  const passes = (node: NodeView, kinds: readonly FilterKind[]): boolean =>
    checks.every(({ kind, check }) => !kinds.includes(kind) || check.accepts(node));
  if (!nodes.some((node) => passes(node, ["health"]))) return "health";
  return nodes.some((node) => passes(node, ["health", "condition"])) ? "room" : "condition";
}

function sentence(kind: RefusalKind, checks: readonly ActiveCheck[], exclusions: Exclusions): readonly string[] {
  switch (kind) {
    case "health":
      return ["No healthy node available in the cluster"];
    case "room":
      return ["no resources available to schedule container"];
    case "condition": {
      const last = checks.findLastIndex((_, index) => exclusions.of(index).length > 0);
      const brackets = checks.slice(0, last + 1).flatMap(({ check }) => check.words.map((words) => `[${words}]`));
      return ["Unable to find a node that satisfies the following conditions ", ...brackets];
    }
  }
}

/** `resource: 3 of 3 nodes; nearest miss node-2: 1 GiB of 2.1 GiB memory free, 10 GiB asked`. */
function lineOf({ name, check }: ActiveCheck, excluded: readonly NodeView[], all: number): readonly string[] {
  const nearest = nearestOf(check.miss?.bind(check) ?? (() => 0), excluded);
  if (nearest === undefined) return [];
  const reason = check.summary ?? `nearest miss ${nearest.name}: ${check.why(nearest)}`;
  return [`${name}: ${excluded.length} of ${all} nodes; ${reason}`];
}

function nearestOf(miss: (node: NodeView) => number, nodes: readonly NodeView[]): NodeView | undefined {
  let best: { node: NodeView; miss: number } | undefined;
  for (const node of nodes) {
    const candidate = { node, miss: miss(node) };
    const nearer =
      best === undefined ||
      candidate.miss < best.miss ||
      (candidate.miss === best.miss && compareNatural(node.name, best.node.name) < 0);
    if (nearer) best = candidate;
  }
  return best?.node;
}
