/**
 * Leases, the same on every driver: a record that its holder renews by a conditional write. Others judge it by their own
 * monotonic clock alone: it has run out when its version has not changed for its whole time since they first saw it. Owns
 * acquiring, renewing and losing; must not know what the right is good for.
 *
 * The holder counts from before it wrote, others from after they read, and the holder gives up a tenth of the time for
 * clocks that do not run alike: when others may take the lease, its holder already knows that it lost it. Only a process
 * that is stopped in between can be late, and so what depends on a lease is written under its `fence`.
 */
import type { Clock, Timer } from "../kit/clock.ts";
import { DeadlineError, withDeadline } from "../kit/deadline.ts";
import { type Condition, type Entry, type Store, StoreError, type Version } from "./store.ts";

export interface LeaseOptions {
  readonly store: Store;
  readonly clock: Clock;
  /** Of the record; the term is kept under `<key>/term`. */
  readonly key: string;
  /** Who asks: unlike everybody else, and unlike this one before a restart. */
  readonly holder: string;
  /** Milliseconds that the lease lasts without a renewal; the same for all who ask. */
  readonly lastsMs: number;
  /** Milliseconds between two renewals, and between two looks of those who wait: a fraction of `lastsMs`. */
  readonly everyMs: number;
  /** Asked before a free lease is taken; false leaves it to others. */
  readonly mayTake?: () => boolean;
}

interface LeaseRecord {
  readonly term: number;
  /** Absent: it was released. */
  readonly holder?: string;
}

/** Share of a lease's time that its holder makes use of. */
const SURE = 0.9;
/** Share of it that one question to the store may take. */
const PATIENCE = 0.5;

/** Waits until the lease is free, and takes it; rejects with the signal's reason. What the store refuses is tried again. */
export async function acquireLease(options: LeaseOptions, signal: AbortSignal): Promise<Lease> {
  const { store, clock, key, lastsMs, everyMs, mayTake } = options;
  let seen: { readonly version: Version; readonly at: number } | undefined;
  for (;;) {
    signal.throwIfAborted();
    try {
      const entry = await ask(options, (signal) => store.get(key, { signal }), signal);
      if (entry && entry.version !== seen?.version) seen = { version: entry.version, at: clock.monotonic() };
      const isFree = !entry || isNobodyElses(entry, options.holder) || (seen && clock.monotonic() - seen.at >= lastsMs);
      const lease = isFree && (mayTake?.() ?? true) ? await take(options, entry, signal) : undefined;
      if (lease) return lease;
    } catch (error) {
      signal.throwIfAborted();
      if (!isPassing(error)) throw error;
    }
    await clock.sleep(everyMs, signal);
  }
}

/** It was released, or this one took it and was not told so, or lost it: whoever asks for a lease does not hold it. */
function isNobodyElses(entry: Entry, asker: string): boolean {
  const { holder } = read(entry);
  return holder === undefined || holder === asker;
}

/** Undefined when somebody else was faster. */
async function take(options: LeaseOptions, entry: Entry | undefined, signal: AbortSignal): Promise<Lease | undefined> {
  const { store, clock, key, holder } = options;
  const term = (entry ? read(entry).term : 0) + 1;
  const begun = clock.monotonic();
  const txn = {
    conditions: [{ key, version: entry?.version }],
    writes: [
      { key, value: write({ term, holder }) },
      { key: termKey(key), value: String(term) },
    ],
  };
  const result = await ask(options, (signal) => store.txn(txn, { signal }), signal);
  const [version, fence] = result.ok ? result.versions : [];
  return version === undefined
    ? undefined
    : new Lease(options, term, version, { key: termKey(key), version: fence }, begun);
}

/** A lease that was acquired, and is renewed until it is released or lost. */
export class Lease {
  /** Grows with each holder. */
  readonly term: number;
  /** Holds as long as nobody else acquired the lease: for what may be written only under it. */
  readonly fence: Condition;
  readonly #options: LeaseOptions;
  readonly #lost = new AbortController();
  #version: Version;
  #until: number;
  #end: Timer;
  /** Under way. */
  readonly #tries = new Set<Promise<void>>();

