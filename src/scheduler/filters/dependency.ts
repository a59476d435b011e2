/** Links, `--volumes-from` and the `container:` modes need the same engine as their target. */
import { coLocation } from "./co-location.ts";
import type { Filter } from "./filter.ts";

export const dependency: Filter = {
  name: "dependency",
  kind: "condition",
  check: (request, context) =>
    coLocation(
      request.dependencies.map(({ ref, from }) => ({
        what: `container ${ref} (${from})`,
        words: `${from}=${from.startsWith("--link") || from.startsWith("--volumes") ? "" : "container:"}${ref}`,
        nodes: context.surroundings.nodesOfContainer(ref),
      })),
      context,
    ),
};
