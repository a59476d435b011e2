/**
 * Go's regular expressions: whether one is found in a text, in time proportional to text times pattern, as RE2 does it.
 * JavaScript's own engine, which backtracks, takes only patterns that both read alike and that cannot make it slow: a
 * client's filter must not stop the manager. Must not know what is matched.
 */

import { REGEXP_CHARS, REGEXP_STEPS } from "../kit/limits.ts";
import { type Assertion, type CharTest, type Node, parseGoRegexp } from "./go-regexp-parse.ts";

export interface GoRegexp {
  /** Whether the pattern is found anywhere in the text. */
  test(text: string): boolean;
}

/** The compiled pattern; undefined when Go would refuse it, or when it is longer or larger than the limits. */
export function compileGoRegexp(pattern: string): GoRegexp | undefined {
  if (pattern.length > REGEXP_CHARS) return undefined;
  return compileSimple(pattern) ?? compileAutomaton(pattern);
}

/** Letters, digits, names' punctuation, escaped punctuation, plain classes, `. ^ $ |`, groups, at most two `* + ?`. */
const SIMPLE =
  /^(?:[A-Za-z0-9_\-/:@ =.^$|]|\((?!\?)|\)|\\[.\-/\\+*?()|^$[\]{}]|\[[A-Za-z0-9_.]+(?:-[A-Za-z0-9_.]+)*\]|[*+?](?![*+?]))*$/;

function compileSimple(pattern: string): GoRegexp | undefined {
  const plain = pattern.replaceAll(/\\./g, "");
  // Repeated groups can hide a repetition inside another.
  if (!SIMPLE.test(pattern) || (plain.match(/[*+?]/g) ?? []).length > 2 || /\)[*+?]/.test(plain)) return undefined;
  try {
    return new RegExp(pattern, "u");
  } catch {
    return undefined;
  }
}

/** One step of a program; `next` and `other` are indexes of steps. */
type Step =
  | { readonly kind: "char"; readonly test: CharTest; next: number }
  | { readonly kind: "assert"; readonly what: Assertion; next: number }
  | { readonly kind: "split"; next: number; other: number }
  | { readonly kind: "match" };

/** The pattern as a program for the simulation; exported so that tests can compare both engines. */
export function compileAutomaton(pattern: string): GoRegexp | undefined {
  const tree = parseGoRegexp(pattern);
  if (tree === undefined) return undefined;
  const program: Step[] = [{ kind: "match" }];
  const start = emit(tree, 0, program);
  return start === undefined ? undefined : { test: (text) => run(program, start, text) };
}

/** Adds the steps of `node`, which go on at `next`. @returns the first of them; undefined when there are too many */
function emit(node: Node, next: number, program: Step[]): number | undefined {
  if (program.length > REGEXP_STEPS) return undefined;
  switch (node.kind) {
    case "char":
      return program.push({ kind: "char", test: node.test, next }) - 1;
    case "assert":
      return program.push({ kind: "assert", what: node.what, next }) - 1;
    case "all":
      return node.parts.reduceRight<number | undefined>(
        (after, part) => (after === undefined ? undefined : emit(part, after, program)),
        next,
      );
    case "any": {
      const starts = node.parts.map((part) => emit(part, next, program));
      return starts.reduceRight((rest, start) => {
        if (rest === undefined || start === undefined) return undefined;
        return program.push({ kind: "split", next: start, other: rest }) - 1;
      });
    }
    case "repeat":
      return emitRepeat(node.part, node.min, node.max, next, program);
  }
}

function emitRepeat(
  part: Node,
  min: number,
  max: number | undefined,
  next: number,
  program: Step[],
): number | undefined {
  let start: number | undefined = next;
  if (max === undefined) {
    const loop: Step = { kind: "split", next: 0, other: next };
    const at = program.push(loop) - 1;
    const body = emit(part, at, program);
    if (body === undefined) return undefined;
    loop.next = body;
    start = at;
  }
  for (let i = min; i < (max ?? min) && start !== undefined; i++) {
    const body = emit(part, start, program);
    start = body === undefined ? undefined : program.push({ kind: "split", next: body, other: next }) - 1;
  }
  for (let i = 0; i < min && start !== undefined; i++) start = emit(part, start, program);
  return start;
}

/** All steps that the text read so far can have led to, one character at a time. */
function run(program: readonly Step[], start: number, text: string): boolean {
  const codes = Array.from(text, (c) => c.codePointAt(0) ?? 0);
  /** The position at which a step was last reached, so that it is followed once a position. */
  const reached = new Int32Array(program.length).fill(-1);
  let current: number[] = [];
  for (let at = 0; at <= codes.length; at++) {
    const waiting: number[] = [];
    const pending = [...current, start];
    for (let index = pending.pop(); index !== undefined; index = pending.pop()) {
      if (reached[index] === at) continue;
      reached[index] = at;
      const step = program[index];
      if (step === undefined || step.kind === "match") return true;
      if (step.kind === "split") pending.push(step.other, step.next);
      else if (step.kind === "char") waiting.push(index);
      else if (holds(step.what, codes, at)) pending.push(step.next);
    }
    const code = codes[at];
    if (code === undefined) return false;
    current = waiting.flatMap((index) => {
      const step = program[index];
      return step?.kind === "char" && step.test(code) ? [step.next] : [];
    });
  }
  return false;
}

function holds(what: Assertion, codes: readonly number[], at: number): boolean {
  switch (what) {
    case "textStart":
      return at === 0;
    case "textEnd":
      return at === codes.length;
    case "lineStart":
      return at === 0 || codes[at - 1] === 0x0a;
    case "lineEnd":
      return at === codes.length || codes[at] === 0x0a;
    case "word":
      return isWord(codes[at - 1]) !== isWord(codes[at]);
    case "notWord":
      return isWord(codes[at - 1]) === isWord(codes[at]);
  }
}

function isWord(code: number | undefined): boolean {
  return code !== undefined && code < 0x80 && /\w/.test(String.fromCharCode(code));
}
