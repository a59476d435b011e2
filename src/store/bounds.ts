/**
 * What may be asked of a store: the form of keys, the sizes. Every driver checks here, so that all refuse alike. What every
 * store takes is what the tightest does (Consul); one that takes larger transactions says so. Must not know any driver.
 */
import { STORE_KEY_CHARS, STORE_TXN_BYTES, STORE_TXN_KEYS, STORE_VALUE_BYTES } from "../kit/store-limits.ts";
import { type CallOptions, type Limits, StoreError, type Txn, type Write } from "./store.ts";

/** A transaction within these may be asked of any store. */
export const EVERY_STORE: Limits = { operations: STORE_TXN_KEYS, bytes: STORE_TXN_BYTES };

/** Printable ASCII without the space; no empty segment, and none that servers take for a way through directories. */
const KEY = /^(?!\.{1,2}\/)(?!.*\/\.{1,2}\/)(?!(?:.*\/)?\.{1,2}$)[!-.0-~]+(?:\/[!-.0-~]+)*$/;
const PREFIX = /^[!-~]*$/;

/** @throws StoreError */
export function checkKey(key: string): void {
  if (key.length > STORE_KEY_CHARS)
    throw new StoreError(`a key of the store has at most ${STORE_KEY_CHARS} characters, this one has ${key.length}`);
  if (!KEY.test(key))
    throw new StoreError(`bad key for the store: ${JSON.stringify(key)}: printable ASCII segments joined by /`);
}

/**
 * @param closed aborts when the store is closed
 * @throws StoreError; nothing was asked of the store yet
 */
export function checkOpen(closed: AbortSignal, options?: CallOptions): void {
  if (closed.aborted) throw new StoreError("the store is closed");
  if (options?.signal?.aborted)
    throw new StoreError("the store was not asked: the caller gave up", { cause: options.signal.reason });
}

/** @throws StoreError */
export function checkPrefix(prefix: string): void {
  if (prefix.length > STORE_KEY_CHARS || !PREFIX.test(prefix))
    throw new StoreError(`bad prefix for the store: ${JSON.stringify(prefix.slice(0, STORE_KEY_CHARS))}`);
}

/** @throws StoreError; nothing of the transaction happened */
export function checkTxn({ conditions, writes }: Txn, limits: Limits = EVERY_STORE): void {
  for (const { key } of conditions) checkKey(key);
  for (const write of writes) checkWrite(write);
  const written = new Set(writes.map(({ key }) => key));
  if (written.size < writes.length) throw new StoreError("a transaction of the store writes a key twice");
  const named = new Set([...conditions.map(({ key }) => key), ...written]).size;
  if (named > limits.operations)
    throw new StoreError(`a transaction of the store names at most ${limits.operations} keys, this one ${named}`);
  const bytes = writes.reduce((sum, write) => sum + writeBytes(write), 0);
  if (bytes > limits.bytes)
    throw new StoreError(`a transaction of the store writes at most ${limits.bytes} bytes, this one ${bytes}`);
}

/** What a write counts towards `Limits.bytes`. */
export function writeBytes({ key, value = "" }: Write): number {
  return key.length + Buffer.byteLength(value);
}

function checkWrite({ key, value }: Write): void {
  checkKey(key);
  if (value === undefined) return;
  const bytes = Buffer.byteLength(value);
  if (bytes > STORE_VALUE_BYTES)
    throw new StoreError(`a value in the store has at most ${STORE_VALUE_BYTES} bytes, that of ${key} has ${bytes}`);
  if (LONE_SURROGATE.test(value)) throw new StoreError(`the value of ${key} is no text: it cannot be written as UTF-8`);
}

const LONE_SURROGATE = /\p{Surrogate}/u;
