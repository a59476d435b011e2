/** What `shoal groups` shows: the groups that have a home, with their members there and elsewhere. */
import type { Cluster } from "../cluster.ts";
import { containersOf, membersOn } from "./members.ts";

/** One object a group, in the order of their keys. CPUs × 10⁹ and bytes. */
export function groupsView(cluster: Cluster): Record<string, unknown>[] {
  const groups = [...cluster.groups.all()].sort((a, b) => (a.key < b.key ? -1 : 1));
  return groups.map(({ key, home, policy, reserve }) => {
    const { containers, networks, volumes } = membersOn(cluster, key, home);
    const elsewhere = [...containersOf(cluster, key)].filter(
      ({ node, nonce }) => nonce !== undefined && node.id !== home,
    );
    return {
      Key: key,
      Home: cluster.nodes.get(home)?.name ?? home,
      Policy: policy ?? cluster.options.groups.policy,
      Containers: containers,
      Networks: networks,
      Volumes: volumes,
      /** As `node/name`. */
      Elsewhere: elsewhere.map(({ node, name }) => `${node.name}/${name}`).sort(),
      ReservedCPUs: reserve?.nanoCpus ?? 0,
      ReservedMemory: reserve?.memory ?? 0,
    };
  });
}
