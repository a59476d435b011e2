/**
 * The syntax of regular expressions: text to a tree. Go's syntax (RE2, https://github.com/google/re2/wiki/Syntax) as far
 * as an expression's value can spell it: no braces, commas or angle brackets, hence no counted repetition, no names.
 * What is not known is refused, never guessed. Must not know how the tree is run.
 */

export class RegexError extends Error {}

export type RegexPosition = "start" | "end" | "line start" | "line end" | "boundary" | "no boundary";

type CharTest = (code: number) => boolean;

export type RegexNode =
  | { readonly kind: "char"; readonly test: CharTest }
  | { readonly kind: "at"; readonly position: RegexPosition }
  | { readonly kind: "all"; readonly parts: readonly RegexNode[] }
  | { readonly kind: "any"; readonly parts: readonly RegexNode[] }
  | { readonly kind: "repeat"; readonly operator: "*" | "+" | "?"; readonly part: RegexNode };

interface Flags {
  readonly fold: boolean;
  readonly lines: boolean;
  readonly dotAll: boolean;
}

interface Reader {
  readonly text: string;
  at: number;
}

/** Throws RegexError. Recursion is bounded by the pattern's length, which the caller bounds. */
export function parseRegex(text: string): RegexNode {
  const reader: Reader = { text, at: 0 };
  const node = alternatives(reader, { fold: false, lines: false, dotAll: false });
  if (reader.at < text.length) throw new RegexError("unexpected )");
  return node;
}

const between =
  (low: number, high: number): CharTest =>
  (code) =>
    code >= low && code <= high;
const oneOf =
  (tests: readonly CharTest[]): CharTest =>
  (code) =>
    tests.some((test) => test(code));
const not =
  (test: CharTest): CharTest =>
  (code) =>
    !test(code);
const chars = (text: string): CharTest => {
  const codes = new Set(Array.from(text, (char) => char.charCodeAt(0)));
  return (code) => codes.has(code);
};

const lower = between(97, 122);
const upper = between(65, 90);
const digit = between(48, 57);
const space = chars(" \t\n\f\r");
const wordChar = oneOf([lower, upper, digit, chars("_")]);

const CLASSES: Readonly<Record<string, CharTest>> = {
  d: digit,
  D: not(digit),
  s: space,
  S: not(space),
  w: wordChar,
  W: not(wordChar),
};

const POSIX: Readonly<Record<string, CharTest>> = {
  alnum: oneOf([lower, upper, digit]),
  alpha: oneOf([lower, upper]),
  ascii: between(0, 127),
  blank: chars(" \t"),
  cntrl: oneOf([between(0, 31), between(127, 127)]),
  digit,
  graph: between(33, 126),
  lower,
  print: between(32, 126),
  punct: oneOf([between(33, 47), between(58, 64), between(91, 96), between(123, 126)]),
  space: oneOf([space, chars("\v")]),
  upper,
  word: wordChar,
  xdigit: oneOf([digit, between(97, 102), between(65, 70)]),
};

