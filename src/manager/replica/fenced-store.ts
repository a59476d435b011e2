/**
 * A store that takes a leader's changes only while it leads: each transaction is conditional on the term of its lease, and
 * waited for only while that lasts. What became of one that was given up is not known; it was not taken once another one
 * leads. Must not know what is stored.
 */
import { orAbort } from "../../kit/deadline.ts";
import { either } from "../../kit/either.ts";
import type { Lease } from "../../store/lease.ts";
import {
  type CallOptions,
  type Limits,
  type Store,
  StoreError,
  type Txn,
  type TxnResult,
  type WatchObserver,
} from "../../store/store.ts";

export class FencedStore implements Store {
  readonly limits: Limits;
  readonly #store: Store;
  readonly #lease: Pick<Lease, "remaining" | "lost" | "fence">;

  constructor(store: Store, lease: Pick<Lease, "remaining" | "lost" | "fence">) {
    this.#store = store;
    this.#lease = lease;
    // The term is one of the keys that a transaction names.
    this.limits = { ...store.limits, operations: store.limits.operations - 1 };
  }

  get(key: string, options?: CallOptions): ReturnType<Store["get"]> {
    return this.#store.get(key, options);
  }

  list(prefix: string, options?: CallOptions): ReturnType<Store["list"]> {
    return this.#store.list(prefix, options);
  }

  /** `ok: false` for the conditions of the caller alone: another leader's term is a StoreError. */
  async txn({ conditions, writes }: Txn, options?: CallOptions): Promise<TxnResult> {
    if (this.#lease.remaining <= 0) throw deposed();
    const fenced = { conditions: [this.#lease.fence, ...conditions], writes };
    const result = await this.#whileLeading((signal) => this.#store.txn(fenced, { signal }), options);
    if (result.ok || (conditions.length > 0 && (await this.#stillLeads(options)))) return result;
    throw deposed();
  }

  watch(prefix: string, observer: WatchObserver, signal: AbortSignal): Promise<void> {
    return this.#store.watch(prefix, observer, signal);
  }

  /** The store under it is the process's, for as long as it runs. */
  async close(): Promise<void> {}

  async #stillLeads(options: CallOptions | undefined): Promise<boolean> {
    const { key, version } = this.#lease.fence;
    const entry = await this.#whileLeading((signal) => this.#store.get(key, { signal }), options);
    return entry?.version === version;
  }

  /** Nothing that the store is slow to give up holds up the end of a leadership. */
  async #whileLeading<T>(ask: (signal: AbortSignal) => Promise<T>, options: CallOptions | undefined): Promise<T> {
    const { lost } = this.#lease;
    const { signal, unhook } = either(lost, options?.signal);
    try {
      return await orAbort(ask(signal), lost);
    } catch (error) {
      throw lost.aborted ? deposed({ uncertain: true }) : error;
    } finally {
      unhook();
    }
  }
}

const deposed = (options?: { readonly uncertain: boolean }): StoreError =>
  new StoreError("this manager no longer leads: another one does, or the store is away", options);
