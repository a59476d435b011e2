/** Request + nodes → ranked nodes, or an explanation. The scheduler's front door. */
import type { Random } from "../kit/random.ts";
import { type ActiveCheck, Exclusions } from "./exclusions.ts";
import type { Filter, FilterContext, SoftRule } from "./filters/filter.ts";
import type { Ledger } from "./ledger.ts";
import type { NodeView, Surroundings } from "./node-view.ts";
import { BestFew, type Candidate } from "./ranking.ts";
import { type RefusalKind, refusalOf } from "./refusal.ts";
import type { Request } from "./request.ts";
import type { Ranking, Strategy } from "./strategies/strategy.ts";

export { refusalError } from "./refusal.ts";

export interface FilterReport {
  readonly filter: string;
  /** How many nodes it excluded, each counted by the first filter that did. */
  readonly count: number;
  /** Node names that it excluded, each with why; the first EXCLUDED_KEPT of them. */
  readonly excluded: readonly { readonly node: string; readonly why: string }[];
}

/** One decision, kept for `shoal why`. */
export interface Decision {
  /** Best first, at most RANKED_KEPT; empty when refused. */
  readonly ranked: readonly NodeView[];
  readonly strategy: string;
  /** How many nodes were looked at, and how many passed the filters. */
  readonly considered: number;
  readonly passed: number;
  /** The filters that excluded a node, in their order. */
  readonly filters: readonly FilterReport[];
  /** Of the ranked nodes, best first. `weight` as the strategy's formula gives it. */
  readonly scores: readonly {
    readonly node: string;
    readonly weight: number;
    readonly softBroken: readonly string[];
  }[];
  /** The refusal: the classic sentence first, then a line per filter. Undefined when there is a node. */
  readonly refusal: string | undefined;
  /** What stood in the way; undefined when there is a node. */
  readonly refusedFor: RefusalKind | undefined;
}

export interface PlaceContext {
  readonly ledger: Ledger;
  readonly surroundings: Surroundings;
  readonly strategy: Strategy;
  readonly filters: readonly Filter[];
  /** 0.05 admits 5 % more than a node reports; above -1. */
  readonly overcommit: number;
  readonly random: Random;
  /** Nodes that were tried and could not take it: ID → why, a clause without the node's name. */
  readonly exclude?: ReadonlyMap<string, string>;
}

/**
 * Decides where a container goes, without changing anything: reserve the first node in the ledger before the next await.
 * One pass over the nodes. DockerErrors are refusalError's business; this never throws for want of a place.
 */
export function place(request: Request, nodes: readonly NodeView[], context: PlaceContext): Decision {
  const filterContext: FilterContext = {
    ledger: context.ledger,
    surroundings: context.surroundings,
    overcommit: context.overcommit,
    nodes,
  };
  const checks = activeChecks(request, filterContext, context);
  const unclear = unclearChoice(checks, nodes);
  if (unclear !== undefined) return undecided(context.strategy.name, nodes.length, unclear);
  const exclusions = new Exclusions(checks);
  const ranking = context.strategy.ranking(request, context);
  const soft = checks.flatMap(({ check }) => check.soft ?? []);
  const best = new BestFew(ranking);
  const holders = context.surroundings.holdersOfImage(request.image);
  let passed = 0;
  for (const node of nodes) {
    const excluding = firstExcluding(checks, node);
    if (excluding >= 0) {
      exclusions.add(excluding, node);
      continue;
    }
    passed++;
    best.add({
      node,
      weight: ranking.weight(node),
      broken: brokenCount(soft, node),
      image: holders.has(node.id),
      has: tieCount(ranking, node.id, context.surroundings),
    });
  }
  const refused = passed > 0 ? undefined : refusalOf(checks, exclusions, nodes);
  return {
    ranked: best.best.map(({ node }) => node),
    strategy: context.strategy.name,
    considered: nodes.length,
    passed,
    filters: exclusions.reports(),
    scores: best.best.map((candidate) => scoreOf(candidate, soft)),
    refusal: refused?.text,
    refusedFor: refused?.kind,
  };
}

function activeChecks(request: Request, filterContext: FilterContext, context: PlaceContext): readonly ActiveCheck[] {
  const checks: ActiveCheck[] = [];
  const { exclude } = context;
  if (exclude !== undefined && exclude.size > 0) {
    const check = {
      accepts: (node: NodeView) => !exclude.has(node.id),
      why: (node: NodeView) => exclude.get(node.id) ?? "",
      words: [],
    };
    checks.push({ name: "tried", kind: "room", check });
  }
  for (const filter of context.filters) {
    const check = filter.check(request, filterContext);
    if (check !== undefined) checks.push({ name: filter.name, kind: filter.kind, check });
  }
  return checks;
}

/**
 * A refusal when something is on several nodes and nothing that the request asks tells them apart. That one of them is
 * full, down, cordoned or was tried is no choice of the client's.
 */
function unclearChoice(checks: readonly ActiveCheck[], nodes: readonly NodeView[]): string | undefined {
  if (!checks.some(({ check }) => check.choices !== undefined)) return undefined;
  const asked = checks.filter(({ kind, name }) => kind === "condition" && name !== "cordon");
  const possible = nodes.filter((node) => asked.every(({ check }) => check.accepts(node)));
  for (const { check } of checks) {
    for (const choice of check.choices ?? []) {
      const left = possible.filter((node) => choice.nodes.has(node.id));
      if (left.length > 1) return choice.refusal(left);
    }
  }
  return undefined;
}

function undecided(strategy: string, considered: number, refusal: string): Decision {
  const nothing = { ranked: [], filters: [], scores: [], passed: 0 };
  return { ...nothing, strategy, considered, refusal, refusedFor: "condition" };
}

function firstExcluding(checks: readonly ActiveCheck[], node: NodeView): number {
  for (let index = 0; index < checks.length; index++) if (checks[index]?.check.accepts(node) === false) return index;
  return -1;
}

function tieCount({ ties }: Ranking, node: string, surroundings: Surroundings): number {
  if (ties === "name") return 0;
  if (ties === "networks") return surroundings.networksOn(node);
  return surroundings.containersOn(node).all + surroundings.groupsExpectedOn(node);
}

function brokenCount(soft: readonly SoftRule[], node: NodeView): number {
  let broken = 0;
  for (const rule of soft) if (!rule.holds(node)) broken++;
  return broken;
}

function scoreOf({ node, weight, broken }: Candidate, soft: readonly SoftRule[]): Decision["scores"][number] {
  const softBroken = broken === 0 ? [] : soft.filter((rule) => !rule.holds(node)).map((rule) => rule.text);
  return { node: node.name, weight, softBroken };
}
