/** A request that uses a newer field goes to an engine that knows it: older ones would drop it without a word. */
import { compareVersions } from "../../docker/version.ts";
import { someOf } from "../../kit/some-of.ts";
import type { NodeView } from "../node-view.ts";
import type { FieldNeed } from "../request.ts";
import type { Filter } from "./filter.ts";

export const apiversion: Filter = {
  name: "apiversion",
  kind: "condition",
  check: ({ needs }, { nodes }) => {
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
      why: (node) => `its engine speaks API ${node.apiVersion}, ${asked(missing(needs, node.apiVersion))}`,
      words: needs.map((need) => `API ${need.version} for ${need.field}`),
      get summary() {
        return summaryOf(needs, newest, nodes);
      },
      miss: (node) => -compareVersions(node.apiVersion, newest.version),
    };
  },
};

const missing = (needs: readonly FieldNeed[], version: string): readonly FieldNeed[] =>
  needs.filter((need) => compareVersions(version, need.version) < 0);

const asked = (needs: readonly FieldNeed[]): string =>
  needs.map((need) => `${need.field} needs ${need.version}`).join(", ");

/** `HostConfig.Annotations needs 1.43; node-1, node-2 speak API 1.41, …`: every node's version, since any may be upgraded. */
function summaryOf(needs: readonly FieldNeed[], newest: FieldNeed, nodes: readonly NodeView[]): string {
  const namesOf = new Map<string, string[]>();
  for (const { name, apiVersion } of nodes) {
    if (missing(needs, apiVersion).length === 0) continue;
    const names = namesOf.get(apiVersion);
    if (names === undefined) namesOf.set(apiVersion, [name]);
    else names.push(name);
  }
  const versions = [...namesOf].sort(([a], [b]) => compareVersions(a, b));
  const oldest = versions[0]?.[0] ?? newest.version;
  const engines = versions.map(
    ([version, names]) => `${someOf(names)} ${names.length === 1 ? "speaks" : "speak"} API ${version}`,
  );
  return `${asked(missing(needs, oldest))}; ${engines.join(", ")}, and such an engine would ignore it: upgrade one to API ${newest.version}, or leave it out`;
}
