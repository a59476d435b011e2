/** `shoal machine`: docker-machine's place, with the driver `local`. Owns the tree of sub-commands. */
import { Command } from "commander";
import { type Io, processIo } from "../io.ts";
import { createCommand } from "./create.ts";
import { lsCommand } from "./ls.ts";
import { powerCommands } from "./power.ts";
import { showCommands } from "./show.ts";
import { sshCommand } from "./ssh.ts";

export function machineCommand(io: Io = processIo()): Command {
  const machine = new Command("machine")
    .usage("[OPTIONS] COMMAND")
    .description("Make and manage hosts with a Docker Engine each")
    .enablePositionalOptions()
    .option("-s, --storage-path <dir>", "where a cluster of machines is kept (env SHOAL_MACHINE_STORAGE_PATH)");
  for (const command of [createCommand(io), lsCommand(io), ...showCommands(io), ...powerCommands(io), sshCommand(io)])
    machine.addCommand(command);
  return machine;
}
