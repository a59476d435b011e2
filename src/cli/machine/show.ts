/** `shoal machine inspect`, `ip`, `url`, `status` and `env`: facts about one machine. */
import { Command } from "commander";
import type { MachineInfo } from "../../machine/local.ts";
import { CliError } from "../fail.ts";
import type { Io } from "../io.ts";
import { jsonOf } from "./ls.ts";
import { asCliError, machinesOf } from "./support.ts";

/** Variables of an earlier, TLS-guarded endpoint that would mislead the docker CLI. */
const TLS_VARIABLES = ["DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"];

export function showCommands(io: Io): Command[] {
  return [
    oneFact(io, "inspect", "Show everything about a machine as JSON", (machine) =>
      JSON.stringify(jsonOf(machine), null, 4),
    ),
    oneFact(io, "ip", "Print a machine's address", (machine) => machine.ip),
    oneFact(io, "url", "Print the URL of a machine's engine", (machine) => machine.url),
    oneFact(io, "status", "Print a machine's state", (machine) => machine.state),
    envCommand(io),
  ];
}

function oneFact(io: Io, name: string, description: string, print: (machine: MachineInfo) => string): Command {
  const command = new Command(name).usage("NAME").description(description).argument("<name>", "the machine");
  return command.action(async (machine: string) => {
    io.out(`${print(await inspect(command, io, machine))}\n`);
  });
}

function envCommand(io: Io): Command {
  const command = new Command("env")
    .usage("[OPTIONS] NAME")
    .description("Print the commands that point the docker CLI at a machine's engine")
    .argument("[name]", "the machine")
    .option("--shell <shell>", "sh or fish", "sh")
    .option("-u, --unset", "print the commands that undo it");
  return command.action(async (name: string | undefined, flags: { shell: string; unset?: boolean }) => {
    const fish = flags.shell === "fish";
    if (flags.unset) {
      io.out(unsetLines(["DOCKER_HOST", "DOCKER_MACHINE_NAME"], fish));
      io.out(hint("shoal machine env -u", fish));
      return;
    }
    if (name === undefined) throw new CliError("shoal machine env needs the name of a machine");
    const machine = await inspect(command, io, name);
    if (machine.state !== "Running")
      throw new CliError(`machine ${name} is not running; start it: shoal machine start ${name}`);
    io.out(
      unsetLines(
        TLS_VARIABLES.filter((variable) => io.env[variable] !== undefined),
        fish,
      ),
    );
    for (const [key, value] of [["DOCKER_HOST", machine.url] as const, ["DOCKER_MACHINE_NAME", name] as const])
      io.out(fish ? `set -gx ${key} "${value}";\n` : `export ${key}="${value}"\n`);
    io.out(hint(`shoal machine env ${name}`, fish));
  });
}

const unsetLines = (names: readonly string[], fish: boolean): string =>
  names.map((name) => (fish ? `set -e ${name};\n` : `unset ${name}\n`)).join("");

const hint = (command: string, fish: boolean): string =>
  `# Run this command to configure your shell:\n# ${fish ? `eval (${command} --shell fish)` : `eval $(${command})`}\n`;

async function inspect(command: Command, io: Io, name: string): Promise<MachineInfo> {
  return machinesOf(command, io)
    .inspect(name)
    .catch((error: unknown) => {
      throw asCliError(error);
    });
}
