/** What a command may touch of the process that runs it, so that tests can stand in. Must not know any command. */
import { type Clock, systemClock } from "../kit/clock.ts";

export type Env = Readonly<Record<string, string | undefined>>;

export interface Io {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly env: Env;
  /** Columns of the terminal on standard output; undefined when it is none, and tables are then never cut. */
  readonly width: number | undefined;
  readonly colour: boolean;
  readonly clock: Clock;
}

/** The real process. NO_COLOR (any value) turns colours off, as no-color.org has it. */
export function processIo(): Io {
  const terminal = process.stdout.isTTY === true;
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    env: process.env,
    width: terminal ? process.stdout.columns || 80 : undefined,
    colour: terminal && !process.env.NO_COLOR && process.env.TERM !== "dumb",
    clock: systemClock,
  };
}
