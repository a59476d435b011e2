/** `shoal setup-cli`: makes the docker CLI know this cluster, and undoes it. */
import { Command } from "commander";
import { dockerConfigDir, findEndpoint } from "../endpoint.ts";
import type { Io } from "../io.ts";
import { globalsOf, withHost } from "../views/flags.ts";
import { removeContext, setContext } from "./context.ts";
import { linkPlugin, unlinkPlugin } from "./plugin-link.ts";
import { setPsFormat, undoPsFormat } from "./ps-format.ts";

interface SetupFlags {
  readonly context: string;
  readonly psFormat?: boolean;
  readonly undo?: boolean;
}

export function setupCommand(io: Io): Command {
  const command = new Command("setup-cli")
    .usage("[OPTIONS]")
    .summary("Set up the docker CLI for this cluster")
    .description(
      "Set up the docker CLI for this cluster: a docker context, and `docker shoal …`.\nRuns as often as you like.",
    )
    .option("--context <name>", "the docker context to make or update", "shoal")
    .option("--ps-format", "also a NODE column in plain `docker ps` (psFormat in config.json, with a backup)")
    .option("--undo", "take back all of it");
  return withHost(command).action((flags: SetupFlags) => {
    const dir = dockerConfigDir(io.env);
    const globals = globalsOf(command);
    const steps = flags.undo
      ? [() => removeContext(flags.context, io.env), () => unlinkPlugin(dir), () => undoPsFormat(dir)]
      : [
          () => setContext(flags.context, findEndpoint(globals, io.env), globals, io.env),
          () => linkPlugin(dir),
          ...(flags.psFormat ? [() => setPsFormat(dir)] : []),
        ];
    for (const step of steps) io.out(`${step()}\n`);
  });
}
