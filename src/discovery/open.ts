/** From a discovery URL to its driver: the one place that knows all schemes. */

import type { Clock } from "../kit/clock.ts";
import type { Logger } from "../kit/log.ts";
import { systemRandom } from "../kit/random.ts";
import { openStore } from "../store/open.ts";
import type { Discovery } from "./discovery.ts";
import { FileDiscovery } from "./file.ts";
import { type HubAccess, type HubAddress, hubAddress, tokenAddress } from "./hub/address.ts";
import { HubClient } from "./hub/client.ts";
import { HubDiscovery } from "./hub/discovery.ts";
import { nodesDiscovery } from "./nodes.ts";
import { type DiscoveryOptions, readHubTls, storeOptions } from "./options.ts";
import { CLASSIC_PATH, StoredDiscovery } from "./stored.ts";

export interface DiscoveryContext {
  readonly clock: Clock;
  readonly log: Logger;
  /** How often a driver that has to ask asks again. */
  readonly heartbeatMs: number;
  /** `--discovery-opt`. */
  readonly options?: DiscoveryOptions;
  readonly hub?: HubAccess;
}

const WORKING =
  "nodes://host:port,… (or the bare list), file://path, token://TOKEN, https://hub/u/USER/CLUSTER, etcd://, consul:// and zk:// work";

/**
 * The driver for `url`: `nodes://a:2375,b:2375`, the bare list (entries may begin with `tcp://` or `unix://`), `file:///path`,
 * `token://TOKEN`, a cluster's URL at a hub, or a store's (`etcd://h1:2379,h2:2379/prefix`).
 * Rejects with an Error of one sentence, on a bad list or a scheme without a driver.
 */
export async function openDiscovery(url: string, context: DiscoveryContext): Promise<Discovery> {
  const { clock, log, heartbeatMs, hub = {} } = context;
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
    case "token":
      return atHub(url, tokenAddress(rest, hub), context);
    case "http":
    case "https":
      return atHub(url, hubAddress(url, hub), context);
    case "etcd":
    case "consul":
    case "zk":
      return new StoredDiscovery({
        url: withoutSecret(url),
        store: await openStore(url, {
          clock,
          random: systemRandom,
          log,
          options: storeOptions(context.options),
          mayBeRoot: true,
        }),
        clock,
        path: context.options?.path ?? CLASSIC_PATH,
      });
  }
  throw new Error(`unknown discovery scheme ${scheme}://: ${WORKING}`);
}

function atHub(url: string, address: HubAddress, { clock, heartbeatMs, options }: DiscoveryContext): Discovery {
  if (address.path === "") throw new Error(`discovery "${withoutSecret(url)}" names no cluster: ${WORKING}`);
  return new HubDiscovery(withoutSecret(url), new HubClient(address, clock, readHubTls(options)), clock, heartbeatMs);
}

/** As it may be logged. */
export function withoutSecret(url: string): string {
  return url
    .replace(/^(token:\/\/(?:.*\/)?)[^/]*$/i, "$1…")
    .replace(/^([a-z]+:\/\/)[^/@]*@/i, "$1…@")
    .replace(/(\/v1\/clusters\/)[^/]+/, "$1…");
}
