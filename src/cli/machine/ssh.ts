/** `shoal machine ssh`: a shell or a command inside a machine. No network is involved: it enters the namespaces. */
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { Command } from "commander";
import { CliError } from "../fail.ts";
import type { Io } from "../io.ts";
import { asCliError, machinesOf } from "./support.ts";

/** A login shell: bash where there is one. */
const SHELL = ["sh", "-c", "cd /root 2>/dev/null; command -v bash >/dev/null && exec bash -l; exec sh -l"];

export function sshCommand(io: Io): Command {
  const command = new Command("ssh")
    .usage("NAME [COMMAND...]")
    .description("Open a shell in a machine, or run a command there")
    .argument("<name>", "the machine")
    .argument("[command...]", "read by a shell there, as ssh does")
    .passThroughOptions()
    .allowUnknownOption();
  return command.action(async (name: string, words: string[]) => {
    const machines = machinesOf(command, io);
    const inside = words[0] === "--" ? words.slice(1) : words;
    try {
      const argv = await machines.enter(name, inside.length > 0 ? ["sh", "-c", inside.join(" ")] : SHELL);
      const env = { ...(await machines.environment(name)), TERM: io.env.TERM ?? "dumb" };
      process.exitCode = await spawned(argv, env);
    } catch (error) {
      throw asCliError(error);
    }
  });
}

/** Runs on this process's terminal and streams; resolves with the exit status as a shell says it. */
function spawned(argv: readonly string[], env: Record<string, string>): Promise<number> {
  const [program = "", ...rest] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(program, rest, { stdio: "inherit", env });
    // The terminal sends these to the whole group; the command inside decides what they mean.
    const ignored = (): void => undefined;
    const forward = (): void => void child.kill("SIGTERM");
    process.on("SIGINT", ignored).on("SIGQUIT", ignored).on("SIGTERM", forward);
    const done = (): void => {
      process.off("SIGINT", ignored).off("SIGQUIT", ignored).off("SIGTERM", forward);
    };
    child.once("error", (error) => {
      done();
      reject(new CliError(`${program}: ${error.message}`));
    });
    child.once("exit", (code, signal) => {
      done();
      resolve(code ?? 128 + (signal ? constants.signals[signal] : 0));
    });
  });
}
