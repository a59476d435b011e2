/**
 * One manager of several, for one life: the real election, fence, cluster, API and following of the one that leads, over a
 * store that it shares with the others. Owns how they are put together; must not know clients, faults or checkers.
 */
import type { Api } from "../../src/api/api.ts";
import { commonHeaders } from "../../src/api/api.ts";
import type { Cluster } from "../../src/cluster/cluster.ts";
import type { Discovery, Entry } from "../../src/discovery/discovery.ts";
import type { FenceBoard } from "../../src/discovery/fences.ts";
import { StoredFences } from "../../src/discovery/stored-fences.ts";
import type { EngineWire } from "../../src/engine/wire/wire.ts";
import type { Logger } from "../../src/kit/log.ts";
import type { Random } from "../../src/kit/random.ts";
import { LEADER_SETTLE_MS } from "../../src/kit/replica-limits.ts";
import { Face } from "../../src/manager/face.ts";
import { fencedWire, NO_LEASE } from "../../src/manager/replica/fenced-wire.ts";
import { replicate, type Succession } from "../../src/manager/replica/replicate.ts";
import { underLease } from "../../src/manager/replica/under-lease.ts";
import { serveCluster } from "../../src/manager/serve-cluster.ts";
import type { Lease } from "../../src/store/lease.ts";
import type { Store } from "../../src/store/store.ts";
import { FENCES } from "./agent.ts";
import type { Host } from "./host.ts";
import { Life } from "./life.ts";
import { Link } from "./link.ts";
import type { Process, ProcessParts } from "./manager.ts";
import { HOST, logOf, openCluster } from "./open-cluster.ts";
import type { Network } from "./path.ts";
import { type Peer, PeerWire, untold } from "./peer-wire.ts";
import { randomFor } from "./plan.ts";
import type { SharedStore } from "./shared-store.ts";
import { asLeader, StoreLink } from "./store-link.ts";
import { MachineClock } from "./time.ts";

/** The default of --replication-ttl. */
const TTL_MS = 3_000;
/** Percent by which the clock of one runs faster or slower than true time, at most. */
const DRIFT = 3;
/** Milliseconds by which it is off, at most. */
const OFFSET_MS = 500;

export interface ReplicaWorld {
  readonly shared: SharedStore;
  readonly network: Network;
  readonly peerAt: (address: string) => Peer | undefined;
}

export class Replica implements Process {
  /** As others reach it; its machine's name in the network. */
  readonly name: string;
  readonly life = new Life();
  readonly #parts: ProcessParts;
  readonly #world: ReplicaWorld;
  readonly #clock: MachineClock;
  readonly #random: Random;
  readonly #log: Logger;
  readonly #face = new Face(commonHeaders(HOST));
  readonly #store: StoreLink;
  #leading: { readonly cluster: Cluster; readonly lease: Lease } | undefined;

