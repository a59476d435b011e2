/**
 * Which of several managers is to lead: what `--master` and promotions at a hub write into their store, and a master's
 * call for the lease. Owns that record, and whether this manager may take or keep the lease; must not know elections.
 */
import { LEADER } from "../../cluster/restore.ts";
import type { Promotion } from "../../discovery/discovery.ts";
import type { Clock } from "../../kit/clock.ts";
import { withDeadline } from "../../kit/deadline.ts";
import { HANDOVER_MS, MASTER_RECALL_MS, MASTER_STEADY_MS } from "../../kit/replica-limits.ts";
import { STORE_WRITE_MS } from "../../kit/store-limits.ts";
import type { Entry, Store, Version } from "../../store/store.ts";

const MASTER = `${LEADER}/master`;
const CALL = `${LEADER}/call`;

export interface Master {
  /** Of the manager that is to lead; absent: whichever is elected. */
  readonly address?: string;
  /** By its own `--master`: nobody else leads, not even while it is gone. */
  readonly pinned?: true;
  /** ID of the last promotion that was followed. */
  readonly promotion?: string;
}

export interface MastershipOptions {
  readonly store: Store;
  readonly clock: Clock;
  /** This manager's. */
  readonly address: string;
  /** Milliseconds that the lease lasts. */
  readonly ttlMs: number;
  /** The record was read for the first time, or says something else, or a master called. */
  readonly changed: () => void;
}

export class Mastership {
  readonly #options: MastershipOptions;
  #master: Master = {};
  #isKnown = false;
  #call: Version | undefined;
  /** Another one called: monotonic milliseconds until which this one leaves the lease to it. */
  #leavesUntil = Number.NEGATIVE_INFINITY;
  /** Not before, so that a master that comes and goes does not take the lead along each time. */
  #callsFrom: number;

  constructor(options: MastershipOptions) {
    this.#options = options;
    this.#callsFrom = options.clock.monotonic() + MASTER_STEADY_MS;
  }

  get master(): Master {
    return this.#master;
  }

  /** Whether this manager may take the lease now, and keep it. False until the record was read. */
  get mayLead(): boolean {
    if (!this.#isKnown) return false;
    const { address, pinned } = this.#master;
    if (address === undefined || address === this.#options.address) return true;
    return !pinned && this.#options.clock.monotonic() >= this.#leavesUntil;
  }

  /** All that the store has below the lease's key. */
  snapshot(entries: readonly Entry[]): void {
    const find = (key: string): Entry | undefined => entries.find((entry) => entry.key === key);
    this.#takeCall(find(CALL));
    this.#takeMaster(find(MASTER)?.value);
    this.#isKnown = true;
    this.#options.changed();
  }

  change({
    key,
    value,
    version,
  }: Entry | { readonly key: string; readonly version: undefined; readonly value: undefined }): void {
    if (key === MASTER) this.#takeMaster(value);
    else if (key === CALL && value !== undefined) this.#takeCall({ key, value, version });
    else return;
    this.#options.changed();
  }

  /** What was asked for at the start of this manager: with `--master` it leads from now on, and nobody else. */
  async declare(isMaster: boolean, signal: AbortSignal): Promise<void> {
    const own = this.#options.address;
    await this.#write((now) => {
      if (isMaster) return now.pinned && now.address === own ? undefined : { ...now, address: own, pinned: true };
      return now.pinned && now.address === own ? followed(now.promotion) : undefined;
    }, signal);
  }

  /** Follows a promotion that nobody followed yet. @returns whether this manager was the one to write it down */
  async obey({ id, address }: Promotion, signal: AbortSignal): Promise<boolean> {
    if (this.#isKnown && this.#master.promotion === id) return false;
    return this.#write((now) => {
      if (now.promotion === id) return undefined;
      const isPinned = now.pinned && now.address === address;
      return { ...followed(id), ...(address !== undefined && { address }), ...(isPinned && { pinned: true }) };
    }, signal);
  }

  /**
   * Asks the manager that leads for the lease, when this one is the master and another one leads.
   * @returns whether it was asked now
   */
  async call(leader: string | undefined, signal: AbortSignal): Promise<boolean> {
    const { store, clock, address } = this.#options;
    if (this.#master.address !== address || leader === undefined || leader === address) return false;
    if (clock.monotonic() < this.#callsFrom) return false;
    const txn = { conditions: [], writes: [{ key: CALL, value: JSON.stringify({ address }) }] };
    await withDeadline(clock, STORE_WRITE_MS, "store", (until) => store.txn(txn, { signal: until }), signal);
    this.#callsFrom = clock.monotonic() + MASTER_RECALL_MS;
    return true;
  }

  #takeMaster(value: string | undefined): void {
    const master = value === undefined ? {} : (JSON.parse(value) as Master);
    const isNews = this.#isKnown && master.address !== this.#master.address;
    this.#master = master;
    if (isNews) this.#callsFrom = Number.NEGATIVE_INFINITY;
    if (isNews || master.pinned) this.#leavesUntil = Number.NEGATIVE_INFINITY;
  }

  #takeCall(entry: Entry | undefined): void {
    if (entry === undefined || entry.version === this.#call) return;
    this.#call = entry.version;
    const { address } = JSON.parse(entry.value) as { readonly address?: string };
    const { clock, ttlMs, address: own } = this.#options;
    // One that was made before this manager looked is over.
    if (this.#isKnown && address !== own) this.#leavesUntil = clock.monotonic() + HANDOVER_MS + ttlMs;
  }

  /** @param to undefined: it is as it should be */
  async #write(to: (now: Master) => Master | undefined, signal: AbortSignal): Promise<boolean> {
    const { store, clock } = this.#options;
    const attempt = async (until: AbortSignal): Promise<boolean | undefined> => {
      const entry = await store.get(MASTER, { signal: until });
      const next = to(entry === undefined ? {} : (JSON.parse(entry.value) as Master));
      if (next === undefined) return false;
      const conditions = [{ key: MASTER, version: entry?.version }];
      const { ok } = await store.txn(
        { conditions, writes: [{ key: MASTER, value: JSON.stringify(next) }] },
        { signal: until },
      );
      return ok ? true : undefined;
    };
    for (;;) {
      const written = await withDeadline(clock, STORE_WRITE_MS, "store", attempt, signal);
      if (written !== undefined) return written;
    }
  }
}

const followed = (promotion: string | undefined): Master => (promotion === undefined ? {} : { promotion });
