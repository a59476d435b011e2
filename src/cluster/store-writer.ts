/**
 * The one way in which the manager changes its store: many callers share one transaction, one transaction is under way
 * at a time, and what is queued is bounded. Owns the order of writes to a key; must not know what is stored.
 */
import { unavailable } from "../docker/errors.ts";
import type { Clock, Timer } from "../kit/clock.ts";
import { invariant } from "../kit/invariant.ts";
import type { Logger } from "../kit/log.ts";
import { STORE_LATER_KEYS, STORE_QUEUE, STORE_RETRY_MS, STORE_WRITE_MS } from "../kit/store-limits.ts";
import { checkTxn, EVERY_STORE, writeBytes } from "../store/bounds.ts";
import { type Limits, type Store, StoreError, type Write } from "../store/store.ts";

/** Writes that become durable together or not at all. */
interface Group {
  readonly writes: readonly Write[];
  /** Monotonic milliseconds. */
  readonly until: number;
  readonly done: (failure?: Error) => void;
}

type Values = Map<string, string | undefined>;

export interface StoreWriterOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Called with what holds from now on: what somebody waits for when it is durable, all else when it is asked for. */
  readonly told?: (writes: readonly Write[]) => void;
}

export class StoreWriter {
  readonly #store: Store;
  /** Of what one caller writes at once. */
  readonly #most: Limits;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #told: (writes: readonly Write[]) => void;
  readonly #groups: Group[] = [];
  readonly #later: Values = new Map();
  /** Of these, what the transaction under way writes. */
  #underWay: Values = new Map();
  readonly #idle: (() => void)[] = [];
  /** The last transaction, whether anybody still waits for it or not: a late one must not undo its successor. */
  #last: Promise<unknown> = Promise.resolve();
  #running = false;
  #failing = false;
  #retry: Timer | undefined;
  #retired = false;

  constructor(store: Store, { clock, log, told = () => {} }: StoreWriterOptions) {
    this.#store = store;
    this.#most = leastOf(store.limits, EVERY_STORE);
    this.#clock = clock;
    this.#log = log;
    this.#told = told;
  }

  /**
   * Resolves when all of them are durable, in one transaction. Rejects with DockerError 503 when the store does not take
   * them in time; it may have taken them all the same.
   */
  write(writes: readonly Write[]): Promise<void> {
    if (this.#retired) return Promise.reject(refused("this manager does not lead"));
    const unfit = this.#unfitness(writes);
    if (unfit) return Promise.reject(refused(unfit.message));
    if (this.#groups.length >= STORE_QUEUE) return Promise.reject(refused("too many changes wait for it"));
    // What is asked for now is newer than what was left for later.
    for (const { key } of writes) this.#later.delete(key);
    return new Promise((resolve, reject) => {
      this.#groups.push({
        writes,
        until: this.#clock.monotonic() + STORE_WRITE_MS,
        done: (failure) => (failure ? reject(failure) : resolve()),
      });
      this.#run();
    });
  }

