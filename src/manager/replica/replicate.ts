/**
 * One manager of several: it leads when it is elected, and until then what clients ask is answered by the one that does.
 * Owns the change from one to the other; a leadership is a cluster like a lone manager's, on a store that is fenced.
 */
import { setMaxListeners } from "node:events";
import { type Api, commonHeaders } from "../../api/api.ts";
import { apiByLeader, noLeader } from "../../api/by-leader.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import type { HostFacts } from "../../cluster/info.ts";
import type { Discovery } from "../../discovery/discovery.ts";
import { DockerError } from "../../docker/errors.ts";
import type { EngineWire } from "../../engine/wire/wire.ts";
import type { Clock } from "../../kit/clock.ts";
import { DeadlineError } from "../../kit/deadline.ts";
import type { Logger } from "../../kit/log.ts";
import type { Random } from "../../kit/random.ts";
import type { Lease } from "../../store/lease.ts";
import { type Store, StoreError } from "../../store/store.ts";
import type { Face } from "../face.ts";
import type { Self } from "../register.ts";
import { disconnect } from "../serve-cluster.ts";
import { Election } from "./election.ts";
import { FencedStore } from "./fenced-store.ts";
import { Following } from "./following.ts";

/** What happens at both ends of a leadership. */
export interface Succession {
  /** Called when its API answers. */
  readonly ready: () => Promise<void>;
  /** Takes its cluster in the end, engines still connected. */
  readonly heir: (cluster: Cluster) => Promise<void>;
}

export interface ReplicaParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly host: HostFacts;
  readonly log: Logger;
  readonly face: Face;
  readonly address: string;
  readonly ttlMs: number;
  /** `--master`. */
  readonly isMaster?: boolean;
  /** The way to another manager. */
  readonly openWire: (address: string) => EngineWire;
  /** A leadership, on a store that is fenced by its lease: until the signal aborts. */
  readonly lead: (store: Store, lease: Lease, until: AbortSignal, succession: Succession) => Promise<void>;
  /** Tells others what this manager is, and this one of promotions, until the signal aborts; absent: nobody is told. */
  readonly register?: (self: Self, signal: AbortSignal) => Promise<void>;
  readonly discovery: Discovery;
  /** A cluster over the store that changes nothing. */
  readonly openFollower: (store: Store) => Cluster;
}

/** Until `signal` aborts. @param stopping aborts when open streams have had their time after that */
export async function replicate(parts: ReplicaParts, stopping: AbortSignal, signal: AbortSignal): Promise<void> {
  const { store, clock, random, host, log, face, address, ttlMs, isMaster = false } = parts;
  const over = new AbortController();
  const ending = AbortSignal.any([signal, over.signal]);
  const leaders = new Leaders(address, parts.openWire);
  const changed = (leader: string | undefined): void => {
    leaders.follow(leader);
    following.leaderChanged();
  };
  const election = new Election({ store, clock, random, log, address, isMaster, ttlMs, changed });
  const following = new Following({
    name: address,
    clock,
    log,
    host,
    discovery: parts.discovery,
    stopping,
    leader: () => leaders.wire,
    hopeless: () => !face.isBy(followers) || election.trouble !== undefined,
    openCluster: () => parts.openFollower(store),
  });
  const leading = async (request: AbortSignal): Promise<EngineWire | Api> => {
    const wire = await following.leading(request);
    if (wire) return wire;
    if (!face.isBy(followers)) return face.api;
    throw noLeader(remedyOf(election));
  };
  const followers = apiByLeader(
    {
      leading,
      doubt: (wire) => following.doubt(wire),
      silence: () => following.silence,
      own: (request) => following.answering(request),
      name: address,
      clock,
      stopping,
    },
    commonHeaders(host),
  );
  face.answerBy(followers);
  const succession = (): Succession => {
    let isReady = false;
    return {
      async ready() {
        isReady = true;
        following.forget();
      },
      // One that has not answered anybody knows less than what is shown now.
      heir: (cluster) => (isReady && !ending.aborted ? following.keep(cluster) : disconnect(cluster)),
    };
  };
  const lead = async (lease: Lease, handOver: AbortSignal): Promise<void> => {
    const until = AbortSignal.any([lease.lost, handOver, ending]);
    // One for each change under way.
    setMaxListeners(0, until, lease.lost);
    try {
      await parts.lead(new FencedStore(store, lease), lease, until, succession());
    } catch (error) {
      if (!isPassing(error)) throw error;
      log.warn("Leader Election: the store did not answer the one who was to lead", { error: String(error) });
    } finally {
      face.answerBy(followers);
    }
  };
  const self: Self = {
    address,
    state: () => {
      const { address: master, promotion } = election.master;
      const role = election.leader === address ? "primary" : "replica";
      return { role, isMaster: master === address, ...(promotion !== undefined && { promotion }) };
    },
    promoted: (promotion) => election.obey(promotion, ending),
  };
  const electing = [election.follow(ending), election.campaign(lead, ending)];
  const all = [...electing, following.run(ending), parts.register?.(self, ending)];
  try {
    await Promise.all(all);
  } finally {
    over.abort();
    await Promise.allSettled(all);
    await leaders.close();
  }
}

/** What has to be done before anybody can lead, as far as this manager can tell. */
function remedyOf({ trouble, awaited }: Election): string | undefined {
  if (trouble !== undefined) return `the store does not answer (${trouble}); nothing can be changed until it does`;
  if (awaited === undefined) return undefined;
  return `${awaited} alone may lead, by its --master: start it, start another one with --master, or promote one at the hub`;
}

/** The store is away, or another manager leads already: what is tried again. */
function isPassing(error: unknown): boolean {
  const isRefused = error instanceof DockerError && error.status === 503;
  return error instanceof StoreError || error instanceof DeadlineError || isRefused;
}

/** Connections to the manager that leads. What waits for one that no longer does is told so. */
class Leaders {
  readonly #own: string;
  readonly #open: ReplicaParts["openWire"];
  #wire: EngineWire | undefined;

  constructor(own: string, open: ReplicaParts["openWire"]) {
    this.#own = own;
    this.#open = open;
  }

  /** Undefined while nobody leads, or this manager itself. */
  get wire(): EngineWire | undefined {
    return this.#wire;
  }

  follow(address: string | undefined): void {
    void this.#wire?.close();
    this.#wire = address === undefined || address === this.#own ? undefined : this.#open(address);
  }

  async close(): Promise<void> {
    await this.#wire?.close();
  }
}
