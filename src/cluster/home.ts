/**
 * The node on which a new network or volume is made: the one that the client named, else the best place for work that
 * has not come yet. Decided in one step: nothing here waits.
 */
import { badRequest } from "../docker/errors.ts";
import { place, refusalError } from "../scheduler/place.ts";
import { readRequest } from "../scheduler/request.ts";
import type { Cluster } from "./cluster.ts";
import { requireReachable } from "./lookup.ts";
import type { ClusterNode } from "./node.ts";
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

/** Throws DockerError: 400 for a node that is not there, 503 for one that does not answer, 409 when no node will do. */
export function homeFor(cluster: Cluster, { labels, node: name, tried }: HomeWish): ClusterNode {
  if (name !== undefined) {
    const node = cluster.nodeByName(name);
    if (!node) throw badRequest(`there is no node ${name} in the cluster`);
    requireReachable(node);
    return node;
  }
  const { options } = cluster;
  const request = readRequest({ Labels: labels }, "", undefined, { cpuShares: options.cpuShares });
  const views = [...cluster.nodes.values()].map((node) => node.view);
  const decision = place(request, views, {
    ledger: cluster.ledger,
    surroundings: surroundingsOf(cluster),
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
