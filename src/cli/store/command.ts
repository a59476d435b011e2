/** `shoal store`: look into a manager's store, back it up, restore it; the manager may run meanwhile. */
import { dirname, resolve } from "node:path";
import { Command } from "commander";
import { systemRandom } from "../../kit/random.ts";
import { backupOf, readBackup, readStore, restoreStore } from "../../store/drivers/file/maintenance.ts";
import { systemDisk } from "../../store/drivers/file/system-disk.ts";
import { CliError, messageOf } from "../fail.ts";
import type { Io } from "../io.ts";
import { withoutSecrets } from "./redact.ts";

export function storeCommand(io: Io): Command {
  const store = new Command("store")
    .usage("COMMAND")
    .description("Look into a manager's store, back it up, restore it.")
    .enablePositionalOptions();
  store
    .command("dump")
    .usage("STORE")
    .description("Print what the store holds, one JSON object a line, without secrets")
    .argument("<store>", "directory or file:///directory")
    .action((url: string) => dump(io, directoryOf(url)));
  store
    .command("backup")
    .usage("STORE FILE")
    .description("Write a checksummed backup to FILE, in the place of what was there")
    .argument("<store>", "directory or file:///directory")
    .argument("<file>")
    .action((url: string, file: string) => backup(io, directoryOf(url), resolve(file)));
  store
    .command("restore")
    .usage("STORE FILE")
    .description(
      "Put a backup in the place of everything that the store holds, after verifying it. A manager that runs meanwhile " +
        "takes it within seconds and writes into it again what it knows; the rest it takes in when it is started again.",
    )
    .argument("<store>", "directory or file:///directory")
    .argument("<file>")
    .action((url: string, file: string) => restore(io, directoryOf(url), resolve(file)));
  return store;
}

function directoryOf(url: string): string {
  const [whole = "", scheme] = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(url) ?? [];
  if (scheme !== undefined && scheme.toLowerCase() !== "file") {
    throw new CliError(`shoal store works on file:// stores; ${scheme}:// has tools of its own, or nothing to keep`);
  }
  if (url === whole) throw new CliError(`store "${url}" names no directory`);
  return resolve(url.slice(whole.length));
}

async function dump(io: Io, directory: string): Promise<void> {
  const { entries } = await readStore(directory, systemDisk);
  for (const { key, value } of entries) io.out(`${JSON.stringify({ key, value: withoutSecrets(value) })}\n`);
}

async function backup(io: Io, directory: string, file: string): Promise<void> {
  const holdings = await readStore(directory, systemDisk);
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
  io.out(`${holdings.entries.length} entries of ${directory} are in ${file}\n`);
}

async function restore(io: Io, directory: string, file: string): Promise<void> {
  const bytes = await systemDisk.read(file).catch((error: unknown) => {
    throw new CliError(`cannot read the backup: ${messageOf(error)}`);
  });
  if (bytes === undefined) throw new CliError(`there is no ${file}`);
  const holdings = readBackup(bytes, file);
  const how = await restoreStore(directory, holdings, { disk: systemDisk, clock: io.clock, random: systemRandom });
  const by = how === "here" ? "" : " by the running manager";
  io.out(`${holdings.entries.length} entries of ${file} were restored to ${directory}${by}\n`);
}
