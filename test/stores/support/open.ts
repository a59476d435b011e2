/** Opens stores as the manager does. */
import { join } from "node:path";
import { systemClock } from "../../../src/kit/clock.ts";
import { silentLog } from "../../../src/kit/log.ts";
import { systemRandom } from "../../../src/kit/random.ts";
import type { StoreOptions } from "../../../src/store/drivers/remote/address.ts";
import { openStore } from "../../../src/store/open.ts";
import type { Store, Txn } from "../../../src/store/store.ts";

export function open(url: string, options: StoreOptions = {}): Promise<Store> {
  return openStore(url, { clock: systemClock, random: systemRandom, log: silentLog, options });
}

/** The options for the certificates of a folder. */
export function tlsOptions(folder: string): StoreOptions {
  return {
    "kv.cacertfile": join(folder, "ca.pem"),
    "kv.certfile": join(folder, "cert.pem"),
    "kv.keyfile": join(folder, "key.pem"),
  };
}

/** Sets one key, whatever was there. */
export function txnOf(key: string, value: string): Txn {
  return { conditions: [], writes: [{ key, value }] };
}
