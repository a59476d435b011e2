/**
 * The way from one manager to the store that all of them share, as clients of distributed stores know it: each call takes
 * its time, is lost before or after it was carried out, arrives late although nobody waits for it any more; watches have
 * gaps and skip what was there for a moment. Owns the calls under way; what the store holds is the world's.
 */
import type { Random } from "../../src/kit/random.ts";
import { EVERY_STORE } from "../../src/store/bounds.ts";
import { type Contents, Staged } from "../../src/store/contents.ts";
import {
  type CallOptions,
  type Entry,
  type Store,
  StoreError,
  type Txn,
  type TxnResult,
  type WatchObserver,
} from "../../src/store/store.ts";
import { type Life, never } from "./life.ts";
import type { Path } from "./path.ts";
import type { VirtualTime } from "./time.ts";

/** Percent of calls whose connection breaks. */
const BREAKING = 1;

export interface StoreLinkParts {
  readonly time: VirtualTime;
  readonly life: Life;
  readonly path: Path;
  readonly random: Random;
  readonly contents: Contents;
  /** A transaction is about to be taken. @param term of the leadership that asked; undefined: none */
  readonly taking: (txn: Txn, term: number | undefined) => void;
}

type Change = Parameters<WatchObserver["change"]>[0];

export class StoreLink implements Store {
  readonly limits = EVERY_STORE;
  readonly #parts: StoreLinkParts;
  #term: number | undefined;

  constructor(parts: StoreLinkParts) {
    this.#parts = parts;
  }

  /** What `work` asks at once is asked by the leader of this term. */
  as<T>(term: number, work: () => T): T {
    this.#term = term;
    try {
      return work();
    } finally {
      this.#term = undefined;
    }
  }

  get(key: string, options?: CallOptions): Promise<Entry | undefined> {
    return this.#ask(() => this.#parts.contents.get(key), false, options?.signal);
  }

  list(prefix: string, options?: CallOptions): Promise<readonly Entry[]> {
    return this.#ask(() => this.#parts.contents.list(prefix), false, options?.signal);
  }

  txn(txn: Txn, options?: CallOptions): Promise<TxnResult> {
    const term = this.#term;
    return this.#ask(() => this.#take(txn, term), true, options?.signal);
  }

  async watch(prefix: string, observer: WatchObserver, signal: AbortSignal): Promise<void> {
    const { path } = this.#parts;
    while (!signal.aborted) {
      await new Promise<void>((resolve) => path.whenWhole(resolve));
      await this.#watchOnce(prefix, observer, signal);
      if (!signal.aborted) observer.trouble?.(new StoreError("the watch broke"));
    }
  }

  async close(): Promise<void> {}

  #take(txn: Txn, term: number | undefined): TxnResult {
    const { contents, taking } = this.#parts;
    const staged = new Staged(contents);
    const result = staged.add(txn);
    if (result.ok && txn.writes.length > 0) taking(txn, term);
    contents.apply(staged.changes, staged.revision);
    return result;
  }

  async #ask<T>(carryOut: () => T, writes: boolean, signal: AbortSignal | undefined): Promise<T> {
    const { time, life, path, random } = this.#parts;
    if (signal?.aborted) throw new StoreError("given up before it was sent", { cause: signal.reason });
    await life.sending(false);
    if (!life.goesOut()) return never();
    return new Promise((resolve, reject) => {
      let over = false;
      const end = (settle: () => void): void => {
        if (over) return;
        over = true;
        signal?.removeEventListener("abort", giveUp);
        settle();
      };
      const fail = (why: string): void =>
        end(() => reject(new StoreError(why, { uncertain: writes, cause: signal?.reason })));
      const giveUp = (): void => fail("given up");
      const hear = (what: () => void): void => life.whenAwake(what);
      if (signal?.aborted) giveUp();
      else signal?.addEventListener("abort", giveUp, { once: true });
      const breaks = random.int(100) < BREAKING ? random.int(2) : undefined;
      // Behind a cut some connections break, and the others stand still.
      if (path.isCut && random.int(2) === 0) {
        time.after(random.int(2_000), () => hear(() => fail("the connection broke")));
      }
      time.after(this.#delay(), () =>
        path.whenWhole(() => {
          const result = breaks === 0 ? undefined : carryOut();
          time.after(this.#delay(), () =>
            path.whenWhole(() =>
              hear(() => (breaks === undefined ? end(() => resolve(result as T)) : fail("the connection broke"))),
            ),
          );
        }),
      );
    });
  }

  /** Until the connection breaks, or the signal aborts. */
  async #watchOnce(prefix: string, observer: WatchObserver, signal: AbortSignal): Promise<void> {
    const { time, life, path, contents } = this.#parts;
    const gone = new AbortController();
    const end = (): void => gone.abort();
    const unhook = path.onCut(end);
    signal.addEventListener("abort", end, { once: true });
    const pending = new Map<string, Change>();
    let last = 0;
    const tell = (what: () => void): void => {
      last = Math.max(last, time.now + this.#delay());
      time.after(last - time.now, () => life.whenAwake(() => gone.signal.aborted || what()));
    };
    const tellPending = (): void => {
      const changes = [...pending.values()];
      pending.clear();
      for (const change of changes) observer.change(change);
    };
    const told: WatchObserver = {
      snapshot: (entries) => tell(() => observer.snapshot(entries)),
      change(change) {
        if (pending.size === 0) tell(tellPending);
        pending.set(change.key, change);
      },
    };
    await contents.watch(prefix, told, gone.signal);
    unhook();
    signal.removeEventListener("abort", end);
  }

  #delay(): number {
    const { random } = this.#parts;
    return 0.2 + random.int(3_000) / 1_000 + (random.int(200) === 0 ? random.int(800) : 0);
  }
}

/** The same store, spoken to by the leader of one term. */
export function asLeader(store: Store, link: StoreLink, term: number): Store {
  return {
    limits: store.limits,
    get: (key, options) => store.get(key, options),
    list: (prefix, options) => store.list(prefix, options),
    txn: (txn, options) => link.as(term, () => store.txn(txn, options)),
    watch: (prefix, observer, signal) => store.watch(prefix, observer, signal),
    close: () => store.close(),
  };
}
