/**
 * The syntax of Go's regular expressions (RE2), parsed to a tree. Source: the syntax page of Go's regexp/syntax package.
 * Must not know how a tree is matched. Not taken: \p classes; flag U and lazy forms are read, since a yes or no does not
 * depend on them.
 */

export type CharTest = (codePoint: number) => boolean;
export type Assertion = "textStart" | "textEnd" | "lineStart" | "lineEnd" | "word" | "notWord";

export type Node =
  | { readonly kind: "char"; readonly test: CharTest }
  | { readonly kind: "assert"; readonly what: Assertion }
  | { readonly kind: "all"; readonly parts: readonly Node[] }
  | { readonly kind: "any"; readonly parts: readonly Node[] }
  /** `max` undefined: without bound. */
  | { readonly kind: "repeat"; readonly part: Node; readonly min: number; readonly max: number | undefined };

interface Flags {
  readonly i: boolean;
  readonly m: boolean;
  readonly s: boolean;
}

type Range = readonly [number, number];

/** As in Go: `{1001}` is an error. */
const MAX_REPEAT = 1000;
const MAX_DEPTH = 100;
const LAST = 0x10ffff;

const DIGIT: Range[] = [[0x30, 0x39]];
const UPPER: Range[] = [[0x41, 0x5a]];
const LOWER: Range[] = [[0x61, 0x7a]];
const WORD: Range[] = [...DIGIT, ...UPPER, ...LOWER, [0x5f, 0x5f]];
const PERL: Record<string, Range[]> = {
  d: DIGIT,
  w: WORD,
  s: [
    [0x09, 0x0a],
    [0x0c, 0x0d],
    [0x20, 0x20],
  ],
};
const POSIX: Record<string, Range[]> = {
  alnum: [...DIGIT, ...UPPER, ...LOWER],
  alpha: [...UPPER, ...LOWER],
  ascii: [[0, 0x7f]],
  blank: [
    [0x09, 0x09],
    [0x20, 0x20],
  ],
  cntrl: [
    [0, 0x1f],
    [0x7f, 0x7f],
  ],
  digit: DIGIT,
  graph: [[0x21, 0x7e]],
  lower: LOWER,
  print: [[0x20, 0x7e]],
  punct: [
    [0x21, 0x2f],
    [0x3a, 0x40],
    [0x5b, 0x60],
    [0x7b, 0x7e],
  ],
  space: [
    [0x09, 0x0d],
    [0x20, 0x20],
  ],
  upper: UPPER,
  word: WORD,
  xdigit: [...DIGIT, [0x41, 0x46], [0x61, 0x66]],
};
const CONTROL: Record<string, number> = { a: 7, f: 12, t: 9, n: 10, r: 13, v: 11 };
const ASSERTIONS: Record<string, Assertion> = { A: "textStart", z: "textEnd", b: "word", B: "notWord" };

