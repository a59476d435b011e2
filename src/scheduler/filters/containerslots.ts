/** The engine label `containerslots=N` bounds a node's containers, stopped ones included; what is no number is no bound. */
import type { NodeView } from "../node-view.ts";
import type { Filter } from "./filter.ts";

export const containerslots: Filter = {
  name: "containerslots",
  kind: "room",
  check: (_request, { nodes, surroundings }) => {
    if (!nodes.some((node) => slotsOf(node) !== undefined)) return undefined;
    const free = (node: NodeView): number => {
      const slots = slotsOf(node);
      return slots === undefined ? Number.POSITIVE_INFINITY : slots - surroundings.containersOn(node.id).all;
    };
    return {
      accepts: (node) => free(node) > 0,
      why: (node) => `${surroundings.containersOn(node.id).all} containers for ${slotsOf(node) ?? 0} slots`,
      words: ["available container slots"],
      miss: (node) => -free(node),
    };
  },
};

function slotsOf(node: NodeView): number | undefined {
  const text = node.labels.get("containerslots");
  return text !== undefined && /^[+-]?\d+$/.test(text) ? Number(text) : undefined;
}
