/** `shoal manage`: checks its flags, then runs the manager until a signal stops it. */
import type { Command } from "commander";
import { createLog, type Logger } from "../../kit/log.ts";
import type { ManageOptions } from "../../manager/options.ts";
import type { GlobalFlags } from "../endpoint.ts";
import { CliError } from "../fail.ts";
import type { Io } from "../io.ts";
import { type ManageFlags, manageFlags } from "./flags.ts";
import { listenToSignals } from "./signals.ts";
import { type Validated, validateManage } from "./validate.ts";

/** Works until `signal` aborts, then stops gracefully; rejects when it cannot start. */
export type RunManager = (
  options: ManageOptions,
  log: Logger,
  signal: AbortSignal,
  onHangup: (listener: () => void) => void,
) => Promise<void>;

/** The manager's code is loaded only once its options are known to be good. */
const loadManager = async (): Promise<RunManager> => (await import("../../manager/run.ts")).runManager;

export function manageCommand(io: Io, load: () => Promise<RunManager> = loadManager): Command {
  return manageFlags().action(async (discovery: string | undefined, own: ManageFlags, command: Command) => {
    const { options, notes } = validated(io, own, command.parent?.opts<GlobalFlags>() ?? {}, discovery);
    const log = createLog(options.logLevel, io.width !== undefined, io.out);
    for (const note of notes) log.warn(note);
    const runManager = await load();
    const signals = listenToSignals(log);
    try {
      await runManager(options, log, signals.signal, signals.onHangup);
    } finally {
      signals.dispose();
    }
  });
}

function validated(io: Io, own: ManageFlags, globals: GlobalFlags, discovery: string | undefined): Validated {
  if (globals.host !== undefined) throw new CliError("--host belongs after the command: shoal manage -H ADDRESS");
  const { host: _host, context: _context, ...shared } = globals;
  return validateManage({ ...shared, ...own }, discovery, io.env);
}
