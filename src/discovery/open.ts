/** From a discovery URL to its driver: the one place that knows all schemes. */

import type { Clock } from "../kit/clock.ts";
import type { Discovery } from "./discovery.ts";
import { FileDiscovery } from "./file.ts";
import { nodesDiscovery } from "./nodes.ts";

export interface DiscoveryContext {
  readonly clock: Clock;
  /** How often a driver that has to ask asks again. */
  readonly heartbeatMs: number;
  /** `--cluster-opt`/`--discovery-opt` for the drivers that take any. */
  readonly options?: Readonly<Record<string, string>>;
}

/** Schemes of classic Swarm that have no driver here yet. */
const LATER = ["token", "etcd", "consul", "zk", "mesos"];
const WORKING = "nodes://host:port,… (or the bare list) and file://path work";

/**
 * The driver for `url`: `nodes://a:2375,b:2375`, the bare list (entries may begin with `tcp://` or `unix://`), `file:///path`.
 * @throws Error one sentence, on a bad list or a scheme without a driver
 */
export function openDiscovery(url: string, { clock, heartbeatMs }: DiscoveryContext): Discovery {
  const [whole = "", scheme] = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(url) ?? [];
  const rest = url.slice(whole.length);
  switch (scheme?.toLowerCase()) {
    case undefined:
    case "unix":
    case "tcp":
      return nodesDiscovery(url, url);
    case "nodes":
      return nodesDiscovery(url, rest);
    case "file":
      return new FileDiscovery(url, rest, clock, heartbeatMs);
  }
  if (LATER.includes(scheme ?? "")) throw new Error(`discovery by ${scheme}:// is not supported yet: ${WORKING}`);
  throw new Error(`unknown discovery scheme ${scheme}://: ${WORKING}`);
}
