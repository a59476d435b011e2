/** The registry of filters: classic Swarm's seven, which `--filter` chooses from, and shoal's own, which always apply. */
import { affinity } from "./affinity.ts";
import { apiversion } from "./apiversion.ts";
import { bind } from "./bind.ts";
import { constraint } from "./constraint.ts";
import { containerslots } from "./containerslots.ts";
import { cordon } from "./cordon.ts";
import { dependency } from "./dependency.ts";
import type { Filter } from "./filter.ts";
import { group } from "./group.ts";
import { health } from "./health.ts";
import { network } from "./network.ts";
import { platform } from "./platform.ts";
import { port } from "./port.ts";
import { resource } from "./resource.ts";
import { volume } from "./volume.ts";
import { whitelist } from "./whitelist.ts";

/** In classic Swarm's order, which its `docker info` shows. */
export const CLASSIC_FILTERS: readonly Filter[] = [
  health,
  port,
  containerslots,
  dependency,
  affinity,
  constraint,
  whitelist,
];

export const OWN_FILTERS: readonly Filter[] = [cordon, group, resource, bind, volume, network, apiversion, platform];

export const DEFAULT_FILTERS: readonly Filter[] = [...CLASSIC_FILTERS, ...OWN_FILTERS];

/**
 * The filters for `--filter` names, in the order given and once each, shoal's own after them; none given is the default.
 * Throws `filter not supported`, classic Swarm's words.
 */
export function filtersByName(names: readonly string[]): readonly Filter[] {
  if (names.length === 0) return DEFAULT_FILTERS;
  const chosen = new Set<Filter>();
  for (const name of names) {
    const filter = DEFAULT_FILTERS.find((known) => known.name === name);
    if (filter === undefined) throw new Error("filter not supported");
    chosen.add(filter);
  }
  for (const filter of OWN_FILTERS) chosen.add(filter);
  return [...chosen];
}
