/** Containers that a client names in a request, in the engine's own terms. */
import { splitNodePrefix } from "../docker/references.ts";
import type { Cluster } from "./cluster.ts";
import { requireMade } from "./lookup.ts";

/** The engine's ID where it does not know the container by what was typed. Throws 409 while that is still being made. */
export function engineContainerRef(cluster: Cluster, ref: string): string {
  const record = cluster.inventory.find(ref);
  if (record) requireMade(record);
  return record && ref !== record.engineName && ref !== `/${record.engineName}` ? record.engineId : ref;
}

/** `container:alias`; without an alias, what was typed is one. */
export function engineLink(cluster: Cluster, link: string): string {
  const [ref = "", alias] = link.split(":");
  const target = engineContainerRef(cluster, ref);
  return target === ref ? link : `${target}:${alias ?? splitNodePrefix(ref).rest}`;
}

/** A list with each string rewritten, or undefined where nothing changes. */
export function rewritten(list: unknown, rewrite: (item: string) => string): unknown[] | undefined {
  if (!Array.isArray(list)) return undefined;
  const items = list.map((item) => (typeof item === "string" ? rewrite(item) : item));
  return items.some((item, i) => item !== list[i]) ? items : undefined;
}
