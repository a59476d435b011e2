/** The executable's entry: finds the command, loads only that one, and turns its outcome into an exit code. */
import { basename } from "node:path";
import type { Command } from "commander";
import { buildInfo } from "../kit/build.ts";
import type { GlobalFlags } from "./endpoint.ts";
import { CliError, codeOf, messageOf } from "./fail.ts";
import { type Io, processIo } from "./io.ts";
import { pluginMetadata, startedAsPlugin, unwrapPluginCall } from "./plugin.ts";

/** @param argv as in process.argv; resolves with the exit code and never rejects */
export async function main(argv: readonly string[]): Promise<number> {
  const io = processIo();
  // `shoal ps | head`: the reader has seen enough.
  process.stdout.on("error", (error) => process.exit(codeOf(error) === "EPIPE" ? 0 : 1));
  const plugin = startedAsPlugin(argv[1]);
  let args = argv.slice(2);
  if (plugin) {
    const metadata = pluginMetadata(args, buildInfo().version);
    if (metadata !== undefined) {
      io.out(metadata);
      return 0;
    }
    const call = unwrapPluginCall(args);
    // An environment variable, because the docker that `shoal run` starts must see it too.
    if (call.configDir !== undefined) process.env.DOCKER_CONFIG = call.configDir;
    args = [...call.args];
  }
  return run(args, io, plugin ? "docker shoal" : basename(argv[1] ?? "shoal"));
}

/** One call of shoal with these arguments; errors are printed in docker's manner. */
export async function run(args: readonly string[], io: Io, called = "shoal"): Promise<number> {
  try {
    return await dispatch(args, io, called);
  } catch (error) {
    if (error instanceof CliError) {
      io.err(`${called}: ${error.message}\n`);
      return error.exitCode;
    }
    io.err(`${called}: ${messageOf(error)}\n`);
    if (io.env.DEBUG && error instanceof Error) io.err(`${error.stack}\n`);
    return 1;
  }
}

async function dispatch(args: readonly string[], io: Io, called: string): Promise<number> {
  const { createProgram, lookUp, mount } = await import("./program.ts");
  const { throwOnUsage, Shown } = await import("./usage.ts");
  const { fromGoFlags, leadingFlags } = await import("./go-flags.ts");
  const { version, commit } = buildInfo();
  const program = throwOnUsage(createProgram(commit ? `${version} (${commit})` : version, called), io.out);
  try {
    const { flags, rest } = leadingFlags(program, args);
    const [name, ...after] = rest;
    const { unknown } = program.parseOptions(flags);
    if (name === undefined || unknown.length > 0) return showHelp(program, unknown);
    if (name === "help") return await dispatch(after[0] === undefined ? ["--help"] : [after[0], "--help"], io, called);
    const found = lookUp(name);
    switch (found.kind) {
      case "unknown":
        throw new CliError(`unknown command: ${called} ${name}\n\nRun '${called} --help' for more information`);
      case "raw":
        return await (await found.load())(after, program.opts<GlobalFlags>(), io);
      case "command": {
        const command = throwOnUsage(await found.load(io), io.out);
        mount(program, command);
        await program.parseAsync([...flags, command.name(), ...fromGoFlags(command, after)], { from: "user" });
        return Number(process.exitCode ?? 0);
      }
    }
  } catch (error) {
    if (error instanceof Shown) return 0;
    throw error;
  }
}

/** `shoal`, `shoal --help`, `shoal --unknown`. */
function showHelp(program: Command, unknown: readonly string[]): number {
  const wrong = unknown.find((flag) => flag !== "-h" && flag !== "--help");
  if (wrong !== undefined) {
    throw new CliError(`unknown flag: ${wrong}\n\nRun '${program.name()} --help' for more information`);
  }
  program.outputHelp();
  return 0;
}
