/**
 * Looking into a file store, backing it up and restoring it, whether a manager has it open or not. Reading needs no lock,
 * because a journal is only appended to or replaced; what is restored is handed to whoever holds the lock.
 */
import type { Clock } from "../../../kit/clock.ts";
import { silentLog } from "../../../kit/log.ts";
import type { Random } from "../../../kit/random.ts";
import { STORE_RESTORE_LOOK_MS, STORE_RESTORE_MS } from "../../../kit/store-limits.ts";
import { type Entry, StoreError } from "../../store.ts";
import { type Disk, DiskLockedError } from "./disk.ts";
import { FileStore } from "./file-store.ts";
import { type Decoded, decode, encodeSnapshot, FormatError } from "./format.ts";
import { Journal } from "./journal.ts";
import { decodeBackup, Restoration } from "./restoration.ts";

/** What a store holds, sorted by key; `revision` counts the transactions that led to it. */
export interface Holdings {
  readonly entries: readonly Entry[];
  readonly revision: number;
}

/** Rejects with StoreError: there is no store, it cannot be read, or it is damaged. */
export async function readStore(directory: string, disk: Disk): Promise<Holdings> {
  return holdings(await readJournal(directory, disk));
}

/** A backup of what was read, as bytes to be written one after the other. */
export function backupOf({ entries, revision }: Holdings): Iterable<Uint8Array> {
  return encodeSnapshot(entries, revision, undefined);
}

/** @throws StoreError when the bytes are not a whole backup */
export function readBackup(bytes: Uint8Array, path: string): Holdings {
  const backup = decodeBackup(bytes);
  if (backup === undefined) throw new StoreError(`${path} is no whole backup of a store: nothing was changed`);
  return holdings(backup);
}

/**
 * Puts a backup in the place of everything that a store holds. When a manager has the store open, it takes the backup;
 * otherwise it is done here. Rejects with StoreError, and then the store is as it was, or unreadable as it was.
 */
export async function restoreStore(
  directory: string,
  backup: Holdings,
  { disk, clock, random }: { readonly disk: Disk; readonly clock: Clock; readonly random: Random },
): Promise<"here" | "by the manager"> {
  const id = random.hex(16);
  const placed = new Restoration(directory, disk);
  const isDone = async () => (await readJournal(directory, disk).catch(() => undefined))?.restoration === id;
  await disk.makeDirectory(directory);
  await placed.place(encodeSnapshot(backup.entries, backup.revision, id));
  try {
    const store = await FileStore.open(directory, { disk, clock, log: silentLog });
    await store.close();
    if (await isDone()) return "here";
  } catch (error) {
    if (!(error instanceof StoreError && error.cause instanceof DiskLockedError)) {
      await placed.remove();
      throw error;
    }
    const until = clock.monotonic() + STORE_RESTORE_MS;
    while (clock.monotonic() < until) {
      if (await isDone()) return "by the manager";
      await clock.sleep(STORE_RESTORE_LOOK_MS);
    }
  }
  await placed.remove();
  if (await isDone()) return "by the manager";
  throw new StoreError("the backup was not taken, and is withdrawn: see the manager's log for the reason");
}

async function readJournal(directory: string, disk: Disk): Promise<Decoded> {
  const journal = new Journal(directory, disk);
  try {
    const bytes = await journal.read();
    if (bytes === undefined) throw new StoreError(`there is no store in ${directory}`);
    return decode(bytes);
  } catch (error) {
    if (error instanceof FormatError) throw new StoreError(`${journal.path} is ${error.message}`);
    if (error instanceof StoreError) throw error;
    throw new StoreError(`cannot read ${journal.path}: ${(error as Error).message}`, { cause: error });
  }
}

function holdings({ entries, revision }: Decoded): Holdings {
  const sorted = [...entries.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
  return { entries: sorted, revision };
}
