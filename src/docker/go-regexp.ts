/**
 * Go's regular expressions (RE2) as far as users write them, compiled to JavaScript's. Must not know what is matched.
 * JavaScript backtracks where RE2 does not: only for short subjects (names, IDs), and not for patterns that nest repetition.
 */

import { REGEXP_CHARS } from "../kit/limits.ts";

const POSIX: Record<string, string> = {
  alnum: "0-9A-Za-z",
  alpha: "A-Za-z",
  ascii: "\\x00-\\x7f",
  blank: "\\t ",
  cntrl: "\\x00-\\x1f\\x7f",
  digit: "0-9",
  graph: "!-~",
  lower: "a-z",
  print: " -~",
  punct: "!-/:-@\\[-`{-~",
  space: "\\t\\n\\v\\f\\r ",
  upper: "A-Z",
  word: "0-9A-Za-z_",
  xdigit: "0-9A-Fa-f",
};

export interface GoRegexp {
  /** Whether the pattern is found anywhere in the text. */
  test(text: string): boolean;
}

/**
 * The compiled pattern; undefined when it is invalid in Go, longer than REGEXP_CHARS, or could take exponential time here (a
 * repetition inside a repeated group). Flags are read at the pattern's beginning only: `(?i)`, `(?s)`, `(?m)`.
 */
export function compileGoRegexp(pattern: string): GoRegexp | undefined {
  if (pattern.length > REGEXP_CHARS) return undefined;
  const [, flags = ""] = /^\(\?([ism]+)\)/.exec(pattern) ?? [];
  const body = flags === "" ? pattern : pattern.slice(flags.length + 3);
  // RE2 knows neither look-around nor back references.
  if (/\(\?(?:[=!]|<[=!])/.test(body) || /(?:^|[^\\])(?:\\\\)*\\[1-9k]/.test(body)) return undefined;
  if (nestsRepetition(body)) return undefined;
  const source = body
    .replaceAll("(?P<", "(?<")
    .replaceAll(/\[:(\w+):\]/g, (whole, name: string) => POSIX[name] ?? whole)
    .replaceAll("\\A", "(?<![\\s\\S])")
    .replaceAll("\\z", "(?![\\s\\S])");
  const wanted = [...new Set(flags)].join("");
  try {
    return new RegExp(source, wanted);
  } catch {
    return undefined;
  }
}

/** Whether a group that is repeated without bound holds a repetition or a choice: the shapes that backtrack exponentially. */
function nestsRepetition(body: string): boolean {
  const risky: boolean[] = [];
  for (let i = 0; i < body.length; i++) {
    const c = body[i];
    if (c === "\\") i++;
    else if (c === "[") i = classEnd(body, i);
    else if (c === "(") risky.push(false);
    else if (c === ")") {
      const inner = risky.pop() ?? false;
      const repeated = /^(?:[*+]|\{\d+,?\d*\})/.test(body.slice(i + 1, i + 20));
      if (inner && repeated) return true;
      if (risky.length > 0 && (inner || repeated)) risky[risky.length - 1] = true;
    } else if (
      (c === "*" || c === "+" || c === "{" || c === "|" || (c === "?" && body[i - 1] !== "(")) &&
      risky.length > 0
    ) {
      risky[risky.length - 1] = true;
    }
  }
  return false;
}

/** The position of the bracket that closes the class opened at `at`, or the last character. */
function classEnd(body: string, at: number): number {
  let i = body[at + 1] === "^" ? at + 2 : at + 1;
  if (body[i] === "]") i++;
  for (; i < body.length; i++) {
    if (body[i] === "\\") i++;
    else if (body.startsWith("[:", i)) i = Math.max(i, body.indexOf(":]", i) + 1);
    else if (body[i] === "]") return i;
  }
  return body.length - 1;
}
