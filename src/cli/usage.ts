/** Wrong usage in docker's words instead of commander's. Must not know any command. */
import type { Command, CommanderError } from "commander";
import { CliError } from "./fail.ts";

/** Makes a tree of commands throw instead of exiting, and keep its own error texts to itself. */
export function throwOnUsage(command: Command, out: (text: string) => void): Command {
  command.configureOutput({ writeOut: out, writeErr: () => {} });
  command.exitOverride((error) => {
    throw inDockerWords(error, command);
  });
  for (const child of command.commands) throwOnUsage(child, out);
  return command;
}

/** Help and version were shown: an end, not an error. */
export class Shown extends Error {}

function inDockerWords(error: CommanderError, command: Command): Error {
  const quoted = /'([^']*)'/.exec(error.message)?.[1] ?? "";
  const path = pathOf(command);
  switch (error.code) {
    case "commander.helpDisplayed":
    case "commander.version":
      return new Shown();
    case "commander.help":
      return withUsage(`'${path}' needs a command`, command);
    case "commander.unknownOption":
      return withUsage(unknownFlag(quoted), command);
    case "commander.unknownCommand":
      return new CliError(`unknown command: ${path} ${quoted}\n\nRun '${path} --help' for more information`);
    case "commander.optionMissingArgument":
      return withUsage(`flag needs an argument: ${quoted.replace(/\s*[<[].*$/, "")}`, command);
    case "commander.missingArgument":
      return withUsage(`'${path}' requires an argument: ${quoted}`, command);
    case "commander.excessArguments":
      return withUsage(`'${path}' accepts ${acceptsHow(command.registeredArguments.length)}`, command);
    case "commander.invalidArgument":
      return withUsage(invalidArgument(error.message), command);
    default:
      return new CliError(error.message.replace(/^error: /, ""));
  }
}

function unknownFlag(flag: string): string {
  if (flag.startsWith("--")) return `unknown flag: ${flag}`;
  return `unknown shorthand flag: '${flag.slice(1, 2)}' in ${flag}`;
}

/** commander: `error: option '-n, --last <n>' argument 'x' is invalid. Why` */
function invalidArgument(message: string): string {
  const match = /^error: .*? '(.*)' argument '(.*)' is invalid\. ?(.*)$/s.exec(message);
  if (!match) return message.replace(/^error: /, "");
  const [, flags = "", value = "", why = ""] = match;
  return `invalid argument "${value}" for "${flags.replace(/\s*[<[].*$/, "")}" flag: ${why}`;
}

function acceptsHow(count: number): string {
  if (count === 0) return "no arguments";
  return `at most ${count} argument${count === 1 ? "" : "s"}`;
}

function withUsage(message: string, command: Command): CliError {
  const path = pathOf(command);
  return new CliError(`${message}\n\nUsage:  ${path} ${command.usage()}\n\nRun '${path} --help' for more information`);
}

function pathOf(command: Command): string {
  const names: string[] = [];
  for (let one: Command | null = command; one; one = one.parent) names.unshift(one.name());
  return names.join(" ");
}
