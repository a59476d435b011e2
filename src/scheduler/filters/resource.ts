/** Reserved CPU and memory stay within what the node reports and the overcommit ratio. */
import type { NodeView } from "../node-view.ts";
import { bytesText, cpusText, freeText } from "../sizes.ts";
import type { Filter } from "./filter.ts";
import { needOf } from "./need.ts";

export const resource: Filter = {
  name: "resource",
  kind: "room",
  check: (request, { ledger, overcommit, surroundings }) => {
    // With the reserve of a new group, which may be more than its first container asks for itself.
    const need = needOf(request, surroundings);
    if (need.nanoCpus === 0 && need.memory === 0) return undefined;
    const asked = (amount: string, own: number, all: number): string =>
      `${amount} asked${all > own ? ` (shoal.reserve)` : ""}`;
    const words: string[] = [];
    if (need.nanoCpus > 0) words.push(`${cpusText(need.nanoCpus)} CPUs`);
    if (need.memory > 0) words.push(`${bytesText(need.memory)} memory`);
    const standing = (node: NodeView) => {
      const capacity = ledger.capacity(node.id, overcommit) ?? { nanoCpus: 0, memory: 0 };
      return { capacity, after: ledger.after(node.id, need) };
    };
    return {
      accepts: (node) => ledger.fits(node.id, need, overcommit),
      words,
      why: (node) => {
        const { capacity, after } = standing(node);
        const parts: string[] = [];
        const cpusAsked = asked(cpusText(need.nanoCpus), request.nanoCpus, need.nanoCpus);
        if (need.nanoCpus > node.nanoCpus) {
          parts.push(`the machine has ${cpusText(node.nanoCpus)} CPUs, ${cpusAsked}`);
        } else if (need.nanoCpus > 0 && after.nanoCpus > capacity.nanoCpus) {
          const free = freeText(cpusText, capacity.nanoCpus - after.nanoCpus + need.nanoCpus, need.nanoCpus);
          parts.push(`${free} of ${cpusText(capacity.nanoCpus)} CPUs free, ${cpusAsked}`);
        }
        if (need.memory > 0 && after.memory > capacity.memory) {
          const free = freeText(bytesText, capacity.memory - after.memory + need.memory, need.memory);
          parts.push(
            `${free} of ${bytesText(capacity.memory)} memory free, ${asked(bytesText(need.memory), request.memory, need.memory)}`,
          );
        }
        return parts.join("; ") || "its size is not known";
      },
      // By how much the fuller of the two would be over.
      miss: (node) => {
        const { capacity, after } = standing(node);
        const over = (want: number, has: number): number => (has > 0 ? want / has : Number.POSITIVE_INFINITY);
        return Math.max(
          need.nanoCpus > 0 ? over(after.nanoCpus, capacity.nanoCpus) : 0,
          need.memory > 0 ? over(after.memory, capacity.memory) : 0,
        );
      },
    };
  },
};
