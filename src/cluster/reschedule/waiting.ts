/** What waits for a node, as an operator sees it: which node it left, and why it does not run yet. */
import type { Cluster } from "../cluster.ts";
import { byImportance } from "./importance.ts";

/** Those that come first, first. */
export function waitingView(cluster: Cluster): Record<string, unknown>[] {
  const { limbo, nodes, remembered, rescheduler, tombstones } = cluster;
  const left = new Map<string, string>();
  for (const { node, replacedBy = "" } of tombstones.all()) {
    left.set(replacedBy, nodes.get(node)?.name ?? remembered.nameOf(node) ?? node);
  }
  const placed = [...rescheduler.unstarted].filter(({ state, removed }) => state === "created" && !removed);
  return [...limbo.containers.values(), ...placed].sort(byImportance).map((record) => {
    const { id, name, image, node } = record;
    const why = node === limbo ? "a node is looked for" : `it is about to be started on ${node.name}`;
    return { ID: id, Name: name, Image: image, Left: left.get(id) ?? "", Why: rescheduler.reasonOf(record) ?? why };
  });
}
