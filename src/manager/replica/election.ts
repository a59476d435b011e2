/**
 * Which of several managers leads: a lease in their store, held by one at a time and renewed, with a term that grows. Owns
 * the campaign and who the leader is known to be; must not know what leading means.
 */
import { LEADER } from "../../cluster/restore.ts";
import type { Clock } from "../../kit/clock.ts";
import type { Logger } from "../../kit/log.ts";
import type { Random } from "../../kit/random.ts";
import { acquireLease, type Lease } from "../../store/lease.ts";
import type { Store } from "../../store/store.ts";

export interface ElectionOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Where other managers reach this one, `host:port`. */
  readonly address: string;
  /** Milliseconds that a lease lasts without a renewal. */
  readonly ttlMs: number;
  /** Another manager leads from now on, this one, or nobody. */
  readonly changed: (leader: string | undefined) => void;
}

/** A holder is unlike itself before a restart. */
const SEPARATOR = "#";

export class Election {
  readonly #options: ElectionOptions;
  readonly #holder: string;
  #leader: string | undefined;

  constructor(options: ElectionOptions) {
    this.#options = options;
    this.#holder = `${options.address}${SEPARATOR}${options.random.hex(8)}`;
  }

  /** The address of the manager that leads, as far as this one knows; its own while it does. */
  get leader(): string | undefined {
    return this.#leader;
  }

  /**
   * Until the signal aborts: whenever this manager is elected, `lead` is called, and called again only when it has
   * resolved; it has to end when `lease.lost` aborts. Rejects with what `lead` rejects with.
   */
  async campaign(lead: (lease: Lease) => Promise<void>, signal: AbortSignal): Promise<void> {
    const { store, clock, ttlMs, log, address } = this.#options;
    const lease = { store, clock, key: LEADER, holder: this.#holder, lastsMs: ttlMs, everyMs: Math.floor(ttlMs / 4) };
    while (!signal.aborted) {
      const held = await acquireLease(lease, signal).catch((error: unknown) => {
        if (signal.aborted) return undefined;
        throw error;
      });
      if (!held) return;
      log.info("Leader Election: Cluster leadership acquired", { address, term: held.term });
      this.#know(address);
      try {
        await lead(held);
      } finally {
        await held.release();
        if (this.#leader === address) this.#know(undefined);
      }
      if (signal.aborted) return;
      log.warn("Leader Election: Cluster leadership lost", { address, term: held.term });
      // Somebody else may be able to.
      await clock.sleep(lease.everyMs, signal).catch(() => undefined);
    }
  }

  /** Follows who leads, until the signal aborts. Rejects when the store can never be watched. */
  async follow(signal: AbortSignal): Promise<void> {
    await this.#options.store.watch(
      LEADER,
      {
        snapshot: (entries) => this.#take(entries.find(({ key }) => key === LEADER)?.value),
        change: ({ key, value }) => {
          if (key === LEADER) this.#take(value);
        },
        // Who leads without the store, leads no longer than its lease; asking it costs nothing.
        trouble: () => {},
      },
      signal,
    );
  }

  #know(leader: string | undefined): void {
    this.#leader = leader;
    this.#options.changed(leader);
  }

  #take(value: string | undefined): void {
    const { holder } = value === undefined ? {} : (JSON.parse(value) as { holder?: string });
    const leader = holder?.split(SEPARATOR, 1)[0];
    if (leader === this.#leader) return;
    this.#know(leader);
    if (leader !== undefined && leader !== this.#options.address) {
      this.#options.log.info(`New leader elected: ${leader}`, { leader });
    }
  }
}
