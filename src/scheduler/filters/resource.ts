/** Reserved CPU and memory stay within what the node reports and the overcommit ratio. */
import type { NodeView } from "../node-view.ts";
import { bytesText, cpusText, freeText } from "../sizes.ts";
import type { Filter } from "./filter.ts";
import { needOf } from "./need.ts";

export const resource: Filter = {
  name: "resource",
  kind: "room",
  check: (request, { ledger, overcommit }) => {
    if (request.nanoCpus === 0 && request.memory === 0) return undefined;
    const need = needOf(request);
    const words: string[] = [];
    if (request.nanoCpus > 0) words.push(`${cpusText(request.nanoCpus)} CPUs`);
    if (request.memory > 0) words.push(`${bytesText(request.memory)} memory`);
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
        if (request.nanoCpus > node.nanoCpus) {
          parts.push(`the machine has ${cpusText(node.nanoCpus)} CPUs, ${cpusText(request.nanoCpus)} asked`);
        } else if (request.nanoCpus > 0 && after.nanoCpus > capacity.nanoCpus) {
          const free = freeText(cpusText, capacity.nanoCpus - after.nanoCpus + request.nanoCpus, request.nanoCpus);
          parts.push(`${free} of ${cpusText(capacity.nanoCpus)} CPUs free, ${cpusText(request.nanoCpus)} asked`);
        }
        if (request.memory > 0 && after.memory > capacity.memory) {
          const free = freeText(bytesText, capacity.memory - after.memory + request.memory, request.memory);
          parts.push(`${free} of ${bytesText(capacity.memory)} memory free, ${bytesText(request.memory)} asked`);
        }
        return parts.join("; ") || "its size is not known";
      },
      // By how much the fuller of the two would be over.
      miss: (node) => {
        const { capacity, after } = standing(node);
        const over = (want: number, has: number): number => (has > 0 ? want / has : Number.POSITIVE_INFINITY);
        return Math.max(
          request.nanoCpus > 0 ? over(after.nanoCpus, capacity.nanoCpus) : 0,
          request.memory > 0 ? over(after.memory, capacity.memory) : 0,
        );
      },
    };
  },
};