/** The tree of a pattern; undefined where Go refuses it (or for \p). */
export function parseGoRegexp(pattern: string): Node | undefined {
  try {
    return new Parser(pattern).parse();
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

class Parser {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): Node {
    const node = this.#alternatives({ i: false, m: false, s: false });
    if (this.#at < this.#text.length) throw new SyntaxError("unexpected )");
    return node;
  }

  #take(text: string): boolean {
    const found = this.#text.startsWith(text, this.#at);
    if (found) this.#at += text.length;
    return found;
  }

  #match(sticky: RegExp): RegExpExecArray | undefined {
    sticky.lastIndex = this.#at;
    const match = sticky.exec(this.#text);
    if (match === null) return undefined;
    this.#at += match[0].length;
    return match;
  }

  #nextCode(): number {
    const code = this.#text.codePointAt(this.#at);
    if (code === undefined) throw new SyntaxError("unexpected end");
    this.#at += code > 0xffff ? 2 : 1;
    return code;
  }

  /** Up to a closing parenthesis or the end. Flags set inside, as by `(?i)`, hold until there. */
  #alternatives(outer: Flags): Node {
    if (++this.#depth > MAX_DEPTH) throw new SyntaxError("nests too deep");
    const branches: Node[] = [];
    let parts: Node[] = [];
    let flags = outer;
    while (this.#at < this.#text.length && this.#text[this.#at] !== ")") {
      if (this.#take("|")) {
        branches.push({ kind: "all", parts });
        parts = [];
        continue;
      }
      const setting = this.#match(/\(\?([imsU]*)(?:-([imsU]+))?\)/y);
      if (setting !== undefined) {
        flags = changed(flags, setting[1], setting[2]);
        continue;
      }
      if (this.#take("\\Q")) {
        parts.push(...this.#quoted(flags));
        continue;
      }
      parts.push(this.#repeated(this.#atom(flags)));
    }
    this.#depth--;
    branches.push({ kind: "all", parts });
    return { kind: "any", parts: branches };
  }

  #quoted(flags: Flags): Node[] {
    const end = this.#text.indexOf("\\E", this.#at);
    const text = this.#text.slice(this.#at, end < 0 ? undefined : end);
    this.#at = end < 0 ? this.#text.length : end + 2;
    const parts = Array.from(text, (c) => literal(c.codePointAt(0) ?? 0, flags));
    const last = parts.pop();
    // A repetition behind \\E is that of the last character.
    return last === undefined ? parts : [...parts, this.#repeated(last)];
  }

  #repeated(part: Node): Node {
    const bounds = this.#match(/\*|\+|\?|\{(\d{1,5})(,?)(\d{0,5})\}/y);
    if (bounds === undefined) return part;
    this.#take("?");
    if (this.#match(/[*+?]|\{\d+(?:,\d*)?\}/y) !== undefined) throw new SyntaxError("nested repetition");
    const [operator, first, comma, last] = bounds;
    if (first === undefined)
      return { kind: "repeat", part, min: operator === "+" ? 1 : 0, max: operator === "?" ? 1 : undefined };
    const min = Number(first);
    const max = comma === "" ? min : last === "" ? undefined : Number(last);
    if (comma === "" && last !== "") throw new SyntaxError("bad repetition");
    if (min > MAX_REPEAT || (max !== undefined && (max > MAX_REPEAT || max < min)))
      throw new SyntaxError("bad repetition");
    return { kind: "repeat", part, min, max };
  }

  #atom(flags: Flags): Node {
    if (this.#match(/[*+?]/y) !== undefined) throw new SyntaxError("nothing to repeat");
    const group = this.#match(/\((?:\?(?:P?<\w+>|([imsU]*)(?:-([imsU]+))?:))?/y);
    if (group !== undefined) {
      if (this.#text[this.#at] === "?") throw new SyntaxError("unknown group");
      const node = this.#alternatives(changed(flags, group[1], group[2]));
      if (!this.#take(")")) throw new SyntaxError("missing )");
      return node;
    }
    if (this.#take("^")) return { kind: "assert", what: flags.m ? "lineStart" : "textStart" };
    if (this.#take("$")) return { kind: "assert", what: flags.m ? "lineEnd" : "textEnd" };
    if (this.#take(".")) return { kind: "char", test: (c) => flags.s || c !== 0x0a };
    if (this.#take("[")) return this.#charClass(flags);
    const assertion = this.#match(/\\([AzbB])/y)?.[1];
    if (assertion !== undefined) return { kind: "assert", what: ASSERTIONS[assertion] ?? "textStart" };
    const perl = this.#perl();
    if (perl !== undefined) return { kind: "char", test: perl };
    return literal(this.#character(), flags);
  }

  /** \d and its like, if one comes next. */
  #perl(): CharTest | undefined {
    const name = this.#match(/\\([dwsDWS])/y)?.[1];
    if (name === undefined) return undefined;
    const ranges = PERL[name.toLowerCase()] ?? [];
    const negated = name !== name.toLowerCase();
    return (c) => within(ranges, c) !== negated;
  }

  /** One character, perhaps escaped. */
  #character(): number {
    if (!this.#take("\\")) return this.#nextCode();
    const hex = this.#match(/x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,6})\})/y);
    if (hex !== undefined) return checked(Number.parseInt(hex[1] ?? hex[2] ?? "", 16));
    const octal = this.#match(/0[0-7]{0,2}|[1-7][0-7]{1,2}/y);
    if (octal !== undefined) return Number.parseInt(octal[0], 8);
    const code = this.#nextCode();
    const character = String.fromCodePoint(code);
    if (code < 0x80 && /[^A-Za-z0-9]/.test(character)) return code;
    const control = CONTROL[character];
    if (control === undefined) throw new SyntaxError(`unknown escape \\${character}`);
    return control;
  }

  #charClass(flags: Flags): Node {
    const negated = this.#take("^");
    const tests: CharTest[] = [];
    for (let first = true; first || this.#text[this.#at] !== "]"; first = false) {
      const posix = this.#match(/\[:(\^?)(\w+):\]/y);
      const perl = posix === undefined ? this.#perl() : undefined;
      if (posix !== undefined) {
        const ranges = POSIX[posix[2] ?? ""];
        if (ranges === undefined) throw new SyntaxError("unknown class");
        tests.push((c) => within(ranges, c) !== (posix[1] === "^"));
      } else if (perl !== undefined) tests.push(perl);
      else tests.push(this.#classRange(flags));
    }
    this.#at++;
    return { kind: "char", test: (c) => tests.some((test) => test(c)) !== negated };
  }

  #classRange(flags: Flags): CharTest {
    const from = this.#character();
    const isRange = this.#text[this.#at] === "-" && this.#text[this.#at + 1] !== "]";
    if (isRange) this.#at++;
    const to = isRange ? this.#character() : from;
    if (to < from) throw new SyntaxError("bad range");
    return foldable((c) => c >= from && c <= to, flags);
  }
}

function changed(flags: Flags, on = "", off = ""): Flags {
  const pick = (name: keyof Flags) => (flags[name] || on.includes(name)) && !off.includes(name);
  return { i: pick("i"), m: pick("m"), s: pick("s") };
}

function literal(code: number, flags: Flags): Node {
  return { kind: "char", test: foldable((c) => c === code, flags) };
}

/** With flag i a character passes when itself, its lower or its upper case does. */
function foldable(test: CharTest, flags: Flags): CharTest {
  if (!flags.i) return test;
  return (c) => {
    const character = String.fromCodePoint(c);
    return (
      test(c) || test(character.toLowerCase().codePointAt(0) ?? c) || test(character.toUpperCase().codePointAt(0) ?? c)
    );
  };
}

function within(ranges: readonly Range[], c: number): boolean {
  return ranges.some(([first, last]) => c >= first && c <= last);
}

function checked(code: number): number {
  if (code > LAST) throw new SyntaxError("bad code point");
  return code;
}
