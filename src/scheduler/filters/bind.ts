/**
 * The engine label `shoal.path=/srv/ci,/data` declares paths that nodes share. A bind mount below one that any node
 * declares goes only to nodes that do; of all other paths nothing is known here.
 */
import type { NodeView } from "../node-view.ts";
import type { Filter } from "./filter.ts";

export const PATH_LABEL = "shoal.path";

export const bind: Filter = {
  name: "bind",
  kind: "condition",
  check: ({ binds }, { nodes }) => {
    const shared = binds.flatMap(({ path }) => (nodes.some((node) => declares(node, path)) ? [path] : []));
    if (shared.length === 0) return undefined;
    const undeclared = (node: NodeView): readonly string[] => shared.filter((path) => !declares(node, path));
    return {
      accepts: (node) => {
        for (const path of shared) if (!declares(node, path)) return false;
        return true;
      },
      why: (node) => `does not declare ${undeclared(node).join(", ")} (label ${PATH_LABEL})`,
      words: shared.map((path) => `bind ${path}`),
      miss: (node) => undeclared(node).length,
    };
  },
};

function declares(node: NodeView, path: string): boolean {
  const declared = node.labels.get(PATH_LABEL);
  if (declared === undefined) return false;
  for (const prefix of prefixesOf(node, declared)) {
    if (path === prefix || path.startsWith(prefix === "/" ? prefix : `${prefix}/`)) return true;
  }
  return false;
}

/** By identity: a node whose labels changed is another view. */
const parsed = new WeakMap<NodeView, readonly string[]>();

function prefixesOf(node: NodeView, declared: string): readonly string[] {
  let prefixes = parsed.get(node);
  if (!prefixes) {
    prefixes = declared
      .split(",")
      .map((text) => text.trim().replace(/(?<=.)\/+$/, ""))
      .filter((text) => text.startsWith("/"));
    parsed.set(node, prefixes);
  }
  return prefixes;
}
