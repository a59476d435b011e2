/**
 * Go's way of writing flags, which classic Swarm's documents use: `-strategy spread`, `-tls=false`.
 * Rewrites arguments into what commander reads; must not know any command.
 */
import type { Command, Option } from "commander";

/** The arguments with single-dash long forms doubled and `=true`/`=false` of switches resolved, per (sub)command. */
export function fromGoFlags(root: Command, args: readonly string[]): string[] {
  const result: string[] = [];
  let command = root;
  let rest = args;
  let descending = true;
  for (;;) {
    const leading = leadingFlags(command, rest);
    result.push(...leading.flags);
    const [word, ...after] = leading.rest;
    if (word === undefined) return result;
    if (word === "--") return [...result, ...leading.rest];
    result.push(word);
    rest = after;
    const child = descending
      ? command.commands.find((one) => one.name() === word || one.aliases().includes(word))
      : undefined;
    if (child) command = child;
    else descending = false;
    if (!child && passesThrough(command)) return [...result, ...rest];
  }
}

/** The flags before the first operand (or `--`), rewritten, and all that follows, untouched. */
export function leadingFlags(command: Command, args: readonly string[]): { flags: string[]; rest: string[] } {
  const flags: string[] = [];
  let index = 0;
  while (index < args.length) {
    const arg = args[index] ?? "";
    if (!arg.startsWith("-") || arg === "-" || arg === "--") break;
    index++;
    const flag = rewrite(command, arg);
    if (flag.text !== undefined) flags.push(flag.text);
    if (flag.takesNext && index < args.length) flags.push(args[index++] ?? "");
  }
  return { flags, rest: args.slice(index) };
}

interface Rewritten {
  /** Undefined: the flag disappears (`--tls=false`). */
  readonly text: string | undefined;
  /** The next argument is its value and must not be looked at. */
  readonly takesNext: boolean;
}

function rewrite(command: Command, arg: string): Rewritten {
  const body = arg.replace(/^--?/, "");
  const equals = body.indexOf("=");
  const name = equals < 0 ? body : body.slice(0, equals);
  const value = equals < 0 ? undefined : body.slice(equals + 1);
  const short = arg.startsWith("--") || name.length > 1 ? undefined : find(command, `-${name}`);
  const option = short ?? (name.length > 1 ? find(command, `--${name}`) : undefined);
  if (!option) {
    const last = arg.startsWith("--") || value !== undefined ? undefined : find(command, `-${name.at(-1) ?? ""}`);
    return { text: arg, takesNext: last !== undefined && takesValue(last) && !earlierTakesRest(command, name) };
  }
  const dashed = short ? `-${name}` : `--${name}`;
  if (takesValue(option)) {
    if (value === undefined) return { text: dashed, takesNext: true };
    return { text: short ? `${dashed}${value}` : `${dashed}=${value}`, takesNext: false };
  }
  if (value === undefined || /^(1|t|true)$/i.test(value)) return { text: dashed, takesNext: false };
  if (/^(0|f|false)$/i.test(value)) return { text: undefined, takesNext: false };
  return { text: `${dashed}=${value}`, takesNext: false };
}

/** `-fn`: f takes `n` as its value, so nothing follows. */
function earlierTakesRest(command: Command, cluster: string): boolean {
  return [...cluster.slice(0, -1)].some((letter) => {
    const option = find(command, `-${letter}`);
    return option !== undefined && takesValue(option);
  });
}

function find(command: Command, dashed: string): Option | undefined {
  return command.options.find((option) => option.long === dashed || option.short === dashed);
}

function takesValue(option: Option): boolean {
  return option.required;
}

/** Commander keeps this to itself; what follows the first operand then belongs to another program. */
function passesThrough(command: Command): boolean {
  return (command as unknown as { _passThroughOptions?: boolean })._passThroughOptions === true;
}
