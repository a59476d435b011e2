/**
 * Which of several managers leads: a lease in their store, held by one at a time and renewed, with a term that grows. Owns
 * the campaign and who the leader is known to be; must not know what leading means.
 */
import { LEADER } from "../../cluster/restore.ts";
import type { Promotion } from "../../discovery/discovery.ts";
import type { Clock } from "../../kit/clock.ts";
import { DeadlineError } from "../../kit/deadline.ts";
import type { Logger } from "../../kit/log.ts";
import type { Random } from "../../kit/random.ts";
import { acquireLease, type Lease } from "../../store/lease.ts";
import { type Store, StoreError } from "../../store/store.ts";
import { type Master, Mastership } from "./master.ts";

export interface ElectionOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Where other managers reach this one, `host:port`. */
  readonly address: string;
  /** `--master`: it leads, and nobody else. */
  readonly isMaster: boolean;
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
  readonly #mastership: Mastership;
  readonly #everyMs: number;
  #leader: string | undefined;
  /** Aborts when this manager leads and is to lead no more. */
  #leading: AbortController | undefined;
  #trouble: string | undefined;

  constructor(options: ElectionOptions) {
    this.#options = options;
    this.#holder = `${options.address}${SEPARATOR}${options.random.hex(8)}`;
    this.#everyMs = Math.floor(options.ttlMs / 4);
    this.#mastership = new Mastership({ ...options, changed: () => this.#handOver() });
  }

  /** The address of the manager that leads, as far as this one knows; its own while it does. */
  get leader(): string | undefined {
    return this.#leader;
  }

  /** The master that alone may lead, when that is not this manager. */
  get awaited(): string | undefined {
    const { address, pinned } = this.#mastership.master;
    return pinned && address !== this.#options.address ? address : undefined;
  }

  /** The one that `--master` or a promotion named. */
  get master(): Master {
    return this.#mastership.master;
  }

  /** Why the store cannot be followed now; undefined while it can. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /**
   * Until the signal aborts: whenever this manager is elected, `lead` is called, and called again only when it has
   * resolved; it has to end when `lease.lost` aborts, and in good order when `handOver` does. Rejects with what `lead`
   * rejects with.
   */
  async campaign(lead: (lease: Lease, handOver: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> {
    const { store, clock, ttlMs, log, address } = this.#options;
    const mayTake = (): boolean => this.#mastership.mayLead;
    const lease = { store, clock, key: LEADER, holder: this.#holder, lastsMs: ttlMs, everyMs: this.#everyMs, mayTake };
    await this.#declare(signal);
    while (!signal.aborted) {
      const held = await acquireLease(lease, signal).catch((error: unknown) => {
        if (signal.aborted) return undefined;
        throw error;
      });
      if (!held) return;
      log.info("Leader Election: Cluster leadership acquired", { address, term: held.term });
      this.#know(address);
      this.#leading = new AbortController();
      this.#handOver();
      try {
        await lead(held, this.#leading.signal);
      } finally {
        this.#leading = undefined;
        await held.release();
        if (this.#leader === address) this.#know(undefined);
      }
      if (signal.aborted) return;
      log.warn("Leader Election: Cluster leadership lost", { address, term: held.term });
      // Somebody else may be able to.
      await clock.sleep(lease.everyMs, signal).catch(() => undefined);
    }
  }

  /** Follows who leads and who is to, until the signal aborts. Rejects when the store can never be watched. */
  async follow(signal: AbortSignal): Promise<void> {
    const calling = this.#keepCalling(signal);
    await this.#options.store.watch(
      LEADER,
      {
        snapshot: (entries) => {
          this.#take(entries.find(({ key }) => key === LEADER)?.value);
          this.#mastership.snapshot(entries);
        },
        change: (change) => {
          if (change.key === LEADER) this.#take(change.value);
          else this.#mastership.change(change);
        },
        // Who leads without the store leads no longer than its lease; asking it costs nothing.
        trouble: (error) => {
          this.#trouble = error.message;
        },
      },
      signal,
    );
    await calling;
  }

  /** A manager was promoted, or none is to be the master any more: followed once, by whoever hears of it first. */
  async obey(promotion: Promotion, signal: AbortSignal): Promise<void> {
    if (!(await this.#mastership.obey(promotion, signal))) return;
    const { address } = promotion;
    const message = address === undefined ? "there is no master any more" : `${address} is the master`;
    this.#options.log.info(`Leader Election: ${message}`, { address, promotion: promotion.id });
  }

  /** Written before the first campaign, whatever the store says at first. */
  async #declare(signal: AbortSignal): Promise<void> {
    const { clock, isMaster } = this.#options;
    while (!signal.aborted) {
      try {
        return await this.#mastership.declare(isMaster, signal);
      } catch (error) {
        if (!signal.aborted && !isPassing(error)) throw error;
        await clock.sleep(this.#everyMs, signal).catch(() => undefined);
      }
    }
  }

  async #keepCalling(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    while (!signal.aborted) {
      const leader = this.#leader;
      // What the store does not take now is tried again.
      const called = await this.#mastership.call(leader, signal).catch(() => false);
      if (called) log.info(`Leader Election: asked ${leader} for the lead, as this manager is the master`, { leader });
      await clock.sleep(this.#everyMs, signal).catch(() => undefined);
    }
  }

  #handOver(): void {
    if (!this.#leading || this.#leading.signal.aborted || this.#mastership.mayLead) return;
    const { address } = this.#mastership.master;
    this.#options.log.info(`Leader Election: the lead is handed over to ${address}, the master`, { address });
    this.#leading.abort();
  }

  #know(leader: string | undefined): void {
    this.#leader = leader;
    this.#options.changed(leader);
  }

  #take(value: string | undefined): void {
    this.#trouble = undefined;
    const { holder } = value === undefined ? {} : (JSON.parse(value) as { holder?: string });
    const leader = holder?.split(SEPARATOR, 1)[0];
    if (leader === this.#leader) return;
    this.#know(leader);
    if (leader !== undefined && leader !== this.#options.address) {
      this.#options.log.info(`New leader elected: ${leader}`, { leader });
    }
  }
}

const isPassing = (error: unknown): boolean => error instanceof StoreError || error instanceof DeadlineError;
