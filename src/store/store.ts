/**
 * The store: what engines cannot hold. A small key-value interface that a file, etcd, Consul and ZooKeeper can all keep.
 * Owns the vocabulary; must not know what is stored.
 *
 * Promises of every driver: a transaction happens whole or not at all; one whose promise resolved survives a crash of the
 * process and of the machine; versions of a key never repeat, not even when it is deleted and made again.
 */

/** Opaque; two versions are only ever compared for equality. */
export type Version = string;

export interface Entry {
  /** Segments of printable ASCII, but not `.` and `..`, joined by `/`, without one at either end: `containers/3f2a…`. */
  readonly key: string;
  readonly value: string;
  readonly version: Version;
}

/** Holds when the key has this version now; `undefined`: when there is no such key. */
export interface Condition {
  readonly key: string;
  readonly version: Version | undefined;
}

/** Sets a key, or deletes it (`undefined`; deleting what is not there is no error). */
export interface Write {
  readonly key: string;
  readonly value: string | undefined;
}

export interface Txn {
  /** All must hold, or nothing is written. */
  readonly conditions: readonly Condition[];
  /** No key twice. */
  readonly writes: readonly Write[];
}

/** `versions`: of the written keys, in the order of the writes; undefined for deleted ones. */
export type TxnResult =
  | { readonly ok: true; readonly versions: readonly (Version | undefined)[] }
  | { readonly ok: false };

/**
 * What a watch tells, in order: one snapshot, then changes. Values in between may be skipped (Consul and ZooKeeper keep
 * no history); the last value of each key is always told. After an interruption another snapshot comes,
 * and also when the contents were restored from a backup.
 */
export interface WatchObserver {
  snapshot(entries: readonly Entry[]): void;
  /** An entry, or the key of one that was deleted. */
  change(change: Entry | { readonly key: string; readonly version: undefined; readonly value: undefined }): void;
  /** The store cannot be reached now; it goes on by itself. */
  trouble?(error: Error): void;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
}

/** What one transaction of a store may be: keys that it names, in conditions and writes, and bytes that it writes. */
export interface Limits {
  readonly operations: number;
  readonly bytes: number;
}

/** All methods reject with `StoreError`; `txn` with `uncertain` set when it may have happened all the same. */
export interface Store {
  /** At least what every store takes (bounds.ts). */
  readonly limits: Limits;
  get(key: string, options?: CallOptions): Promise<Entry | undefined>;
  /** Every entry whose key begins with the prefix (`""`: all), sorted by key. */
  list(prefix: string, options?: CallOptions): Promise<readonly Entry[]>;
  txn(txn: Txn, options?: CallOptions): Promise<TxnResult>;
  /** Until the signal aborts; rejects only when it can never work. */
  watch(prefix: string, observer: WatchObserver, signal: AbortSignal): Promise<void>;
  /** Waits for what is under way; afterwards every method rejects. */
  close(): Promise<void>;
}

export class StoreError extends Error {
  /** Of a transaction: it may have happened. */
  readonly uncertain: boolean;
  constructor(message: string, options: { readonly uncertain?: boolean; readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "StoreError";
    this.uncertain = options.uncertain ?? false;
  }
}
