/** Discovery by a list on the command line: `nodes://a:2375,b:2375`, or the bare list. It never changes. */

import type { Discovery } from "./discovery.ts";
import { expandEntries } from "./entries.ts";

/**
 * @param url as given
 * @param list the entries, separated by commas
 * @throws Error on a bad or an empty list
 */
export function nodesDiscovery(url: string, list: string): Discovery {
  const entries = expandEntries(list.split(",")).map((address) => ({ address }));
  if (entries.length === 0) throw new Error(`discovery "${url}" names no node`);
  return {
    url,
    registry: undefined,
    fences: undefined,
    close: async () => {},
    list: async () => entries,
    async watch(onEntries, _onError, signal) {
      if (signal.aborted) return;
      onEntries(entries);
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        else signal.addEventListener("abort", () => resolve(), { once: true });
      });
    },
  };
}
