/** From a store's URL to its driver: the one place that knows all schemes. */
import type { Clock } from "../kit/clock.ts";
import type { Logger } from "../kit/log.ts";
import { MemoryStore } from "./drivers/memory.ts";
import { type Store, StoreError } from "./store.ts";

export interface StoreContext {
  readonly clock: Clock;
  readonly log: Logger;
}

/** Schemes whose drivers come with several managers. */
const LATER = ["etcd", "consul", "zk"];
const WORKING = "memory:// works";

/**
 * The store at `url`: `memory://` (forgotten when the process ends).
 * Rejects with StoreError, one sentence.
 */
export async function openStore(url: string, _context: StoreContext): Promise<Store> {
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(url)?.[1]?.toLowerCase();
  if (scheme === undefined) throw new StoreError(`bad store ${JSON.stringify(url)}: ${WORKING}`);
  if (scheme === "memory") return new MemoryStore();
  if (LATER.includes(scheme)) throw new StoreError(`a store in ${scheme}:// is not supported yet: ${WORKING}`);
  throw new StoreError(`unknown store scheme ${scheme}://: ${WORKING}`);
}
