/**
 * The store that a command names: a directory of the file driver, read and restored past its owner, or one that other
 * machines keep, through its driver. Owns reading all of it and putting a backup in its place.
 */
import { resolve } from "node:path";
import { silentLog } from "../../kit/log.ts";
import { systemRandom } from "../../kit/random.ts";
import { type Holdings, readStore, restoreStore } from "../../store/drivers/file/maintenance.ts";
import { systemDisk } from "../../store/drivers/file/system-disk.ts";
import { publicUrl } from "../../store/drivers/remote/address.ts";
import { openStore } from "../../store/open.ts";
import { replaceAll } from "../../store/replace.ts";
import type { Store } from "../../store/store.ts";
import { CliError } from "../fail.ts";
import type { Io } from "../io.ts";
import { storeOptionsOf } from "../store-opt.ts";

export interface Source {
  /** As it may be shown. */
  readonly name: string;
  read(): Promise<Holdings>;
  /** Who put the backup in the place of everything. */
  restore(backup: Holdings): Promise<"here" | "by the manager">;
}

/** Throws CliError. */
export function sourceAt(io: Io, url: string, storeOpt: readonly string[] | undefined): Source {
  const [whole = "", scheme = "file"] = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(url) ?? [];
  switch (scheme.toLowerCase()) {
    case "file":
      if (url === whole) throw new CliError(`store "${url}" names no directory`);
      return directory(io, resolve(url.slice(whole.length)));
    case "memory":
      throw new CliError("a store in memory:// is its manager's alone, and keeps nothing");
  }
  const options = storeOptionsOf(storeOpt, io.env);
  const open = () => openStore(url, { clock: io.clock, random: systemRandom, log: silentLog, options });
  return remote(publicUrl(url), async (work) => {
    const store = await open();
    try {
      return await work(store);
    } finally {
      await store.close();
    }
  });
}

function directory(io: Io, path: string): Source {
  return {
    name: path,
    read: () => readStore(path, systemDisk),
    restore: (backup) => restoreStore(path, backup, { disk: systemDisk, clock: io.clock, random: systemRandom }),
  };
}

function remote(name: string, within: <T>(work: (store: Store) => Promise<T>) => Promise<T>): Source {
  return {
    name,
    read: () => within(async (store) => ({ entries: await store.list(""), revision: 0 })),
    restore: (backup) => within((store) => replaceAll(store, backup.entries)).then(() => "here"),
  };
}
