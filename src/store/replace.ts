/** Puts other entries in the place of all that a store holds, by its own transactions. Must not know its driver. */
import { EVERY_STORE, writeBytes } from "./bounds.ts";
import type { Entry, Store, Write } from "./store.ts";

/**
 * Transaction by transaction, so a store that somebody uses meanwhile ends in between, and so does one whose restoration is
 * interrupted: then it is to be done again. Rejects with StoreError.
 */
export async function replaceAll(store: Store, entries: readonly Pick<Entry, "key" | "value">[]): Promise<void> {
  const kept = new Set(entries.map(({ key }) => key));
  const before = await store.list("");
  const gone: readonly Write[] = before
    .filter(({ key }) => !kept.has(key))
    .map(({ key }) => ({ key, value: undefined }));
  for (const writes of inTransactions([...gone, ...entries])) await store.txn({ conditions: [], writes });
}

function* inTransactions(writes: readonly Write[]): Generator<readonly Write[]> {
  let next: Write[] = [];
  let bytes = 0;
  for (const { key, value } of writes) {
    const size = writeBytes({ key, value });
    if (next.length === EVERY_STORE.operations || bytes + size > EVERY_STORE.bytes) {
      yield next;
      next = [];
      bytes = 0;
    }
    next.push({ key, value });
    bytes += size;
  }
  if (next.length > 0) yield next;
}