  /**
   * Written when there is time, the last value of each key; lost in a crash. What is too much is dropped, the oldest first,
   * and so is what no store takes.
   */
  later(writes: readonly Write[]): void {
    if (this.#retired) return;
    this.#told(writes);
    for (const write of writes) {
      this.#later.delete(write.key);
      const unfit = this.#unfitness([write]);
      if (unfit) this.#log.error("a change is not kept", { key: write.key, error: unfit.message });
      else this.#later.set(write.key, write.value);
    }
    for (const key of this.#later.keys()) {
      if (this.#later.size <= STORE_LATER_KEYS) break;
      this.#later.delete(key);
    }
    this.#run();
  }

  /** What was left for later and is not known to be written yet. */
  get unwritten(): readonly Write[] {
    return [...new Map([...this.#underWay, ...this.#later])].map(([key, value]) => ({ key, value }));
  }

  /** Resolves when nothing waits to be written, or the store does not take it. */
  idle(): Promise<void> {
    if (!this.#running && (!this.#hasWork || this.#retry)) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  /** Takes nothing more. Resolves when what it has is written, or the store does not take it: nothing is tried again. */
  async retire(): Promise<void> {
    this.#retired = true;
    await this.idle();
    this.#later.clear();
    this.#retry?.cancel();
    this.#retry = undefined;
  }

  get #hasWork(): boolean {
    return this.#groups.length > 0 || this.#later.size > 0;
  }

  #run(): void {
    if (this.#running || !this.#hasWork || (this.#retry && this.#groups.length === 0)) return;
    this.#running = true;
    // The next turn: whoever asks in this one shares the transaction.
    void Promise.resolve()
      .then(() => this.#transact())
      .finally(() => {
        this.#running = false;
        this.#run();
        if (!this.#running) for (const idle of this.#idle.splice(0)) idle();
      });
  }

  /** One transaction. Never rejects. */
  async #transact(): Promise<void> {
    const now = this.#clock.monotonic();
    const { groups, values, bytes } = this.#takeGroups(now);
    const extra = this.#takeLater(values, bytes);
    if (values.size === 0) return;
    this.#underWay = extra;
    try {
      const writes = [...values].map(([key, value]) => ({ key, value }));
      await this.#commit(writes, Math.max(1, (groups[0]?.until ?? now + STORE_WRITE_MS) - now));
      if (this.#failing) this.#log.info("the store takes changes again");
      this.#failing = false;
      // What was asked for meanwhile is newer, and told already.
      for (const { writes: own } of groups) this.#told(own.filter(({ key }) => !this.#later.has(key)));
      for (const { done } of groups) done();
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (!this.#failing) this.#log.error("the store does not take changes", { error: why });
      this.#failing = true;
      for (const { done } of groups) done(refused(why));
      for (const [key, value] of extra) if (!this.#later.has(key) && !this.#isQueued(key)) this.#later.set(key, value);
      this.#retryLater();
    } finally {
      this.#underWay = new Map();
    }
  }

  /** As many groups as fit, oldest first; of a key that several write the last value counts. */
  #takeGroups(now: number): { readonly groups: readonly Group[]; readonly values: Values; readonly bytes: number } {
    const { limits } = this.#store;
    const groups: Group[] = [];
    const values: Values = new Map();
    let bytes = 0;
    for (let group = this.#groups[0]; group; group = this.#groups[0]) {
      const more = group.writes.filter(({ key }) => !values.has(key)).length;
      const size = group.writes.reduce((sum, write) => sum + writeBytes(write), 0);
      if (values.size + more > limits.operations || bytes + size > limits.bytes) break;
      this.#groups.shift();
      if (group.until <= now) {
        group.done(refused(`no answer within ${STORE_WRITE_MS / 1000} s`));
        continue;
      }
      groups.push(group);
      bytes += size;
      for (const { key, value } of group.writes) values.set(key, value);
    }
    return { groups, values, bytes };
  }

  /** Fills a transaction up with what has time. */
  #takeLater(values: Values, bytes: number): Values {
    const { limits } = this.#store;
    let room = limits.bytes - bytes;
    const taken: Values = new Map();
    if (this.#groups.length > 0) return taken;
    for (const [key, value] of this.#later) {
      if (values.size >= limits.operations) break;
      if (values.has(key)) continue;
      room -= writeBytes({ key, value });
      if (room < 0) break;
      values.set(key, value);
      taken.set(key, value);
      this.#later.delete(key);
    }
    return taken;
  }

  /** Rejects when the store fails, or does not answer in time; the next one waits for its end all the same. */
  async #commit(writes: readonly Write[], ms: number): Promise<void> {
    const stop = new AbortController();
    const late = new StoreError(`no answer within ${STORE_WRITE_MS / 1000} s`, { uncertain: true });
    const timer = this.#clock.after(ms, () => stop.abort(late));
    const txn = this.#last.then(() => {
      stop.signal.throwIfAborted();
      return this.#store.txn({ conditions: [], writes }, { signal: stop.signal });
    });
    this.#last = txn.catch(() => {});
    try {
      const { ok } = await Promise.race([txn, aborted(stop.signal)]);
      invariant(ok, "a transaction without conditions was refused");
    } finally {
      timer.cancel();
    }
  }

  /** Why these can never be one transaction. What one caller writes at once fits every store, whichever this one is. */
  #unfitness(writes: readonly Write[]): StoreError | undefined {
    try {
      checkTxn({ conditions: [], writes }, this.#most);
      return undefined;
    } catch (error) {
      if (error instanceof StoreError) return error;
      throw error;
    }
  }

  #isQueued(key: string): boolean {
    return this.#groups.some(({ writes }) => writes.some((write) => write.key === key));
  }

  #retryLater(): void {
    if (this.#retry || this.#later.size === 0) return;
    this.#retry = this.#clock.after(
      STORE_RETRY_MS,
      () => {
        this.#retry = undefined;
        this.#run();
      },
      { background: true },
    );
  }
}

/** One that is fenced takes one key less than the store under it. */
function leastOf(one: Limits, other: Limits): Limits {
  return { operations: Math.min(one.operations, other.operations), bytes: Math.min(one.bytes, other.bytes) };
}

function refused(why: string): Error {
  return unavailable(`the store does not take changes: ${why}. Mend it and try again`);
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) =>
    signal.addEventListener("abort", () => reject(signal.reason), { once: true }),
  );
}
