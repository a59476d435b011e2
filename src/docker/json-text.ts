/**
 * JSON bodies as texts with positions, read as dockerd's Go decoder reads them: what we act on is looked up without regard
 * to case, what we do not know passes through byte for byte. Edits: see json-splice.ts. Must not know any route.
 *
 * The functions that take a `text` expect one that `decodeJson` (or JSON.parse) has accepted. Texts they return are slices,
 * which keep the whole text in memory as long as they live: copy (Buffer.from) what is kept.
 */

import { badRequest } from "./errors.ts";
import { foldKey, isMapField, itemsAt, itemsNamed, kindAt, pickItem, type Span, skipSpace } from "./json-scan.ts";

export type { Span } from "./json-scan.ts";
export { type Edit, type RootKind, splice } from "./json-splice.ts";

/**
 * The value of a body. Big integers lose digits here: forward the text, not this.
 * @throws DockerError 400 in dockerd's words on an empty body or bad JSON
 */
export function decodeJson(text: string): unknown {
  if (text.trim() === "") throw badRequest("invalid JSON: got EOF while reading request body");
  if (isTooDeep(text)) throw badRequest("invalid JSON: exceeded max depth");
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw badRequest(syntaxMessage(text, error instanceof Error ? error.message : ""));
  }
}

/** Go's decoder goes no deeper. */
const MAX_DEPTH = 10_000;

function isTooDeep(text: string): boolean {
  if (text.length <= 2 * MAX_DEPTH) return false;
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (inString) {
      if (c === 0x5c) i++;
      else if (c === 0x22) inString = false;
    } else if (c === 0x22) inString = true;
    else if (c === 0x5b || c === 0x7b) {
      if (++depth > MAX_DEPTH) return true;
    } else if (c === 0x5d || c === 0x7d) depth--;
  }
  return false;
}

/** V8's words turned into dockerd's, as far as they say the same. */
function syntaxMessage(text: string, words: string): string {
  if (words.startsWith("Unexpected non-whitespace character after JSON")) return "unexpected content after JSON";
  if (words.startsWith("Unexpected end") || words.startsWith("Unterminated")) return "invalid JSON: unexpected EOF";
  const position = /at position (\d+)/.exec(words)?.[1];
  const character = /^Unexpected token '(.+?)',/su.exec(words)?.[1] ?? (position && text[Number(position)]);
  if (character === undefined) return "invalid JSON: invalid character";
  return `invalid JSON: invalid character '${character}'${position === undefined ? "" : ` at position ${position}`}`;
}

/**
 * The value at `keys` in a decoded body: at each step the key spelled exactly so, else the last that Go would take for it;
 * keys of maps such as Labels only exactly. Undefined when a step is missing or no object.
 */
export function goGet(value: unknown, ...keys: string[]): unknown {
  let current: unknown = value;
  let exact = false;
  for (const key of keys) {
    if (typeof current !== "object" || current === null || Array.isArray(current)) return undefined;
    current = member(current as Record<string, unknown>, key, exact);
    exact = !exact && isMapField(key);
  }
  return current;
}

function member(object: Record<string, unknown>, key: string, exact: boolean): unknown {
  if (Object.hasOwn(object, key)) return object[key];
  if (exact) return undefined;
  const folded = foldKey(key);
  const found = Object.keys(object).findLast((candidate) => foldKey(candidate) === folded);
  return found === undefined ? undefined : object[found];
}

/**
 * Refuses a body in which a key that we act on stands twice in one object, in whatever letter case: Go's decoder would take
 * another one than we do. In a path `*` stands for every element of an array or every value of a map.
 * @throws DockerError 400
 */
export function assertNoVariants(text: string, paths: readonly (readonly string[])[]): void {
  checkVariants(text, skipSpace(text, 0), paths, false, "");
}

function checkVariants(
  text: string,
  at: number,
  paths: readonly (readonly string[])[],
  exact: boolean,
  where: string,
): void {
  const items = itemsAt(text, at);
  if (items.length === 0) return;
  const firsts = new Map<string, (readonly string[])[]>();
  for (const [first, ...rest] of paths) {
    if (first === undefined) continue;
    const same = firsts.get(first);
    if (same === undefined) firsts.set(first, [rest]);
    else same.push(rest);
  }
  const isArray = kindAt(text, at) === "array";
  for (const [first, rests] of firsts) {
    if (first !== "*" && isArray) continue;
    const matches = first === "*" ? items : itemsNamed(items, first, exact);
    if (first !== "*" && matches.length > 1) {
      throw badRequest(`invalid JSON: ${where}${first} is given ${matches.length} times (letter case does not matter)`);
    }
    const inner = rests.filter((rest) => rest.length > 0);
    if (inner.length === 0) continue;
    for (const item of matches) {
      checkVariants(text, item.valueStart, inner, !exact && isMapField(first), `${where}${item.key}.`);
    }
  }
}

/** The values of an object's members by decoded key; of a key that stands twice the last, as JSON.parse takes it. */
export function fields(text: string): Map<string, Span> {
  const spans = new Map<string, Span>();
  const at = skipSpace(text, 0);
  if (kindAt(text, at) !== "object") return spans;
  for (const item of itemsAt(text, at)) spans.set(String(item.key), { start: item.valueStart, end: item.end });
  return spans;
}

/** The texts of an array's elements; none for null, which is Go's empty list, or for anything else. */
export function elements(text: string): string[] {
  const at = skipSpace(text, 0);
  if (kindAt(text, at) !== "array") return [];
  return itemsAt(text, at).map((item) => text.slice(item.valueStart, item.end));
}

/** The text of the value at a path, keys matched as in `goGet`; undefined when there is none. */
export function rawAt(text: string, path: readonly (string | number)[]): string | undefined {
  let at = skipSpace(text, 0);
  let end = text.trimEnd().length;
  let exact = false;
  for (const segment of path) {
    const item = pickItem(itemsAt(text, at), segment, exact);
    if (item === undefined) return undefined;
    at = item.valueStart;
    end = item.end;
    exact = !exact && typeof segment === "string" && isMapField(segment);
  }
  return text.slice(at, end);
}
