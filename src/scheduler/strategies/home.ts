/**
 * Where a new group lives. What it will ask is not known yet, so the node with the most room for the unknown is best:
 * running containers, groups whose first container is still to come and this one, for each CPU that is not reserved
 * (memory that is reserved takes its part of the CPUs away); of two equal ones that with fewer networks, since a node's
 * address pools end.
 */

import { needOf } from "../filters/need.ts";
import type { NodeView } from "../node-view.ts";
import { withOvercommit } from "../overcommit.ts";
import type { Strategy } from "./strategy.ts";

/** So that the free part of a node is a whole number, and a full one divides by no zero. */
const PARTS = 1000;

export const home: Strategy = {
  name: "home",
  ranking: (request, { ledger, overcommit, surroundings }) => {
    const need = needOf(request, surroundings);
    const free = (node: NodeView): number => {
      const after = ledger.after(node.id, need);
      const part = (used: number, size: number): number => {
        const total = withOvercommit(size, overcommit);
        return total > 0 ? Math.floor(((total - used) * PARTS) / total) : 0;
      };
      return Math.max(1, Math.min(part(after.nanoCpus, node.nanoCpus), part(after.memory, node.memory)));
    };
    return {
      best: "lowest",
      ties: "networks",
      weight: (node) => {
        const busy = surroundings.containersOn(node.id).running + surroundings.groupsExpectedOn(node.id) + 1;
        return (busy * PARTS) / (Math.max(1, Math.round(node.nanoCpus / 1e9)) * free(node));
      },
    };
  },
};
