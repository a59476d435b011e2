/**
 * The `filters=` query parameter: parsed, validated and matched with dockerd's rules and words.
 * Must not know what is filtered nor which filters a route has.
 */

import { badRequest, invalidFilter } from "./errors.ts";
import { compileGoRegexp, type GoRegexp } from "./go-regexp.ts";

/** value → whether it was given as true; `{"label":{"a":false}}` is present and matches nothing exactly. */
type Values = ReadonlyMap<string, boolean>;

/**
 * The query parameter in either form: `{"name":{"a":true}}` or, from before API 1.22, `{"name":["a"]}`.
 * @param raw null or "" when absent
 * @throws DockerError 400 `invalid filter` on bad JSON, `invalid filter 'x'` on a name that is not accepted
 */
export function parseFilters(raw: string | null, accepted: readonly string[]): Filters {
  if (raw === null || raw === "") return new Filters(new Map());
  const parsed = parseRaw(raw);
  if (parsed === undefined) throw badRequest("invalid filter");
  for (const name of parsed.keys()) if (!accepted.includes(name)) throw invalidFilter(name);
  return new Filters(parsed);
}

function parseRaw(raw: string): Map<string, Values> | undefined {
  let json: unknown;
  try {
    json = JSON.parse(raw);
  } catch {
    return undefined;
  }
  const parsed = new Map<string, Values>();
  if (json === null) return parsed;
  if (typeof json !== "object" || Array.isArray(json)) return undefined;
  const entries = Object.entries(json);
  // One form or the other: Go decodes the whole as a set, and failing that the whole as lists.
  const lists = entries.some(([, value]) => Array.isArray(value));
  for (const [name, value] of entries) {
    const values = value === null ? new Map<string, boolean>() : lists ? listOf(value) : setOf(value);
    if (values === undefined) return undefined;
    parsed.set(name, values);
  }
  return parsed;
}

function listOf(value: unknown): Values | undefined {
  if (!Array.isArray(value)) return undefined;
  const values = new Map<string, boolean>();
  for (const element of value) {
    if (typeof element !== "string" && element !== null) return undefined;
    values.set(element ?? "", true);
  }
  return values;
}

function setOf(value: unknown): Values | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const values = new Map<string, boolean>();
  for (const [key, flag] of Object.entries(value)) {
    if (typeof flag !== "boolean" && flag !== null) return undefined;
    values.set(key, flag ?? false);
  }
  return values;
}

/** Which objects a list asks for. Every match is true when its filter is absent or empty, as in Docker. */
export class Filters {
  readonly #fields: ReadonlyMap<string, Values>;
  readonly #regexps = new Map<string, readonly GoRegexp[]>();

  constructor(values: ReadonlyMap<string, Values>) {
    this.#fields = values;
  }

  get isEmpty(): boolean {
    return this.#fields.size === 0;
  }

  /** The names of the filters that were given. */
  names(): string[] {
    return [...this.#fields.keys()];
  }

  has(name: string): boolean {
    return this.#fields.has(name);
  }

  /** The values of one filter in the order given; none when it is absent. */
  get(name: string): string[] {
    return [...(this.#fields.get(name)?.keys() ?? [])];
  }

  /** Whether `source` is one of the values. */
  exactMatch(name: string, source: string): boolean {
    const values = this.#fields.get(name);
    if (values === undefined || values.size === 0) return true;
    return values.get(source) ?? false;
  }

  /** Whether `source` is a value, or one of the values, read as a Go regular expression, is found in it. Bad ones match nothing. */
  match(name: string, source: string): boolean {
    return this.exactMatch(name, source) || this.#compiled(name).some((regexp) => regexp.test(source));
  }

  /** Whether `source` is a value or begins with one. */
  fuzzyMatch(name: string, source: string): boolean {
    return this.exactMatch(name, source) || this.get(name).some((prefix) => source.startsWith(prefix));
  }

  /**
   * Whether `labels` has each value of the filter `name`: `key` for any value, `key=value` for that one.
   * The value may hold further equal signs.
   */
  matchLabels(labels: Readonly<Record<string, string>> | null | undefined, name = "label"): boolean {
    for (const wanted of this.get(name)) {
      const equals = wanted.indexOf("=");
      const key = equals < 0 ? wanted : wanted.slice(0, equals);
      if (labels === null || labels === undefined || !Object.hasOwn(labels, key)) return false;
      if (equals >= 0 && labels[key] !== wanted.slice(equals + 1)) return false;
    }
    return true;
  }

  /**
   * The filter as a yes or no: `1`, `true`, `0` or `false`; `absent` when it was not given.
   * @throws DockerError 400 `invalid filter 'x=[…]'` on other values or on both yes and no
   */
  bool(name: string, absent: boolean): boolean {
    const values = this.#fields.get(name);
    if (values === undefined) return absent;
    if (values.size === 0) throw invalidFilter(name);
    const no = values.get("0") || values.get("false") || false;
    const yes = values.get("1") || values.get("true") || false;
    if (no === yes) throw this.invalid(name);
    return yes;
  }

  /** The error for values that make no sense: `invalid filter 'status=[foo]'`, 400. */
  invalid(name: string): Error {
    return badRequest(`invalid filter '${name}=[${this.get(name).join(" ")}]'`);
  }

  /** For forwarding to engines: the form of API 1.22 and later; "" when nothing was given. */
  toJson(): string {
    if (this.isEmpty) return "";
    const members = [...this.#fields].map(
      ([name, values]) =>
        `${JSON.stringify(name)}:{${[...values].map(([value, flag]) => `${JSON.stringify(value)}:${flag}`).join(",")}}`,
    );
    return `{${members.join(",")}}`;
  }

  /** The same filters with one replaced (or, with no values, left out). */
  with(name: string, values: readonly string[]): Filters {
    const copy = new Map(this.#fields);
    if (values.length === 0) copy.delete(name);
    else copy.set(name, new Map(values.map((value) => [value, true])));
    return new Filters(copy);
  }

  #compiled(name: string): readonly GoRegexp[] {
    let compiled = this.#regexps.get(name);
    if (compiled === undefined) {
      compiled = this.get(name).flatMap((pattern) => compileGoRegexp(pattern) ?? []);
      this.#regexps.set(name, compiled);
    }
    return compiled;
  }
}
