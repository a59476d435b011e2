/**
 * Where things are in a JSON text: positions of members, elements and values, and which key Go would take for which field.
 * Only for texts that JSON.parse has accepted: the scanner looks for brackets and quotes and trusts the rest.
 * Must not know any document's meaning beyond which of Docker's objects are maps.
 */

/** A half-open range [start, end) of a text. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A member of an object or an element of an array. */
export interface Item {
  /** The decoded key, or the element's index. */
  readonly key: string | number;
  /** Where the key's quote, or the element, begins. */
  readonly start: number;
  readonly valueStart: number;
  /** Behind the value. */
  readonly end: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COMMA = 0x2c;

/**
 * Fields of the Engine API whose keys are the user's own (Go maps), in lower case: Go folds the case of field names, never
 * that of map keys, so `{"Labels":{"A":"1","a":"2"}}` holds two labels.
 */
const MAPS = new Set([
  "annotations",
  "auxiliaryaddresses",
  "configonlyoptions",
  "driveropts",
  "endpointsconfig",
  "exposedports",
  "labels",
  "networks",
  "options",
  "portbindings",
  "ports",
  "storageopt",
  "sysctls",
  "tmpfs",
  "volumes",
]);

/** A key as Go's encoding/json compares field names: ASCII letters without case, K also as U+212A, s also as U+017F. */
export function foldKey(key: string): string {
  return key.replaceAll("\u017f", "s").toLowerCase();
}

/** Whether the keys of the object held by field `field` are a user's own, to be compared exactly. */
export function isMapField(field: string): boolean {
  return MAPS.has(foldKey(field));
}

/** The first position at or behind `at` that is no white space. */
export function skipSpace(text: string, at: number): number {
  let i = at;
  for (;;) {
    const c = text.charCodeAt(i);
    if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) return i;
    i++;
  }
}

/** @param at the opening quote. @returns the position behind the closing one */
export function skipString(text: string, at: number): number {
  let i = at + 1;
  for (;;) {
    const c = text.charCodeAt(i);
    if (c === QUOTE) return i + 1;
    if (c === BACKSLASH) i++;
    // NaN: behind the end, which a validated text never reaches.
    if (Number.isNaN(c)) throw new RangeError("not a JSON text: unterminated string");
    i++;
  }
}

/** @param at the value's first character. @returns the position behind the value */
export function skipValue(text: string, at: number): number {
  const first = text.charCodeAt(at);
  if (first === QUOTE) return skipString(text, at);
  if (first !== OPEN_BRACE && first !== OPEN_BRACKET) return skipWord(text, at);
  let depth = 0;
  let i = at;
  for (;;) {
    const c = text.charCodeAt(i);
    if (c === QUOTE) {
      i = skipString(text, i);
      continue;
    }
    if (c === OPEN_BRACE || c === OPEN_BRACKET) depth++;
    else if (c === CLOSE_BRACE || c === CLOSE_BRACKET) {
      if (--depth === 0) return i + 1;
    } else if (Number.isNaN(c)) throw new RangeError("not a JSON text: unterminated value");
    i++;
  }
}

/** A number, true, false or null. */
function skipWord(text: string, at: number): number {
  let i = at;
  while (i < text.length) {
    const c = text.charCodeAt(i);
    if (c <= 0x20 || c === COMMA || c === CLOSE_BRACE || c === CLOSE_BRACKET) break;
    i++;
  }
  return i;
}

export type Kind = "object" | "array" | "string" | "number" | "bool" | "null";

/** What the value at `at` is, by its first character. */
export function kindAt(text: string, at: number): Kind {
  switch (text[at]) {
    case "{":
      return "object";
    case "[":
      return "array";
    case '"':
      return "string";
    case "n":
      return "null";
    case "t":
    case "f":
      return "bool";
    default:
      return "number";
  }
}

/** The decoded string between the quotes of [start, end). */
export function stringAt(text: string, start: number, end: number): string {
  const inner = text.slice(start + 1, end - 1);
  return inner.includes("\\") ? (JSON.parse(`"${inner}"`) as string) : inner;
}

/**
 * The members of the object, or the elements of the array, that begins at `at`, in order, without looking into them.
 * Anything else has none.
 */
export function itemsAt(text: string, at: number): Item[] {
  const items: Item[] = [];
  const open = text.charCodeAt(at);
  if (open !== OPEN_BRACE && open !== OPEN_BRACKET) return items;
  let i = skipSpace(text, at + 1);
  const c = text.charCodeAt(i);
  if (c === CLOSE_BRACE || c === CLOSE_BRACKET) return items;
  for (;;) {
    const start = i;
    let key: string | number = items.length;
    let valueStart = i;
    if (open === OPEN_BRACE) {
      const keyEnd = skipString(text, i);
      key = stringAt(text, i, keyEnd);
      // One colon stands between the key and the value.
      valueStart = skipSpace(text, skipSpace(text, keyEnd) + 1);
    }
    const end = skipValue(text, valueStart);
    items.push({ key, start, valueStart, end });
    i = skipSpace(text, end);
    if (text.charCodeAt(i) !== COMMA) return items;
    i = skipSpace(text, i + 1);
  }
}

/** The items that `segment` names: equal keys, and unless `exact` those that Go takes for the same field. */
export function itemsNamed(items: readonly Item[], segment: string | number, exact: boolean): Item[] {
  if (exact || typeof segment === "number") return items.filter((item) => item.key === segment);
  const folded = foldKey(segment);
  return items.filter((item) => typeof item.key === "string" && foldKey(item.key) === folded);
}

/** The item that a reader gets: the last of those that are spelled exactly so, else the last that folds to it. */
export function pickItem(items: readonly Item[], segment: string | number, exact: boolean): Item | undefined {
  const named = itemsNamed(items, segment, exact);
  return named.findLast((item) => item.key === segment) ?? named.at(-1);
}
