/** What ties containers of one node together: references to others, in clients' words or the engine's, as cluster IDs. */
import type { Cluster } from "./cluster.ts";
import type { ClusterNode } from "./node.ts";

/** Each once; what is not on the node is left out. */
export function tiesTo({ inventory }: Cluster, node: ClusterNode, refs: readonly string[]): readonly string[] {
  const ids = refs.flatMap((ref) => {
    const found =
      node.containers.get(ref) ??
      inventory.byId(ref) ??
      [...inventory.named(ref)].find((one) => one.node === node) ??
      orNone(() => inventory.find(ref));
    return found?.node === node ? [found.id] : [];
  });
  return [...new Set(ids)];
}

/** A beginning of an ID may be that of several. */
function orNone<T>(find: () => T): T | undefined {
  try {
    return find();
  } catch {
    return undefined;
  }
}
