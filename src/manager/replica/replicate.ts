/**
 * One manager of several: it leads when it is elected, and until then what clients ask is answered by the one that does.
 * Owns the change from one to the other; a leadership is a cluster like a lone manager's, on a store that is fenced.
 */
import { setMaxListeners } from "node:events";
import { commonHeaders } from "../../api/api.ts";
import { apiByLeader } from "../../api/by-leader.ts";
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
  const leaders = new Leaders(address, tls);
  const changed = (leader: string | undefined): void => leaders.follow(leader);
  const election = new Election({ store, clock: systemClock, random: systemRandom, log, address, ttlMs, changed });
  const followers = apiByLeader(
    { leader: () => leaders.wire, name: address, clock: systemClock, stopping },
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

/** Connections to the manager that leads. What waits for one that no longer does is told so. */
class Leaders {
  readonly #own: string;
  readonly #tls: ManagerTls | undefined;
  #wire: EngineWire | undefined;

  constructor(own: string, tls: ManagerTls | undefined) {
    this.#own = own;
    this.#tls = tls;
  }

  /** Undefined while nobody leads, or this manager itself. */
  get wire(): EngineWire | undefined {
    return this.#wire;
  }

  follow(address: string | undefined): void {
    void this.#wire?.close();
    this.#wire = address === undefined || address === this.#own ? undefined : openWire(address, this.#tls);
  }

  async close(): Promise<void> {
    await this.#wire?.close();
  }
}
