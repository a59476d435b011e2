/** `shoal manage`: checks its flags, then runs the manager until a signal stops it. */
import type { Command } from "commander";
import { createLog, type Logger } from "../../kit/log.ts";
import type { GlobalFlags } from "../endpoint.ts";
import { CliError } from "../fail.ts";
import type { Io } from "../io.ts";
import { type ManageFlags, manageFlags } from "./flags.ts";
import { onStopSignals } from "./signals.ts";
import { validateManage } from "./validate.ts";

export function manageCommand(io: Io): Command {
  return manageFlags().action((discovery: string | undefined, flags: ManageFlags, command: Command) =>
    manage(io, flags, command.parent?.opts<GlobalFlags>() ?? {}, discovery),
  );
}

async function manage(io: Io, own: ManageFlags, globals: GlobalFlags, discovery: string | undefined): Promise<void> {
  if (globals.host !== undefined) throw new CliError("--host belongs after the command: shoal manage -H ADDRESS");
  const { host: _host, context: _context, ...shared } = globals;
  const flags: ManageFlags = { ...shared, ...own };
  const { options, notes } = validateManage(flags, discovery, io.env);
  const log: Logger = createLog(options.logLevel, io.width !== undefined, io.out);
  for (const note of notes) log.warn(note);
  const { runManager } = await import("../../manager/run.ts");
  const stop = onStopSignals(log);
  try {
    await runManager(options, log, stop.signal);
  } finally {
    stop.dispose();
  }
}
