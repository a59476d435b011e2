/**
 * The node on which a new network or volume is made: the one that the client named, else the best place for work that
 * has not come yet. Decided in one step: nothing here waits.
 */
import { badRequest } from "../docker/errors.ts";
import { readGroup } from "../scheduler/group.ts";
import { place, refusalError } from "../scheduler/place.ts";
import { readRequest } from "../scheduler/request.ts";
import type { Cluster } from "./cluster.ts";
import { joinGroup, mayBeUnread, requireReserve, whileMaking } from "./groups/standing.ts";
import { requireReachable } from "./lookup.ts";
import type { ClusterNode } from "./node.ts";
import { settling } from "./settling.ts";
import { surroundingsOf } from "./surroundings.ts";

/** Why a node that was tried is passed over, as `shoal why` says it. */
export const FAILED = "failed just now";

export interface HomeWish {
  /** Of the object: they may hold constraints, and say what it belongs to. */
  readonly labels: Readonly<Record<string, string>>;
  /** The name of the node that the client named. */
  readonly node: string | undefined;
  /** IDs of nodes that failed, or cannot take it. */
  readonly tried: ReadonlySet<string>;
}

/**
 * Makes it there: the node is the home of the group that the object belongs to from the moment on in which it was chosen.
 * Rejects as `homeFor` throws, with 503 when the store does not take the home, and as `make` does.
 */
export async function atHome<T>(cluster: Cluster, wish: HomeWish, make: (node: ClusterNode) => Promise<T>): Promise<T> {
  const group = readGroup(wish.labels, cluster.options.groups);
  if (mayBeUnread(cluster, group)) await settling(cluster);
  // Where a node failed, others of its group that are being made there decide whether the group can still leave it.
  if (group && wish.tried.size > 0) await cluster.groups.made(group.key);
  requireReserve(cluster, group);
  const node = homeFor(cluster, wish);
  joinGroup(cluster, group, node, wish.tried);
  return whileMaking(cluster, group, () => make(node));
}

/** Throws DockerError: 400 for a node that is not there, 503 for one that does not answer, 409 when no node will do. */
export function homeFor(cluster: Cluster, { labels, node: name, tried }: HomeWish): ClusterNode {
  if (name !== undefined) {
    const node = cluster.nodeByName(name);
    if (!node) throw badRequest(`there is no node ${name} in the cluster`);
    requireReachable(node);
    return node;
  }
  const { options } = cluster;
  const request = readRequest({ Labels: labels }, "", {}, options);
  const views = [...cluster.nodes.values()].map((node) => node.view);
  const decision = place(request, views, {
    ledger: cluster.ledger,
    surroundings: surroundingsOf(cluster, tried),
    strategy: options.strategy,
    filters: options.filters,
    overcommit: options.overcommit,
    random: cluster.random,
    exclude: new Map([...tried].map((id) => [id, FAILED])),
  });
  const [best] = decision.ranked;
  const home = best && cluster.nodes.get(best.id);
  if (!home) throw refusalError(decision);
  return home;
}
