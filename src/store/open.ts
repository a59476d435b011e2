/** From a store's URL to its driver: the one place that knows all schemes. */
import { resolve } from "node:path";
import type { Clock } from "../kit/clock.ts";
import type { Logger } from "../kit/log.ts";
import type { Random } from "../kit/random.ts";
import { CONSUL_PORT, Consul } from "./drivers/consul/consul.ts";
import { ETCD_PORT, Etcd } from "./drivers/etcd/etcd.ts";
import { FileStore } from "./drivers/file/file-store.ts";
import { systemDisk } from "./drivers/file/system-disk.ts";
import { MemoryStore } from "./drivers/memory.ts";
import { type Address, publicUrl, readAddress, type StoreOptions } from "./drivers/remote/address.ts";
import type { Remote } from "./drivers/remote/remote.ts";
import { RemoteStore } from "./drivers/remote/remote-store.ts";
import { ZOOKEEPER_PORT, ZooKeeper } from "./drivers/zookeeper/zookeeper.ts";
import { type Store, StoreError } from "./store.ts";

export interface StoreContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Of stores that other machines keep: credentials and TLS, by the names in remote/address.ts. */
  readonly options?: StoreOptions;
  /** Of those stores: the URL needs no path. For who keeps to a path of its own, and lets alone what else is there. */
  readonly mayBeRoot?: boolean;
}

const WORKING = "file:///path, etcd://, consul:// and zk://host:port/path, and memory:// work";

/**
 * The store at `url`: `file:///directory`, made if missing; `etcd://host:port,host:port/path`, `consul://`, `zk://`; or `memory://`, forgotten when
 * the process ends. A store that other machines keep is not asked anything yet. Rejects with StoreError, one sentence.
 */
export async function openStore(url: string, context: StoreContext): Promise<Store> {
  const { clock, random, log, options, mayBeRoot } = context;
  const [whole = "", scheme] = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(url) ?? [];
  const rest = url.slice(whole.length);
  const remote = (port: number, make: (address: Address) => Remote): Store => {
    const address = readAddress(url, port, options);
    if (address.path === "" && !mayBeRoot) {
      throw new StoreError(`store "${publicUrl(url)}" names no path: add one, as in ${publicUrl(whole)}host/shoal`);
    }
    return new RemoteStore(make(address), address.path, { clock, random });
  };
  switch (scheme?.toLowerCase()) {
    case undefined:
      throw new StoreError(`bad store ${JSON.stringify(url)}: ${WORKING}`);
    case "memory":
      return new MemoryStore();
    case "file":
      if (rest === "") throw new StoreError(`store "${url}" names no directory`);
      return FileStore.open(resolve(rest), { clock, log, disk: systemDisk });
    case "etcd":
      return remote(ETCD_PORT, (address) => new Etcd(address, clock));
    case "consul":
      return remote(CONSUL_PORT, (address) => new Consul(address, { clock, random }));
    case "zk":
      return remote(ZOOKEEPER_PORT, (address) => new ZooKeeper(address, clock));
  }
  throw new StoreError(`unknown store scheme ${scheme}://: ${WORKING}`);
}
