/** Stands in for the process in tests of commands: what was printed, under a clock that stands still. */
import { systemClock } from "../kit/clock.ts";
import type { Env, Io } from "./io.ts";

export interface TestIo extends Io {
  stdout(): string;
  stderr(): string;
}

/** @param now milliseconds since the epoch */
export function testIo(env: Env = {}, options: { width?: number; colour?: boolean; now?: number } = {}): TestIo {
  const out: string[] = [];
  const err: string[] = [];
  const { now = 0 } = options;
  return {
    out: (text) => void out.push(text),
    err: (text) => void err.push(text),
    env,
    width: options.width,
    colour: options.colour ?? false,
    clock: { ...systemClock, now: () => now },
    stdout: () => out.join(""),
    stderr: () => err.join(""),
  };
}
