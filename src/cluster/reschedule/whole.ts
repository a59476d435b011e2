/**
 * A unit that is about to go somewhere as a whole: how its containers were asked for, and what all of them ask of one
 * place together. What they find in each other they take along, and ask nobody for it.
 */
import type { Request } from "../../scheduler/request.ts";
import type { Cluster } from "../cluster.ts";
import type { Asked } from "../create.ts";
import { groupStanding } from "../groups/standing.ts";
import type { ClusterNode } from "../node.ts";
import type { ContainerRecord } from "../record.ts";
import { byAge } from "./importance.ts";
import { orderOf } from "./move-on.ts";
import type { Unit } from "./units.ts";

export interface Whole {
  readonly from: ClusterNode;
  readonly unit: Unit;
  /** Those that go, oldest first: what another needs is there before that one. */
  readonly members: readonly ContainerRecord[];
  /** How each of them was asked for. */
  readonly orders: readonly Asked[];
  /** All of them as one. */
  readonly order: Asked;
}

/** @param going at least one. Rejects when it is not known how one of them was asked for. */
export async function wholeOf(
  cluster: Cluster,
  from: ClusterNode,
  unit: Unit,
  going: readonly ContainerRecord[],
): Promise<Whole> {
  const members = [...going].sort(byAge);
  const orders = await Promise.all(members.map((record) => orderOf(cluster, record)));
  const [first] = orders;
  if (!first) throw new Error("a whole of nothing");
  const requests = orders.map(({ request }) => request);
  return { from, unit, members, orders, order: { ...first, request: together(cluster, from, unit, requests) } };
}

function together(cluster: Cluster, from: ClusterNode, unit: Unit, requests: readonly Request[]): Request {
  const [first] = requests as readonly [Request, ...Request[]];
  const all = <T>(pick: (request: Request) => readonly T[]): readonly T[] => requests.flatMap(pick);
  const sum = (pick: (request: Request) => number): number => requests.reduce((total, one) => total + pick(one), 0);
  const { group } = first;
  // Its home goes along, with what is reserved for it there.
  const goesAlong = group !== undefined && groupStanding(cluster, group).home?.node === from.id;
  const reserve = goesAlong ? cluster.groups.get(group.key)?.reserve : undefined;
  return {
    ...first,
    nanoCpus: Math.max(
      sum(({ nanoCpus }) => nanoCpus),
      reserve?.nanoCpus ?? 0,
    ),
    memory: Math.max(
      sum(({ memory }) => memory),
      reserve?.memory ?? 0,
    ),
    ports: all(({ ports }) => ports),
    constraints: all(({ constraints }) => constraints),
    affinities: all(({ affinities }) => affinities),
    whitelists: all(({ whitelists }) => whitelists),
    dependencies: all(({ dependencies }) => dependencies).filter(({ ref }) => !isMember(unit, ref)),
    binds: all(({ binds }) => binds),
    volumes: all(({ volumes }) => volumes),
    networks: all(({ networks }) => networks).filter((ref) => !isItsNetwork(unit, ref)),
    needs: all(({ needs }) => needs),
    succeeds: undefined,
    group: goesAlong ? undefined : group,
  };
}

function isMember({ containers }: Unit, ref: string): boolean {
  return containers.some(({ name, id }) => name === ref || id.startsWith(ref));
}

function isItsNetwork({ networks }: Unit, ref: string): boolean {
  return networks.some(({ name, key }) => name === ref || key.startsWith(ref));
}