  constructor(name: string, parts: ProcessParts, world: ReplicaWorld) {
    this.name = name;
    this.#parts = parts;
    this.#world = world;
    const { time, plan, trace, number, onError } = parts;
    const { life } = this;
    const drift = randomFor(plan.seed, `clock of ${name}`);
    const rate = 1 + (drift.int(2 * DRIFT * 100 + 1) / 100 - DRIFT) / 100;
    this.#clock = new MachineClock(time, drift.int(2 * OFFSET_MS) - OFFSET_MS, (fn) => life.whenAwake(fn, true), rate);
    this.#random = randomFor(plan.seed, `${name} ${number}`);
    this.#log = logOf(name, trace, onError, () => life.alive);
    this.#store = new StoreLink({
      time,
      life,
      path: world.network.between(name, "store"),
      random: randomFor(plan.seed, `store of ${name} ${number}`),
      contents: world.shared.contents,
      taking: (txn, term) => world.shared.taking(name, txn, term),
    });
  }

  get api(): Api {
    return this.#face.api;
  }

  /** While it leads for certain. */
  get cluster(): Cluster | undefined {
    return this.#leading && this.#leading.lease.remaining > 0 ? this.#leading.cluster : undefined;
  }

  async start(): Promise<void> {
    const { time, plan, hosts, weakness, trace, number, onError } = this.#parts;
    const { network, peerAt } = this.#world;
    const { life, name } = this;
    const own = randomFor(plan.seed, `peers of ${name} ${number}`);
    const openWire = (address: string): EngineWire => {
      const path = network.between(name, address);
      const wire = new PeerWire({ time, life, random: own, address, path, peer: () => peerAt(address) });
      return weakness.untold ? untold(wire) : wire;
    };
    const never = new AbortController().signal;
    try {
      await replicate(
        {
          store: this.#store,
          clock: this.#clock,
          random: this.#random,
          log: this.#log,
          host: HOST,
          face: this.#face,
          address: name,
          ttlMs: TTL_MS,
          openWire,
          lead: (store, lease, until, succession) => this.#lead(store, lease, until, succession),
          discovery: listed(hosts, this.#fences()),
          openFollower: (store) => this.#open(store, (host) => fencedWire(this.#link(host), NO_LEASE), true),
        },
        never,
        never,
      );
    } catch (error) {
      if (!life.alive) return;
      trace.add(name, `ends: ${String(error)}`);
      onError(`${name} ended by itself: ${String(error)}`);
      life.end();
    }
  }

  async #lead(fenced: Store, lease: Lease, until: AbortSignal, { ready, heir }: Succession): Promise<void> {
    const { hosts, weakness, leads } = this.#parts;
    const { life } = this;
    const store = asLeader(weakness.unfenced ? this.#store : fenced, this.#store, lease.term);
    const isCurrent = weakness.outdated ? undefined : (): boolean => lease.remaining > 0;
    const cluster = this.#open(store, (host) => this.#wireTo(host, lease), false, isCurrent);
    const occasions = {
      audit: undefined,
      stopping: until,
      settleMs: LEADER_SETTLE_MS,
      ready: async (): Promise<void> => {
        this.#leading = { cluster, lease };
        leads(cluster, life);
        await ready();
      },
      ending: async (): Promise<void> => {
        this.#leading = undefined;
      },
      heir,
    };
    const discovery = listed(hosts, this.#fences());
    const answerBy = (api: Api | undefined): void =>
      this.#face.answerBy(api && (weakness.outdated ? api : underLease(api, lease)));
    await serveCluster({ cluster, discovery, host: HOST, log: this.#log, answerBy }, until, occasions);
  }

  #open(store: Store, wireTo: (host: Host) => EngineWire, follows: boolean, isCurrent?: () => boolean): Cluster {
    const { plan, hosts, weakness } = this.#parts;
    const own = { clock: this.#clock, random: this.#random, log: this.#log };
    return openCluster({ ...own, plan, hosts, weakness, store, wireTo, follows, isCurrent });
  }

  /** Where agents have fences, as this manager reaches their records. */
  #fences(): FenceBoard | undefined {
    const { time, plan, number } = this.#parts;
    if (!plan.fenced) return undefined;
    const { life, name } = this;
    const { network, shared } = this.#world;
    const random = randomFor(plan.seed, `fences of ${name} ${number}`);
    const path = network.between(name, "store");
    const link = new StoreLink({ time, life, path, random, contents: shared.fences, taking: () => {} });
    return new StoredFences(link, this.#clock, FENCES);
  }

  #wireTo(host: Host, lease: Lease): EngineWire {
    const watched = this.#world.shared.watched(this.name, this.#link(host), lease.term);
    return this.#parts.weakness.unleased ? watched : fencedWire(watched, lease);
  }

  #link(host: Host): Link {
    const { time, trace } = this.#parts;
    const { life, name } = this;
    return new Link({ time, host, life, trace, path: this.#world.network.between(name, host.name) });
  }
}

/** A list that never changes; with fences the nodes have registered. */
function listed(hosts: readonly Host[], fences: FenceBoard | undefined): Discovery {
  const entries: readonly Entry[] = hosts.map(({ entry, name }) => ({ address: entry, ...(fences && { id: name }) }));
  return {
    url: "sim://",
    registry: undefined,
    fences,
    list: async () => entries,
    watch: (onEntries, _onError, signal) =>
      new Promise((resolve) => {
        signal.addEventListener("abort", () => resolve(), { once: true });
        onEntries(entries);
      }),
    close: async () => {},
  };
}
