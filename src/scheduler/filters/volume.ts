/**
 * A node-local named volume that already lives somewhere is used there: elsewhere the engine would make an empty one. One
 * that is but a cache (as the cluster says, or the container's label `shoal.cache=true`) draws the container only softly.
 */
import { compareNatural } from "../natural-order.ts";
import type { NodeView } from "../node-view.ts";
import { coLocation, type Tie } from "./co-location.ts";
import type { Choice, Filter, SoftRule } from "./filter.ts";

/** On a volume: it is a cache. On a container: so is every volume that it names. */
export const CACHE_LABEL = "shoal.cache";

export const volume: Filter = {
  name: "volume",
  kind: "condition",
  check: (request, context) => {
    const allCaches = request.labels[CACHE_LABEL] === "true";
    const ties: Tie[] = [];
    const soft: SoftRule[] = [];
    const choices: Choice[] = [];
    for (const ref of request.volumes) {
      const { kept, caches, named } = context.surroundings.placesOfVolume(ref);
      const text = `volume ${ref}`;
      if (!named && (allCaches || kept.size === 0)) {
        if (kept.size + caches.size === 0) continue;
        soft.push({ text, holds: ({ id }) => kept.has(id) || caches.has(id) });
        continue;
      }
      ties.push({ what: text, words: text, nodes: kept });
      if (kept.size > 1) choices.push({ nodes: kept, refusal: (nodes) => whichOne(ref, nodes) });
    }
    if (ties.length + soft.length === 0) return undefined;
    const check = coLocation(ties, context) ?? { accepts: () => true, why: () => "", words: [] };
    return Object.assign(check, { soft, ...(choices.length > 0 && { choices }) });
  },
};

function whichOne(name: string, nodes: readonly NodeView[]): string {
  const places = nodes.map((node) => `${node.name}/${name}`).sort(compareNatural);
  return `The volume name "${name}" is on several nodes: say which one, ${places.join(" or ")}`;
}
