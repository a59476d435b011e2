/** What the machine sub-commands share: the storage path, errors as exit codes, the same work on several machines. */
import type { Command } from "commander";
import { type LocalMachines, MachineError } from "../../machine/local.ts";
import { CliError, messageOf } from "../fail.ts";
import type { Io } from "../io.ts";
import { openMachines } from "./open.ts";

/** docker-machine's exit status when nothing was touched because the host is not fit. */
const PRECREATE_EXIT = 3;

/** The machines of --storage-path; progress goes to standard output. */
export function machinesOf(command: Command, io: Io): LocalMachines {
  const { storagePath } = command.optsWithGlobals<{ storagePath?: string }>();
  const path = storagePath ?? io.env.SHOAL_MACHINE_STORAGE_PATH;
  return openMachines({
    clock: io.clock,
    report: (name, line) => io.out(`(${name}) ${line}\n`),
    ...(path ? { storagePath: path } : {}),
  });
}

/** What ended a command, as one CliError. */
export function asCliError(error: unknown): Error {
  if (error instanceof AggregateError) return new CliError(messageOf(error), exitOf(error.errors[0]), { cause: error });
  if (error instanceof MachineError) return new CliError(error.message, exitOf(error), { cause: error });
  return error instanceof Error ? error : new CliError(messageOf(error));
}

const exitOf = (error: unknown): number =>
  error instanceof MachineError && error.fault === "precreate" ? PRECREATE_EXIT : 1;

/** Does the same to each name, side by side; fails after all have ended when any failed. */
export async function forEachName(names: readonly string[], work: (name: string) => Promise<void>): Promise<void> {
  const results = await Promise.allSettled([...new Set(names)].map(work));
  const errors = results.filter((result) => result.status === "rejected").map((result) => result.reason as unknown);
  if (errors.length === 1) throw asCliError(errors[0]);
  if (errors.length > 1) throw asCliError(new AggregateError(errors, errors.map(messageOf).join("\n")));
}

/** For options that may be given several times. */
export const collect = (value: string, before: readonly string[] | undefined): string[] => [...(before ?? []), value];
