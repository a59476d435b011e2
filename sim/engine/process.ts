/**
 * What runs in a simulated container or exec: a few commands by name, everything else lives until it is stopped.
 * Owns its input and its end; must not know containers or transports.
 *
 * `echo …`, `true`, `false`, `sleep SECONDS` and `sh -c` with `exit N`, `echo …`, `sleep N` joined by `;` or `&&` do
 * what they say. `cat` and all unknown commands send their input back and end with 0 when it ends; unknown ones greet.
 */
import type { Clock, Timer } from "../../src/kit/clock.ts";

export interface ProcessOutput {
  /** `taken` is called when every reader has accepted it. */
  write(stream: 1 | 2, data: Buffer, taken: () => void): void;
  exit(code: number): void;
}

interface Step {
  readonly ms: number;
  readonly output?: string;
  readonly code?: number;
}

const nothing = (): void => undefined;

function oneStep(words: readonly string[]): Step | undefined {
  const [command = "", ...rest] = words;
  const name = command.split("/").pop() ?? "";
  if (name === "echo") return { ms: 0, output: `${rest.join(" ")}\n` };
  if (name === "true" || name === ":") return { ms: 0 };
  if (name === "false") return { ms: 0, code: 1 };
  if (name === "exit") return { ms: 0, code: Number(rest[0] ?? 0) & 255 };
  if (name === "sleep") return { ms: rest[0] === "infinity" ? Number.POSITIVE_INFINITY : Number(rest[0] ?? 0) * 1000 };
  return undefined;
}

/** The steps of a command that ends by itself; undefined for one that stays. */
function stepsOf(argv: readonly string[]): Step[] | undefined {
  const shell = /(?:^|\/)(?:ba|a|da)?sh$/.test(argv[0] ?? "") && argv[1] === "-c";
  const commands = shell ? (argv[2] ?? "").split(/;|&&/).map((part) => part.trim().split(/\s+/)) : [[...argv]];
  const steps = commands.map((words) => oneStep(words.map((word) => word.replace(/^["']|["']$/g, ""))));
  return steps.every((step) => step !== undefined) ? steps : undefined;
}

export class Process {
  readonly #clock: Clock;
  readonly #output: ProcessOutput;
  readonly #reads: boolean;
  #timer: Timer | undefined;
  #done = false;

  constructor(argv: readonly string[], openStdin: boolean, clock: Clock, output: ProcessOutput) {
    this.#clock = clock;
    this.#output = output;
    const steps = stepsOf(argv);
    this.#reads = steps === undefined && openStdin;
    const name = (argv[0] ?? "").split("/").pop() ?? "";
    if (steps) this.#run(steps, 0);
    else if (name === "cat" && !openStdin) this.#run([], 0);
    else if (!/^(?:cat|sh|ash|bash|dash)$/.test(name)) {
      output.write(1, Buffer.from(`${argv.join(" ")}: ready\n`), nothing);
      output.write(2, Buffer.from("warning: simulated\n"), nothing);
    }
  }

  get running(): boolean {
    return !this.#done;
  }

  #run(steps: readonly Step[], code: number): void {
    const [step, ...rest] = steps;
    const ms = step?.ms ?? 0;
    if (ms === Number.POSITIVE_INFINITY) return;
    this.#timer = this.#clock.after(
      ms,
      () => {
        if (step?.output !== undefined) this.#output.write(1, Buffer.from(step.output), nothing);
        const now = step?.code ?? (step ? 0 : code);
        if (rest.length > 0 && step?.code === undefined) this.#run(rest, now);
        else this.end(now);
      },
      { background: true },
    );
  }

  /** Input from an attached client; `taken` is called when more may come. */
  input(data: Buffer, taken: () => void): void {
    if (this.#done || !this.#reads) taken();
    else this.#output.write(1, data, taken);
  }

  /** The input has ended. */
  inputEnd(): void {
    if (this.#reads) this.end(0);
  }

  end(code: number): void {
    if (this.#done) return;
    this.#done = true;
    this.#timer?.cancel();
    this.#output.exit(code);
  }

  /** Forgets the process without an exit, as a machine does that loses power. */
  drop(): void {
    this.#done = true;
    this.#timer?.cancel();
  }
}

/** Number of a signal by name (`SIGTERM`, `TERM`) or number; 0 for an unknown one. */
export function signalNumber(signal: string): number {
  const known: Record<string, number> = {
    HUP: 1,
    INT: 2,
    QUIT: 3,
    ABRT: 6,
    KILL: 9,
    USR1: 10,
    USR2: 12,
    TERM: 15,
    WINCH: 28,
  };
  const name = signal.toUpperCase().replace(/^SIG/, "");
  return /^\d+$/.test(name) ? Number(name) : (known[name] ?? 0);
}

/** Whether the signal ends a process that does not handle it. */
export const signalEnds = (signal: number): boolean => [1, 2, 3, 6, 9, 15].includes(signal);
