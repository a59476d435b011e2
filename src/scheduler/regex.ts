/**
 * Regular expressions in Go's syntax (RE2, without counted repetition, captures and Unicode classes), run in linear time.
 * Patterns come from any client and subjects are names and labels that clients chose: JavaScript's own engine backtracks,
 * and `(a+)+$` against thirty characters would stop the whole manager. Owns parsing and running; knows nothing of nodes.
 */
import { EXPRESSION_REGEX_CHARS, EXPRESSION_SUBJECT_CHARS } from "../kit/limits.ts";
import { parseRegex, RegexError, type RegexNode, type RegexPosition } from "./regex-syntax.ts";

/** One step of the program. `next` and `other` are indexes of instructions. */
type Instruction =
  | { readonly kind: "char"; readonly test: (code: number) => boolean; readonly next: number }
  | { readonly kind: "split"; next: number; other: number }
  | { readonly kind: "at"; readonly position: RegexPosition; readonly next: number }
  | { readonly kind: "match" };

/**
 * Compiles a pattern (without slashes) to a test that finds it anywhere in the subject, in time linear in the subject.
 * A subject longer than EXPRESSION_SUBJECT_CHARS does not match. Throws RegexError with a short reason.
 */
export function compileRegex(pattern: string): (subject: string) => boolean {
  if (pattern.length > EXPRESSION_REGEX_CHARS) {
    throw new RegexError(`longer than ${EXPRESSION_REGEX_CHARS} characters`);
  }
  const program: Instruction[] = [{ kind: "match" }];
  const start = emit(program, parseRegex(pattern), 0);
  return (subject) => subject.length <= EXPRESSION_SUBJECT_CHARS && run(program, start, subject);
}

/** Appends the instructions of `node`, which go on at `next`; gives the index where they begin. */
function emit(program: Instruction[], node: RegexNode, next: number): number {
  const push = (instruction: Instruction): number => program.push(instruction) - 1;
  switch (node.kind) {
    case "char":
      return push({ kind: "char", test: node.test, next });
    case "at":
      return push({ kind: "at", position: node.position, next });
    case "all":
      return node.parts.reduceRight((after, part) => emit(program, part, after), next);
    case "any": {
      const starts = node.parts.map((part) => emit(program, part, next));
      return starts.reduceRight((other, first) => push({ kind: "split", next: first, other }));
    }
    case "repeat": {
      if (node.operator === "?") return push({ kind: "split", next: emit(program, node.part, next), other: next });
      const loop: Instruction = { kind: "split", next, other: next };
      const split = push(loop);
      const body = emit(program, node.part, split);
      loop.next = body;
      return node.operator === "+" ? body : split;
    }
  }
}

/** Thompson's simulation: the set of instructions that may be next, moved on by one character at a time. */
function run(program: readonly Instruction[], start: number, subject: string): boolean {
  const seen = new Int32Array(program.length).fill(-1);
  let current: number[] = [];
  let following: number[] = [];
  for (let at = 0; ; at++) {
    current.push(start);
    const matched = follow(program, current, seen, subject, at);
    if (matched) return true;
    if (at === subject.length) return false;
    const code = subject.charCodeAt(at);
    for (const index of current) {
      const instruction = program[index];
      if (instruction?.kind === "char" && instruction.test(code)) following.push(instruction.next);
    }
    [current, following] = [following, current];
    following.length = 0;
  }
}

/** Replaces `list` by every character instruction reachable without reading; true when the match is. */
function follow(
  program: readonly Instruction[],
  list: number[],
  seen: Int32Array,
  subject: string,
  at: number,
): boolean {
  const stack = list.splice(0);
  for (let index = stack.pop(); index !== undefined; index = stack.pop()) {
    if (seen[index] === at) continue;
    seen[index] = at;
    const instruction = program[index];
    if (instruction === undefined) continue;
    if (instruction.kind === "match") return true;
    if (instruction.kind === "char") list.push(index);
    else if (instruction.kind === "split") stack.push(instruction.next, instruction.other);
    else if (holds(instruction.position, subject, at)) stack.push(instruction.next);
  }
  return false;
}

function holds(position: RegexPosition, subject: string, at: number): boolean {
  switch (position) {
    case "start":
      return at === 0;
    case "end":
      return at === subject.length;
    case "line start":
      return at === 0 || subject[at - 1] === "\n";
    case "line end":
      return at === subject.length || subject[at] === "\n";
    case "boundary":
      return word(subject, at - 1) !== word(subject, at);
    case "no boundary":
      return word(subject, at - 1) === word(subject, at);
  }
}

const word = (subject: string, at: number): boolean => /^\w$/.test(subject.charAt(at));
