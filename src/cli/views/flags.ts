/** Flags that every view has. */
import type { Command } from "commander";
import type { GlobalFlags } from "../endpoint.ts";

/** `-H`, also after the command's name. */
export function withHost(command: Command): Command {
  return command.option("-H, --host <address>", "manager to talk to (env DOCKER_HOST, else the docker context)");
}

/** `-q` and `--format`, too. */
export function withFormat(command: Command, quiet: string): Command {
  return withHost(command)
    .option("-q, --quiet", quiet)
    .option("--format <format>", "table (default), json (one object a line), or a template such as '{{.Name}}'");
}

/** The global flags with this command's own `-H` on top. */
export function globalsOf(command: Command): GlobalFlags {
  let globals: GlobalFlags = {};
  for (let one = command.parent; one; one = one.parent) globals = { ...one.opts<GlobalFlags>(), ...globals };
  const { host } = command.opts<GlobalFlags>();
  return host === undefined ? globals : { ...globals, host };
}
