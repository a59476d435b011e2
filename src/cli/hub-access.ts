/** Which hub a command asks, and what it shows there: flag and environment. */
import type { HubAccess } from "../discovery/hub/address.ts";
import type { Env } from "./io.ts";

/** @param flag `--hub` */
export function hubAccess(flag: string | undefined, env: Env): HubAccess {
  return { url: flag ?? (env.SWARM_DISCOVERY_URL || undefined), token: env.SHOAL_HUB_TOKEN || undefined };
}
