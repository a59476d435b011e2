/** All that a hub knows, on one store: who has accounts, which clusters there are, who is in them. Owns opening it whole. */
import type { Promotion } from "../discovery/discovery.ts";
import { LiveRecords } from "../discovery/live-records.ts";
import { StoredFences } from "../discovery/stored-fences.ts";
import type { Clock } from "../kit/clock.ts";
import { orAbort, withDeadline } from "../kit/deadline.ts";
import { HUB_SILENT_MS } from "../kit/limits.ts";
import type { Logger } from "../kit/log.ts";
import type { Random } from "../kit/random.ts";
import { STORE_LOAD_MS } from "../kit/store-limits.ts";
import type { Store } from "../store/store.ts";
import { Accounts } from "./accounts.ts";
import { type Cluster, Clusters } from "./clusters.ts";
import { Mirror } from "./mirror.ts";

const NODES = "hub/nodes/";
const MANAGERS = "hub/managers/";
const MASTERS = "hub/masters/";
const FENCES = "hub/fences/";

export interface HubContext {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

export class HubState {
  readonly accounts: Accounts;
  readonly clusters: Clusters;
  readonly nodes: LiveRecords;
  readonly managers: LiveRecords;
  /** By cluster ID: the last promotion. */
  readonly #masters: Mirror<Promotion>;
  readonly #store: Store;
  readonly #random: Random;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #read: Promise<unknown>;

  constructor({ store, clock, random, log }: HubContext, adminToken: string) {
    this.#store = store;
    this.#clock = clock;
    this.#random = random;
    this.#log = log;
    const snapshots: Promise<void>[] = [];
    const follow = () => {
      let onSnapshot = (): void => {};
      snapshots.push(new Promise((resolve) => (onSnapshot = resolve)));
      const onTrouble = ({ message }: Error): void => log.warn("the hub's store", { error: message });
      return { store, clock, onSnapshot, onTrouble };
    };
    this.accounts = new Accounts(follow(), adminToken, random);
    this.clusters = new Clusters(follow(), random);
    this.nodes = new LiveRecords({ ...follow(), prefix: NODES, keepSilentMs: HUB_SILENT_MS });
    this.managers = new LiveRecords({ ...follow(), prefix: MANAGERS, keepSilentMs: HUB_SILENT_MS });
    this.#masters = new Mirror({ ...follow(), prefix: MASTERS });
    this.#read = Promise.all(snapshots);
  }

  /** Resolves when everything was read, and goes on following until the signal aborts; `onEnd` when that ended. */
  async open(signal: AbortSignal, onEnd: (error: Error | undefined) => void): Promise<void> {
    const parts = [this.accounts, this.clusters, this.nodes, this.managers, this.#masters];
    Promise.all(parts.map((part) => part.run(signal))).then(
      () => onEnd(undefined),
      (error: Error) => onEnd(error),
    );
    await withDeadline(this.#clock, STORE_LOAD_MS, "the hub's store", (until) => orAbort(this.#read, until), signal);
  }

  groupOf(cluster: Cluster): string {
    return NODES + cluster.id;
  }

  managersOf(cluster: Cluster): string {
    return MANAGERS + cluster.id;
  }

  promotionOf({ id }: Cluster): Promotion | undefined {
    return this.#masters.get(id);
  }

  /** Read and written straight: whoever renews one must know that it is durable. */
  fencesOf({ id }: Cluster): StoredFences {
    return new StoredFences(this.#store, this.#clock, `${FENCES}${id}/`);
  }

  /** @param address undefined: none is the master any more */
  async promote({ id }: Cluster, address: string | undefined): Promise<void> {
    await this.#masters.put(id, { id: this.#random.hex(8), address });
  }

  /** The cluster first: what is left of a crash in between belongs to no cluster any more. */
  async remove(cluster: Cluster): Promise<void> {
    await this.clusters.remove(cluster);
    this.#log.info("cluster removed", { id: cluster.id, owner: cluster.owner, name: cluster.name });
    await this.#masters.put(cluster.id, undefined);
    await this.fencesOf(cluster).clear();
    for (const [records, group] of [
      [this.nodes, this.groupOf(cluster)],
      [this.managers, this.managersOf(cluster)],
    ] as const) {
      for (const { address } of records.of(group)) await records.write(`${group}/${address}`, undefined);
    }
  }
}
