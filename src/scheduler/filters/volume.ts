/** A node-local named volume that already lives somewhere is used there: elsewhere the engine would make an empty one. */
import { coLocation } from "./co-location.ts";
import type { Filter } from "./filter.ts";

export const volume: Filter = {
  name: "volume",
  kind: "condition",
  check: (request, context) =>
    coLocation(
      request.volumes.map((name) => ({
        what: `volume ${name}`,
        words: `volume ${name}`,
        nodes: context.surroundings.nodesOfVolume(name),
      })),
      context,
    ),
};
