/** `shoal run`: the stock `docker run` with shoal's placement flags understood. */
import { withManager } from "../client.ts";
import { findEndpoint, type GlobalFlags } from "../endpoint.ts";
import { CliError } from "../fail.ts";
import type { Io } from "../io.ts";
import { runDocker } from "./docker.ts";
import { RUN_FAILED, splitRun } from "./split.ts";

const HELP = `Usage:  shoal run [OPTIONS] IMAGE [COMMAND] [ARG...]

docker run, with three options more:

      --constraint KEY=VALUE   run on a node with this label: storage=ssd, storage!=disk,
                               a glob (region=us-*) or a /regex/; ~ before the value: if possible
      --affinity KEY=VALUE     run beside: container=NAME, image=NAME, or a container's label
      --reschedule POLICY      when its node is lost: on-node-failure, always, never or off

All other options are docker's: docker run --help
`;

/** Resolves with docker's exit code; 125 for a failure of our own. */
export async function runCommand(args: readonly string[], globals: GlobalFlags, io: Io): Promise<number> {
  if (args[0] === "--help" || args[0] === "-help") {
    io.out(HELP);
    return 0;
  }
  try {
    const { args: forDocker, ours } = splitRun(args);
    // A plain engine would take the expressions for environment variables and say nothing.
    if (ours) await withManager(globals, io, async () => {});
    return await runDocker([...connection(globals, io), "run", ...forDocker], io);
  } catch (error) {
    if (error instanceof CliError && error.exitCode !== RUN_FAILED) {
      throw new CliError(error.message, RUN_FAILED, { cause: error });
    }
    throw error;
  }
}

/** docker's global flags, where it would not find the manager by itself. */
function connection(globals: GlobalFlags, io: Io): string[] {
  const endpoint = findEndpoint(globals, io.env);
  if (endpoint.dockerFindsIt) return [];
  if (globals.context !== undefined) return ["--context", globals.context];
  const flags = ["--host", endpoint.host];
  if (globals.tls) flags.push("--tls");
  if (globals.tlsverify) flags.push("--tlsverify");
  for (const name of ["tlscacert", "tlscert", "tlskey"] as const) {
    const file = globals[name];
    if (file !== undefined) flags.push(`--${name}`, file);
  }
  return flags;
}
