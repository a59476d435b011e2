/** A request that uses a newer field goes to an engine that knows it: older ones would drop it without a word. */
import { compareVersions } from "../../docker/version.ts";
import type { NodeView } from "../node-view.ts";
import type { FieldNeed } from "../request.ts";
import type { Filter } from "./filter.ts";

export const apiversion: Filter = {
  name: "apiversion",
  kind: "condition",
  check: ({ needs }) => {
    const newest = needs.reduce<FieldNeed | undefined>(
      (found, need) => (found === undefined || compareVersions(need.version, found.version) > 0 ? need : found),
      undefined,
    );
    if (newest === undefined) return undefined;
    // Engines of a fleet speak few versions: each is compared once per decision.
    const known = new Map<string, boolean>();
    const speaks = (node: NodeView): boolean => {
      const before = known.get(node.apiVersion);
      if (before !== undefined) return before;
      const answer = compareVersions(node.apiVersion, newest.version) >= 0;
      known.set(node.apiVersion, answer);
      return answer;
    };
    return {
      accepts: speaks,
      why: (node) => {
        const missing = needs.filter((need) => compareVersions(node.apiVersion, need.version) < 0);
        const asked = missing.map((need) => `${need.field} needs ${need.version}`).join(", ");
        return `its engine speaks API ${node.apiVersion}, ${asked}`;
      },
      words: needs.map((need) => `API ${need.version} for ${need.field}`),
      miss: (node) => -compareVersions(node.apiVersion, newest.version),
    };
  },
};
