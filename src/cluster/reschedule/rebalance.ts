/**
 * What would be elsewhere if it were placed today: moves that an operator may want now that nodes are new, or back. Nothing
 * here moves anything.
 */
import { REBALANCE_GAIN, REBALANCE_MOVES, REBALANCE_WHOLES } from "../../kit/limits.ts";
import { type Decision, type PlaceContext, place } from "../../scheduler/place.ts";
import type { Request } from "../../scheduler/request.ts";
import type { Strategy } from "../../scheduler/strategies/strategy.ts";
import type { Cluster } from "../cluster.ts";
import { decide, placeContext } from "../create.ts";
import { reservationOf } from "../holdings.ts";
import type { ClusterNode } from "../node.ts";
import { NoRecipe } from "./move-on.ts";
import { leavingOf, unitsOn } from "./units.ts";
import { type Whole, wholeOf } from "./whole.ts";

export interface Proposal {
  readonly whole: Whole;
  readonly to: ClusterNode;
  /** A clause. */
  readonly why: string;
}

/**
 * The fullest nodes first. Each move counts as made for the next, so that all together are no worse than one by one.
 * @param strategy what is better; rejects when the store cannot be read
 */
export async function proposeMoves(cluster: Cluster, strategy: Strategy): Promise<readonly Proposal[]> {
  const plan = new Plan(cluster, strategy);
  const proposals: Proposal[] = [];
  let looked = 0;
  for (const node of fullestFirst(cluster)) {
    for (const unit of unitsOn(cluster, node)) {
      const going = leavingOf(unit);
      if (going.length === 0) continue;
      if (++looked > REBALANCE_WHOLES || proposals.length >= REBALANCE_MOVES) return proposals;
      const whole = await wholeOf(cluster, node, unit, going).catch((error: unknown) => {
        if (error instanceof NoRecipe) return undefined;
        throw error;
      });
      const proposal = whole && plan.propose(whole);
      if (proposal) proposals.push(proposal);
    }
  }
  return proposals;
}

/** What takes something new: what is on others is an operator's business already, or gone. */
function fullestFirst({ nodes, ledger }: Cluster): readonly ClusterNode[] {
  const fullness = ({ id, view, count }: ClusterNode): readonly [number, number] => {
    const { nanoCpus, memory } = ledger.sums(id);
    return [nanoCpus / Math.max(1, view.nanoCpus) + memory / Math.max(1, view.memory), count.busy];
  };
  return [...nodes.values()]
    .filter(({ view }) => view.healthy && !view.cordoned)
    .map((node) => ({ node, fullness: fullness(node) }))
    .sort((a, b) => b.fullness[0] - a.fullness[0] || b.fullness[1] - a.fullness[1])
    .map(({ node }) => node);
}

/** The cluster as it would be after the moves that were proposed. */
class Plan {
  readonly #cluster: Cluster;
  readonly #context: PlaceContext;
  readonly #ledger;
  /** Node ID → containers that came or went. */
  readonly #moved = new Map<string, number>();

  constructor(cluster: Cluster, strategy: Strategy) {
    this.#cluster = cluster;
    this.#ledger = cluster.ledger.copy();
    const context = placeContext(cluster, new Map());
    const { surroundings } = context;
    const containersOn: typeof surroundings.containersOn = (id) => {
      const { all, running } = surroundings.containersOn(id);
      const moved = this.#moved.get(id) ?? 0;
      return { all: all + moved, running: running + moved };
    };
    this.#context = { ...context, strategy, ledger: this.#ledger, surroundings: { ...surroundings, containersOn } };
  }

  propose(whole: Whole): Proposal | undefined {
    const { from, members, order } = whole;
    this.#take(from, members);
    const [best] = decide(this.#cluster, order, this.#context).ranked;
    const to = this.#cluster.nodes.get(best?.id ?? "");
    const why = to && to !== from ? this.#whyBetter(whole, to) : undefined;
    this.#put(why === undefined || !to ? from : to, members);
    return why === undefined || !to ? undefined : { whole, to, why };
  }

  #take({ id }: ClusterNode, members: Whole["members"]): void {
    for (const record of members) this.#ledger.release(record.id);
    this.#moved.set(id, (this.#moved.get(id) ?? 0) - members.length);
  }

  #put({ id }: ClusterNode, members: Whole["members"]): void {
    for (const record of members) this.#ledger.reserve({ ...reservationOf(this.#cluster, record), node: id });
    this.#moved.set(id, (this.#moved.get(id) ?? 0) + members.length);
  }

  /** How much of what it asks for would be reserved on the node with it. */
  #fullness({ nanoCpus, memory }: Request, { id, view }: ClusterNode): string {
    const after = this.#ledger.after(id, { nanoCpus, memory, ports: [] });
    const parts = [
      ...(nanoCpus > 0 ? [`${percent(after.nanoCpus, view.nanoCpus)} % of the CPUs`] : []),
      ...(memory > 0 ? [`${percent(after.memory, view.memory)} % of the memory`] : []),
    ];
    return `${parts.join(" and ")} reserved with it`;
  }

  /** Undefined when it is hardly worth a move. */
  #whyBetter({ from, order }: Whole, to: ClusterNode): string | undefined {
    const { request } = order;
    const decision = place(request, [from.view, to.view], this.#context);
    const [here, there] = [from, to].map(({ name }) => decision.scores.find(({ node }) => node === name));
    if (!there) return undefined;
    if (!here) return whyNot(decision, from);
    const kept = here.softBroken.filter((rule) => !there.softBroken.includes(rule));
    if (here.softBroken.length > there.softBroken.length) {
      return `${to.name} keeps ${kept.join(", ")}, which ${from.name} does not`;
    }
    if (from.distress !== undefined && to.distress === undefined)
      return `${from.name} is in distress: ${from.distress}`;
    const { best, ties } = this.#context.strategy.ranking(request, this.#context);
    const gain = best === "highest" ? there.weight - here.weight : here.weight - there.weight;
    if (gain >= REBALANCE_GAIN)
      return `${this.#fullness(request, from)} on ${from.name}, ${this.#fullness(request, to)} on ${to.name}`;
    if (gain !== 0) return undefined;
    const [has, would] = [from, to].map(({ id }) => this.#context.surroundings.containersOn(id).all) as [
      number,
      number,
    ];
    const fewer = ties === "more" ? would - has : has - would;
    return fewer > 0 ? `${from.name} has ${has} containers beside it, ${to.name} ${would}` : undefined;
  }
}

function percent(part: number, whole: number): number {
  return Math.round((100 * part) / Math.max(1, whole));
}

function whyNot({ filters }: Decision, { name }: ClusterNode): string {
  const [first] = filters.flatMap(({ excluded }) => excluded.filter(({ node }) => node === name));
  return `${name} would not take it today: ${first?.why ?? "it is not as asked"}`;
}

/** One row for each container. */
export async function rebalanceView(cluster: Cluster, strategy: Strategy): Promise<Record<string, unknown>[]> {
  const proposals = await proposeMoves(cluster, strategy);
  return proposals.flatMap(({ whole: { from, members }, to, why }) =>
    members.map((record) => ({
      ID: record.id,
      Name: record.name,
      From: from.name,
      To: to.name,
      Why: why,
      With: members.filter((other) => other !== record).map(({ name }) => name),
    })),
  );
}
