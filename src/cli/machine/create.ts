/** `shoal machine create`. */
import { Command } from "commander";
import type { MachineOptions } from "../../machine/local.ts";
import { parseMemory } from "../../machine/spec.ts";
import { CliError } from "../fail.ts";
import type { Io } from "../io.ts";
import { asCliError, collect, machinesOf } from "./support.ts";

interface CreateFlags {
  driver: string;
  cpus: string;
  memory: string;
  label?: string[];
  engineLabel?: string[];
  engineDir?: string;
  engineOpt?: string[];
}

export function createCommand(io: Io): Command {
  const command = new Command("create")
    .usage("[OPTIONS] NAME [NAME...]")
    .description("Create machines, each a Docker Engine with a host of its own")
    .argument("<names...>", "names of the machines")
    .option("-d, --driver <driver>", "driver: local (namespaces of this host; needs root)", "local")
    .option("--cpus <n>", "CPUs that the engine sees", "1")
    .option("--memory <size>", "memory that the engine reports", "2g")
    .option("--label <key=value>", "engine label, may be repeated", collect)
    .option("--engine-label <key=value>", "same as --label", collect)
    .option("--engine-dir <dir>", "directory of engine binaries (dockerd, containerd, runc) to prefer")
    .option("--engine-opt <flag=value>", "further flag of dockerd, may be repeated", collect);
  return command.action(async (names: string[], flags: CreateFlags) => {
    try {
      if (flags.driver !== "local") throw new CliError(`driver "${flags.driver}" is not available; there is: local`, 3);
      const made = await machinesOf(command, io).create(names, optionsOf(flags));
      const hint = made.length === 1 ? made[0]?.name : "NAME";
      io.out(`To connect the docker CLI to a machine's engine: eval $(shoal machine env ${hint})\n`);
      io.out(`To serve all of them as one: shoal manage nodes://${made.map((one) => `${one.ip}:2375`).join(",")}\n`);
    } catch (error) {
      throw asCliError(error);
    }
  });
}

function optionsOf(flags: CreateFlags): MachineOptions {
  return {
    cpus: Number(flags.cpus),
    memory: parseMemory(flags.memory),
    labels: [...(flags.label ?? []), ...(flags.engineLabel ?? [])],
    engineOpts: flags.engineOpt ?? [],
    ...(flags.engineDir ? { engineDir: flags.engineDir } : {}),
  };
}
