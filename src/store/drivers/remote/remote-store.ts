/**
 * A store that other machines keep, on top of its driver. Owns what all of them share: bounds, the path before every key, a
 * deadline for each call, watches that begin again after an interruption, and closing. Must not know any protocol.
 */
import { setMaxListeners } from "node:events";
import { backoff } from "../../../kit/backoff.ts";
import type { Clock } from "../../../kit/clock.ts";
import { DeadlineError, withDeadline } from "../../../kit/deadline.ts";
import type { Random } from "../../../kit/random.ts";
import {
  STORE_CALL_MS,
  STORE_CLOSE_MS,
  STORE_LOAD_MS,
  STORE_QUEUE,
  STORE_RECONNECT,
} from "../../../kit/store-limits.ts";
import { checkKey, checkOpen, checkPrefix, checkTxn } from "../../bounds.ts";
import type { Change } from "../../contents.ts";
import {
  type CallOptions,
  type Entry,
  type Limits,
  type Store,
  StoreError,
  type Txn,
  type TxnResult,
  type WatchObserver,
} from "../../store.ts";
import { Picture, sorted } from "./picture.ts";
import type { Remote } from "./remote.ts";

export interface RemoteContext {
  readonly clock: Clock;
  readonly random: Random;
}

export class RemoteStore implements Store {
  readonly #remote: Remote;
  readonly #root: string;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #closed = new AbortController();
  readonly #underWay = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  /** @param path all keys are below it, unless it is empty */
  constructor(remote: Remote, path: string, { clock, random }: RemoteContext) {
    this.#remote = remote;
    this.#root = path === "" ? "" : `${path}/`;
    this.#clock = clock;
    this.#random = random;
    manyListeners(this.#closed.signal);
  }

  get limits(): Limits {
    return this.#remote.limits;
  }

  async get(key: string, options?: CallOptions): Promise<Entry | undefined> {
    checkOpen(this.#closed.signal, options);
    checkKey(key);
    const entry = await this.#call(STORE_CALL_MS, options, (signal) => this.#remote.get(this.#inside(key), signal));
    return entry && this.#outside(entry);
  }

  async list(prefix: string, options?: CallOptions): Promise<readonly Entry[]> {
    checkOpen(this.#closed.signal, options);
    checkPrefix(prefix);
    const list = (signal: AbortSignal) => this.#remote.list(this.#inside(prefix), signal);
    const entries = await this.#call(STORE_LOAD_MS, options, list);
    return sorted(entries.map((entry) => this.#outside(entry)));
  }

  async txn(txn: Txn, options?: CallOptions): Promise<TxnResult> {
    checkOpen(this.#closed.signal, options);
    checkTxn(txn, this.limits);
    const whole = {
      conditions: txn.conditions.map(({ key, version }) => ({ key: this.#inside(key), version })),
      writes: txn.writes.map(({ key, value }) => ({ key: this.#inside(key), value })),
    };
    return this.#call(STORE_CALL_MS, options, (signal) => this.#remote.txn(whole, signal), true);
  }

  async watch(prefix: string, observer: WatchObserver, signal: AbortSignal): Promise<void> {
    checkOpen(this.#closed.signal);
    checkPrefix(prefix);
    const until = manyListeners(AbortSignal.any([signal, this.#closed.signal]));
    let failures = 0;
    while (!until.aborted) {
      const picture = new Picture(quietAfter(until, observer));
      const late = new AbortController();
      const { name } = this.#remote;
      const tooLate = (): void => late.abort(new DeadlineError(name, STORE_LOAD_MS));
      const beginning = this.#clock.after(STORE_LOAD_MS, tooLate, { background: true });
      const told = {
        all: (entries: readonly Entry[]) => {
          beginning.cancel();
          picture.all(entries.map((entry) => this.#outside(entry)));
        },
        change: (change: Change) => picture.change(this.#outside(change)),
      };
      try {
        await this.#remote.follow(this.#inside(prefix), told, manyListeners(AbortSignal.any([until, late.signal])));
      } catch (error) {
        if (until.aborted) return;
        failures = picture.isBegun ? 1 : failures + 1;
        observer.trouble?.(this.#failure(error));
        const pause = backoff(STORE_RECONNECT, failures, this.#random);
        await this.#clock.sleep(pause, until).catch(() => undefined);
      } finally {
        beginning.cancel();
      }
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    this.#closed.abort();
    const done = new AbortController();
    const finished = Promise.allSettled(this.#underWay).then(() => done.abort());
    await Promise.race([finished, this.#clock.sleep(STORE_CLOSE_MS, done.signal).catch(() => undefined)]);
    await this.#remote.close();
  }

  /** One question under its deadline; `writes`: what fails in an unknown way may have happened. */
  async #call<T>(
    ms: number,
    options: CallOptions | undefined,
    ask: (signal: AbortSignal) => Promise<T>,
    writes = false,
  ): Promise<T> {
    const { name } = this.#remote;
    if (this.#underWay.size >= STORE_QUEUE) throw new StoreError(`${STORE_QUEUE} questions wait for ${name}`);
    const asked = (signal: AbortSignal) => ask(manyListeners(signal));
    const answer = withDeadline(this.#clock, ms, name, asked, options?.signal);
    const settled = answer.catch(() => undefined);
    this.#underWay.add(settled);
    try {
      return await answer;
    } catch (error) {
      throw this.#failure(error, writes);
    } finally {
      this.#underWay.delete(settled);
    }
  }

  #failure(error: unknown, uncertain = false): StoreError {
    if (error instanceof StoreError) return error;
    const why = error instanceof Error ? error.message : String(error);
    const { name } = this.#remote;
    return new StoreError(why.startsWith(name) ? why : `${name}: ${why}`, { uncertain, cause: error });
  }

  #inside(key: string): string {
    return this.#root + key;
  }

  #outside<T extends Change>(change: T): T {
    return { ...change, key: change.key.slice(this.#root.length) };
  }
}

/** Whatever goes on under a signal listens to it: many at once are no leak. */
function manyListeners(signal: AbortSignal): AbortSignal {
  setMaxListeners(0, signal);
  return signal;
}

/** Not even what is being told when the signal aborts. */
function quietAfter(signal: AbortSignal, observer: WatchObserver): WatchObserver {
  return {
    snapshot: (entries) => {
      if (!signal.aborted) observer.snapshot(entries);
    },
    change: (change) => {
      if (!signal.aborted) observer.change(change);
    },
  };
}
