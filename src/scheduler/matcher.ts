/**
 * Compiled patterns over names, IDs, tags and label values: a literal, a glob or a `/regex/`.
 * Owns how a pattern matches; knows nothing of expressions, nodes or containers.
 */
import { compileRegex } from "./regex.ts";

/** A compiled pattern over names, IDs, tags or label values. */
export interface Matcher {
  /** Set when only this very string can match: an index look-up then answers without a scan. */
  readonly exact?: string;
  test(value: string): boolean;
}

/**
 * `/…/` is a regular expression, unanchored; anything else is a glob in which `*` is any run of characters and every
 * other character stands for itself (classic Swarm left `.` and the rest of a glob unescaped, so that `a.b` matched `axb`).
 * Throws RegexError for a bad regular expression.
 */
export function compileMatcher(pattern: string): Matcher {
  if (pattern.length >= 2 && pattern.startsWith("/") && pattern.endsWith("/")) {
    return { test: compileRegex(pattern.slice(1, -1)) };
  }
  return compileGlob(pattern);
}

/** Any of several matchers: the whitelist's `a|b|c`. */
export function anyOf(matchers: readonly Matcher[]): Matcher {
  const [only] = matchers;
  if (only !== undefined && matchers.length === 1) return only;
  const exact = new Set<string>();
  const others: Matcher[] = [];
  for (const matcher of matchers) {
    if (matcher.exact === undefined) others.push(matcher);
    else exact.add(matcher.exact);
  }
  return { test: (value) => exact.has(value) || others.some((matcher) => matcher.test(value)) };
}

/** Greedy search for the pieces between the stars: never backtracks. */
function compileGlob(pattern: string): Matcher {
  const pieces = pattern.split("*");
  const first = pieces.shift() ?? "";
  const last = pieces.pop();
  if (last === undefined) return { exact: pattern, test: (value) => value === pattern };
  const shortest = first.length + last.length;
  return {
    test: (value) => {
      if (value.length < shortest || !value.startsWith(first) || !value.endsWith(last)) return false;
      const end = value.length - last.length;
      let from = first.length;
      for (const piece of pieces) {
        const at = value.indexOf(piece, from);
        if (at < 0 || at + piece.length > end) return false;
        from = at + piece.length;
      }
      return true;
    },
  };
}
