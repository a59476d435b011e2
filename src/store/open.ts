/** From a store's URL to its driver: the one place that knows all schemes. */
import { resolve } from "node:path";
import type { Clock } from "../kit/clock.ts";
import type { Logger } from "../kit/log.ts";
import { FileStore } from "./drivers/file/file-store.ts";
import { systemDisk } from "./drivers/file/system-disk.ts";
import { MemoryStore } from "./drivers/memory.ts";
import { type Store, StoreError } from "./store.ts";

export interface StoreContext {
  readonly clock: Clock;
  readonly log: Logger;
}

/** Schemes whose drivers come with several managers. */
const LATER = ["etcd", "consul", "zk"];
const WORKING = "file:///path and memory:// work";

/**
 * The store at `url`: `file:///directory`, made if missing, or `memory://`, forgotten when the process ends.
 * Rejects with StoreError, one sentence.
 */
export async function openStore(url: string, { clock, log }: StoreContext): Promise<Store> {
  const [whole = "", scheme] = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(url) ?? [];
  const rest = url.slice(whole.length);
  switch (scheme?.toLowerCase()) {
    case undefined:
      throw new StoreError(`bad store ${JSON.stringify(url)}: ${WORKING}`);
    case "memory":
      return new MemoryStore();
    case "file":
      if (rest === "") throw new StoreError(`store "${url}" names no directory`);
      return FileStore.open(resolve(rest), { clock, log, disk: systemDisk });
  }
  if (LATER.includes(scheme ?? "")) throw new StoreError(`a store in ${scheme}:// is not supported yet: ${WORKING}`);
  throw new StoreError(`unknown store scheme ${scheme}://: ${WORKING}`);
}
