/** `shoal store`: look into a manager's store, back it up, restore it; the manager may run meanwhile. */
import { dirname, resolve } from "node:path";
import { Command } from "commander";
import { backupOf, readBackup } from "../../store/drivers/file/maintenance.ts";
import { systemDisk } from "../../store/drivers/file/system-disk.ts";
import { CliError, messageOf } from "../fail.ts";
import type { Io } from "../io.ts";
import { repeat } from "../repeat.ts";
import { withoutSecrets } from "./redact.ts";
import { type Source, sourceAt } from "./source.ts";

const STORE = "directory or file:///directory, or etcd://, consul://, zk://host:port,…/path";

interface StoreFlags {
  readonly storeOpt?: readonly string[];
}

export function storeCommand(io: Io): Command {
  const store = new Command("store")
    .usage("COMMAND")
    .description("Look into a manager's store, back it up, restore it.")
    .enablePositionalOptions();
  store
    .command("dump")
    .usage("STORE")
    .description("Print what the store holds, one JSON object a line, without secrets")
    .argument("<store>", STORE)
    .option("--store-opt <key=value>", "as of shoal manage (repeat)", repeat)
    .action((url: string, flags: StoreFlags) => dump(io, sourceAt(io, url, flags.storeOpt)));
  store
    .command("backup")
    .usage("STORE FILE")
    .description("Write a checksummed backup to FILE, in the place of what was there")
    .argument("<store>", STORE)
    .option("--store-opt <key=value>", "as of shoal manage (repeat)", repeat)
    .argument("<file>")
    .action((url: string, file: string, flags: StoreFlags) =>
      backup(io, sourceAt(io, url, flags.storeOpt), resolve(file)),
    );
  store
    .command("restore")
    .usage("STORE FILE")
    .description(
      "Put a backup in the place of everything that the store holds, after verifying it. A manager that runs meanwhile " +
        "takes it within seconds and writes into it again what it knows; the rest it takes in when it is started again. " +
        "In etcd, Consul and ZooKeeper it is done transaction by transaction: stop the manager first.",
    )
    .argument("<store>", STORE)
    .option("--store-opt <key=value>", "as of shoal manage (repeat)", repeat)
    .argument("<file>")
    .action((url: string, file: string, flags: StoreFlags) =>
      restore(io, sourceAt(io, url, flags.storeOpt), resolve(file)),
    );
  return store;
}

async function dump(io: Io, source: Source): Promise<void> {
  const { entries } = await source.read();
  for (const { key, value } of entries) io.out(`${JSON.stringify({ key, value: withoutSecrets(value) })}\n`);
}

async function backup(io: Io, source: Source, file: string): Promise<void> {
  const holdings = await source.read();
  const next = `${file}.new`;
  try {
    const out = await systemDisk.create(next);
    try {
      for (const piece of backupOf(holdings)) await out.append(piece);
      await out.sync();
    } finally {
      await out.close();
    }
    readBackup((await systemDisk.read(next)) ?? new Uint8Array(), next);
    await systemDisk.rename(next, file);
    await systemDisk.syncDirectory(dirname(file));
  } catch (error) {
    await systemDisk.remove(next).catch(() => undefined);
    throw new CliError(`cannot write the backup: ${messageOf(error)}`);
  }
  io.out(`${holdings.entries.length} entries of ${source.name} are in ${file}\n`);
}

async function restore(io: Io, source: Source, file: string): Promise<void> {
  const bytes = await systemDisk.read(file).catch((error: unknown) => {
    throw new CliError(`cannot read the backup: ${messageOf(error)}`);
  });
  if (bytes === undefined) throw new CliError(`there is no ${file}`);
  const holdings = readBackup(bytes, file);
  const how = await source.restore(holdings);
  const by = how === "here" ? "" : " by the running manager";
  io.out(`${holdings.entries.length} entries of ${file} were restored to ${source.name}${by}\n`);
}
