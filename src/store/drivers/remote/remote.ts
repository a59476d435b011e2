/**
 * What a driver of a store that other machines keep has to do, and no more: bounds, deadlines, paths, watching again after
 * an interruption and closing are in remote-store.ts, once for all. Keys here are whole: the path comes first.
 */
import type { Change } from "../../contents.ts";
import type { Entry, Limits, Txn, TxnResult } from "../../store.ts";

export interface Remote {
  /** The store's name and its servers, for sentences. */
  readonly name: string;
  readonly limits: Limits;
  get(key: string, signal: AbortSignal): Promise<Entry | undefined>;
  /** In any order. */
  list(prefix: string, signal: AbortSignal): Promise<readonly Entry[]>;
  /** Rejects with a StoreError that is not `uncertain` only when nothing happened for sure; never asks twice. */
  txn(txn: Txn, signal: AbortSignal): Promise<TxnResult>;
  /**
   * Tells all entries with the prefix, and then what becomes of them. Rejects when that cannot go on, because the
   * signal aborted or for another reason: then it is called again.
   */
  follow(prefix: string, told: Told, signal: AbortSignal): Promise<never>;
  /** Nothing is under way any more. */
  close(): Promise<void>;
}

export interface Told {
  /** All entries as they are now. What was told already is compared with them. */
  all(entries: readonly Entry[]): void;
  change(change: Change): void;
}
