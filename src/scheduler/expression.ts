/**
 * Classic Swarm's expressions: `KEY==VALUE`, `KEY!=VALUE`, `~` for soft, globs and `/regex/`.
 * Owns the grammar and its error texts; must not know what the key stands for.
 */
import { badRequest } from "../docker/errors.ts";
import { EXPRESSION_CHARS, EXPRESSIONS_KEPT } from "../kit/limits.ts";
import { anyOf, compileMatcher, type Matcher } from "./matcher.ts";
import { RegexError } from "./regex-syntax.ts";

export interface Expression {
  readonly key: string;
  readonly operator: "==" | "!=";
  readonly soft: boolean;
  readonly matcher: Matcher;
  /** As the user wrote it. */
  readonly text: string;
}

/** Classic's key: two characters or more. */
const KEY = /^[a-z_][a-z0-9\-_.]+$/i;
/** Classic's value: an optional `=`, `!` or `/`, an optional `~`, then what globs and regular expressions need. */
const VALUE = /^[=!/]?~?[a-z0-9:\-_ \t\n\f\r.*/()?+[\]\\^$|]+$/i;

const compiled = new Map<string, Expression>();
const whitelists = new Map<string, Expression>();

/**
 * One expression in classic Swarm's grammar, compiled once: the same text gives the same object while it is kept, so that
 * object identity can key caches. DockerError 400 with classic's words: `Key 'x' is invalid`, `Value 'x' is invalid`
 * (with the reason when a regular expression is at fault), `One of operator ==, != is expected`.
 */
export function parseExpression(text: string): Expression {
  return remembered(compiled, text, () => parse(text, compileMatcher));
}

/** The same grammar with a list of alternatives as the value: `node==node-1|node-2`, each a glob. */
export function parseWhitelist(text: string): Expression {
  return remembered(whitelists, text, () =>
    parse(text, (value) => {
      if (value.startsWith("/") && value.endsWith("/")) return compileMatcher(value);
      return anyOf(value.split("|").map((name) => compileMatcher(name)));
    }),
  );
}

/**
 * As typed after `--constraint`: a single `=` is `==`. The expression's `text` is in the full form, ready to be sent as
 * `constraint:<text>`. Errors as parseExpression.
 */
export function parseConstraintFlag(text: string): Expression {
  return parseExpression(/[=!]=/.test(text) ? text : text.replace("=", "=="));
}

function remembered(cache: Map<string, Expression>, text: string, make: () => Expression): Expression {
  const known = cache.get(text);
  if (known !== undefined) return known;
  const expression = make();
  // The oldest goes: a plain Map keeps insertion order, and a wrong guess costs one compilation.
  const oldest = cache.size >= EXPRESSIONS_KEPT ? cache.keys().next().value : undefined;
  if (oldest !== undefined) cache.delete(oldest);
  cache.set(text, expression);
  return expression;
}

function parse(text: string, compile: (value: string) => Matcher): Expression {
  if (text.length > EXPRESSION_CHARS) {
    throw badRequest(`Value '${text.slice(0, 64)}…' is invalid: longer than ${EXPRESSION_CHARS} characters`);
  }
  // Classic looks for == anywhere before it looks for !=.
  const operator = text.includes("==") ? "==" : "!=";
  const at = text.indexOf(operator);
  if (at < 0) throw badRequest("One of operator ==, != is expected");
  const key = text.slice(0, at);
  const value = text.slice(at + operator.length);
  if (!KEY.test(key)) throw badRequest(`Key '${key}' is invalid`);
  if (!VALUE.test(value)) throw badRequest(`Value '${value}' is invalid`);
  const soft = value.startsWith("~");
  try {
    return { key, operator, soft, matcher: compile(soft ? value.slice(1) : value), text };
  } catch (error) {
    if (!(error instanceof RegexError)) throw error;
    throw badRequest(`Value '${value}' is invalid: ${error.message}`);
  }
}
