/**
 * One manager of several: it leads when it is elected, and until then what clients ask is answered by the one that does.
 * Owns the change from one to the other; a leadership is a cluster like a lone manager's, on a store that is fenced.
 */
import { setMaxListeners } from "node:events";
import { apiByLeader } from "../../api/by-leader.ts";
import { commonHeaders } from "../../api/api.ts";
import type { HostFacts } from "../../cluster/info.ts";
import { openWire } from "../../engine/wire/http-wire.ts";
import type { EngineWire } from "../../engine/wire/wire.ts";
import { systemClock } from "../../kit/clock.ts";
import type { Logger } from "../../kit/log.ts";
import { systemRandom } from "../../kit/random.ts";
import type { Lease } from "../../store/lease.ts";
import type { Store } from "../../store/store.ts";
import type { Face } from "../face.ts";
import type { ManagerTls } from "../options.ts";
import { Election } from "./election.ts";
import { FencedStore } from "./fenced-store.ts";

export interface ReplicaParts {
  readonly store: Store;
  readonly host: HostFacts;
  readonly log: Logger;
  readonly face: Face;
  readonly address: string;
  readonly ttlMs: number;
  readonly tls: ManagerTls | undefined;
  /** A leadership: until the signal aborts. */
  readonly lead: (store: Store, until: AbortSignal, ready: () => Promise<void>) => Promise<void>;
}

/** Until `signal` aborts. @param stopping aborts when open streams have had their time after that */
export async function replicate(parts: ReplicaParts, stopping: AbortSignal, signal: AbortSignal): Promise<void> {
  const { store, host, log, face, address, ttlMs, tls } = parts;
  const election = new Election({ store, clock: systemClock, random: systemRandom, log, address, ttlMs });
  const leaders = new Leaders(address, tls);
  const followers = apiByLeader(
    { leader: () => leaders.wireTo(election.leader), name: address, clock: systemClock, stopping },
    commonHeaders(host),
  );
  face.answerBy(followers);
  const lead = async (lease: Lease): Promise<void> => {
    const until = AbortSignal.any([lease.lost, signal]);
    setMaxListeners(0, until);
    await parts.lead(new FencedStore(store, lease), until, async () => {}).finally(() => face.answerBy(followers));
  };
  try {
    await Promise.all([election.follow(signal), election.campaign(lead, signal)]);
  } finally {
    await leaders.close();
  }
}

/** Connections to the manager that leads: another one's are given up. */
class Leaders {
  readonly #own: string;
  readonly #tls: ManagerTls | undefined;
  #wire: EngineWire | undefined;

  constructor(own: string, tls: ManagerTls | undefined) {
    this.#own = own;
    this.#tls = tls;
  }

  /** Undefined for nobody, and for this manager itself. */
  wireTo(address: string | undefined): EngineWire | undefined {
    if (address === undefined || address === this.#own) return undefined;
    if (this.#wire?.address !== address) {
      void this.#wire?.close();
      this.#wire = openWire(address, this.#tls);
    }
    return this.#wire;
  }

  async close(): Promise<void> {
    await this.#wire?.close();
  }
}