const CONTROLS: Readonly<Record<string, string>> = { a: "\x07", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v" };

/** A tested character in either case, as `(?i)` asks. */
function folded(test: CharTest): CharTest {
  return (code) => {
    if (test(code)) return true;
    const char = String.fromCharCode(code);
    return test(char.toLowerCase().charCodeAt(0)) || test(char.toUpperCase().charCodeAt(0));
  };
}

function alternatives(reader: Reader, outer: Flags): RegexNode {
  let flags = outer;
  const branches: RegexNode[][] = [[]];
  while (reader.at < reader.text.length && reader.text[reader.at] !== ")") {
    if (reader.text[reader.at] === "|") {
      reader.at++;
      branches.push([]);
      continue;
    }
    const switched = inlineFlags(reader, flags);
    if (switched !== undefined) {
      flags = switched;
      continue;
    }
    branches.at(-1)?.push(repeated(reader, atom(reader, flags)));
  }
  const parts = branches.map((branch): RegexNode => ({ kind: "all", parts: branch }));
  return parts.length === 1 && parts[0] !== undefined ? parts[0] : { kind: "any", parts };
}

/** `(?i)`: flags for the rest of the group. */
function inlineFlags(reader: Reader, flags: Flags): Flags | undefined {
  const match = /^\(\?([imsU]*(?:-[imsU]+)?)\)/.exec(reader.text.slice(reader.at));
  if (match === null || match[1] === undefined || match[1] === "") return undefined;
  reader.at += match[0].length;
  return withFlags(flags, match[1]);
}

/** U (ungreedy) changes what is captured, not whether there is a match. */
function withFlags(flags: Flags, text: string): Flags {
  const [on = "", off = ""] = text.split("-");
  const set = (flag: string, old: boolean): boolean => (off.includes(flag) ? false : old || on.includes(flag));
  return { fold: set("i", flags.fold), lines: set("m", flags.lines), dotAll: set("s", flags.dotAll) };
}

function repeated(reader: Reader, part: RegexNode): RegexNode {
  const operator = reader.text[reader.at];
  if (operator !== "*" && operator !== "+" && operator !== "?") return part;
  reader.at++;
  if (reader.text[reader.at] === "?") reader.at++;
  if (/[*+?]/.test(reader.text.charAt(reader.at))) throw new RegexError("nested repetition");
  return { kind: "repeat", operator, part };
}

function atom(reader: Reader, flags: Flags): RegexNode {
  const char = reader.text.charAt(reader.at++);
  switch (char) {
    case "(":
      return group(reader, flags);
    case "[":
      return { kind: "char", test: characterClass(reader, flags) };
    case "\\":
      return escapeSequence(reader, flags);
    case "^":
      return { kind: "at", position: flags.lines ? "line start" : "start" };
    case "$":
      return { kind: "at", position: flags.lines ? "line end" : "end" };
    case ".":
      return { kind: "char", test: flags.dotAll ? () => true : (code) => code !== 10 };
    case "*":
    case "+":
    case "?":
      throw new RegexError(`nothing to repeat before ${char}`);
    default:
      return literal(char, flags);
  }
}

function literal(char: string, flags: Flags): RegexNode {
  const code = char.charCodeAt(0);
  const test: CharTest = (other) => other === code;
  return { kind: "char", test: flags.fold ? folded(test) : test };
}

function group(reader: Reader, flags: Flags): RegexNode {
  let inner = flags;
  if (reader.text[reader.at] === "?") {
    const match = /^\?([imsU]*(?:-[imsU]+)?):/.exec(reader.text.slice(reader.at));
    if (match === null) throw new RegexError("unknown kind of group");
    reader.at += match[0].length;
    inner = withFlags(flags, match[1] ?? "");
  }
  const node = alternatives(reader, inner);
  if (reader.text[reader.at] !== ")") throw new RegexError("missing )");
  reader.at++;
  return node;
}

function escapeSequence(reader: Reader, flags: Flags): RegexNode {
  const char = reader.text.charAt(reader.at);
  const position = ({ A: "start", z: "end", b: "boundary", B: "no boundary" } as const)[char];
  if (position === undefined) return escapedCharacter(reader, flags);
  reader.at++;
  return { kind: "at", position };
}

function escapedCharacter(reader: Reader, flags: Flags): RegexNode {
  const test = escapedSet(reader);
  return typeof test === "string" ? literal(test, flags) : { kind: "char", test };
}

/** After a backslash: a set (`\d`) or one character. */
function escapedSet(reader: Reader): CharTest | string {
  const char = reader.text.charAt(reader.at++);
  const set = CLASSES[char];
  if (set !== undefined) return set;
  const control = CONTROLS[char];
  if (control !== undefined) return control;
  if (char === "" || /[a-zA-Z0-9]/.test(char)) throw new RegexError(`unknown escape \\${char}`);
  return char;
}

function characterClass(reader: Reader, flags: Flags): CharTest {
  const negated = reader.text[reader.at] === "^";
  if (negated) reader.at++;
  const tests: CharTest[] = [];
  for (let first = true; first || reader.text[reader.at] !== "]"; first = false) {
    if (reader.at >= reader.text.length) throw new RegexError("missing ]");
    tests.push(classItem(reader));
  }
  reader.at++;
  const test = oneOf(tests);
  const cased = flags.fold ? folded(test) : test;
  return negated ? not(cased) : cased;
}

function classItem(reader: Reader): CharTest {
  const posix = /^\[:(\^?)([a-z]+):\]/.exec(reader.text.slice(reader.at));
  if (posix !== null) {
    const set = POSIX[posix[2] ?? ""];
    if (set === undefined) throw new RegexError(`unknown class ${posix[0]}`);
    reader.at += posix[0].length;
    return posix[1] === "^" ? not(set) : set;
  }
  const low = classCharacter(reader);
  if (typeof low !== "string") return low;
  const dash = reader.text[reader.at] === "-" && reader.text.charAt(reader.at + 1);
  if (!dash || dash === "]") return chars(low);
  reader.at++;
  const high = classCharacter(reader);
  if (typeof high !== "string" || high < low) throw new RegexError("bad range");
  return between(low.charCodeAt(0), high.charCodeAt(0));
}

function classCharacter(reader: Reader): CharTest | string {
  const char = reader.text.charAt(reader.at++);
  return char === "\\" ? escapedSet(reader) : char;
}