  /** @param begun when the acquisition was written, at the earliest */
  constructor(options: LeaseOptions, term: number, version: Version, fence: Condition, begun: number) {
    this.#options = options;
    this.term = term;
    this.fence = fence;
    this.#version = version;
    this.#until = begun + options.lastsMs * SURE;
    this.#end = this.#endAt(this.#until);
    void this.#renew();
  }

  /** Aborts when the lease is lost or released. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Milliseconds for which the lease is certainly held; 0 when it is lost. */
  get remaining(): number {
    return this.#lost.signal.aborted ? 0 : Math.max(0, this.#until - this.#options.clock.monotonic());
  }

  /** Gives the lease back at once, so that nobody needs to wait for its end. Never rejects. */
  async release(): Promise<void> {
    if (this.#lost.signal.aborted) return;
    this.#lose();
    await Promise.all(this.#tries);
    const { store, key } = this.#options;
    const txn = { conditions: [{ key, version: this.#version }], writes: [{ key, value: write({ term: this.term }) }] };
    // Otherwise it ends by itself.
    await ask(this.#options, (signal) => store.txn(txn, { signal })).catch(() => undefined);
  }

  /**
   * Until the lease is lost. No try waits for the one before: what one connection swallows, or one server that stands
   * still, is asked again while the lease lasts. Never rejects.
   */
  async #renew(): Promise<void> {
    const { clock, everyMs } = this.#options;
    for (;;) {
      await clock.sleep(everyMs, this.lost).catch(() => undefined);
      if (this.lost.aborted) return;
      const attempt = this.#renewOnce()
        .catch(() => undefined)
        .finally(() => this.#tries.delete(attempt));
      this.#tries.add(attempt);
    }
  }

  /** Rejects when the store does not answer, and then it is not known whether it took the renewal. */
  async #renewOnce(): Promise<void> {
    const { store, clock, key, holder, lastsMs } = this.#options;
    for (;;) {
      const begun = clock.monotonic();
      const known = this.#version;
      const txn = {
        conditions: [{ key, version: known }],
        writes: [{ key, value: write({ term: this.term, holder }) }],
      };
      const result = await ask(this.#options, (signal) => store.txn(txn, { signal }), this.lost);
      // Another try was told first, and what this one is told is older.
      if (this.#version !== known) return;
      const version = result.ok ? result.versions[0] : undefined;
      if (version !== undefined) {
        this.#version = version;
        this.#prolong(begun + lastsMs * SURE);
        return;
      }
      // Perhaps another renewal was taken, though the store did not say so; when is not known, and so there is one more.
      const entry = await ask(this.#options, (signal) => store.get(key, { signal }), this.lost);
      if (this.#version !== known) return;
      const record = entry && read(entry);
      if (entry === undefined || record?.term !== this.term || record.holder !== holder) return this.#lose();
      this.#version = entry.version;
    }
  }

  #prolong(until: number): void {
    if (this.lost.aborted) return;
    this.#until = until;
    this.#end.cancel();
    this.#end = this.#endAt(until);
  }

  #endAt(until: number): Timer {
    const { clock } = this.#options;
    return clock.after(Math.max(0, until - clock.monotonic()), () => this.#lose(), { background: true });
  }

  #lose(): void {
    this.#end.cancel();
    this.#lost.abort(new Error(`the lease ${this.#options.key} is no longer held`));
  }
}

/** One question, or its deadline. */
function ask<T>(
  { clock, lastsMs }: LeaseOptions,
  question: (signal: AbortSignal) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  return withDeadline(clock, lastsMs * PATIENCE, "the lease", question, signal);
}

/** The store did not answer, or not in time. */
const isPassing = (error: unknown): boolean => error instanceof StoreError || error instanceof DeadlineError;

const termKey = (key: string): string => `${key}/term`;
const read = (entry: Entry): LeaseRecord => JSON.parse(entry.value) as LeaseRecord;
const write = (record: LeaseRecord): string => JSON.stringify(record);
