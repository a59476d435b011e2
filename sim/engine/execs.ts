/** The execs of one engine, by ID. */
import { conflict, noSuchExec } from "../../src/docker/errors.ts";
import type { Clock } from "../../src/kit/clock.ts";
import type { Random } from "../../src/kit/random.ts";
import type { SimContainer } from "./container.ts";
import type { SimFacts } from "./facts.ts";
import { type Json, strings } from "./json.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { Output } from "./output.ts";
import { Process } from "./process.ts";
import { notRunningText } from "./words.ts";

export interface SimExec {
  readonly id: string;
  readonly container: SimContainer;
  readonly posted: Json;
  readonly argv: readonly string[];
  readonly output: Output;
  process: Process | undefined;
  started: boolean;
  exitCode: number | null;
}

/** Execs remembered; the oldest are forgotten first. */
const KEPT = 10_000;

export class Execs {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #lifecycle: Lifecycle;
  readonly #facts: SimFacts;
  readonly #byId = new Map<string, SimExec>();

  constructor(clock: Clock, random: Random, lifecycle: Lifecycle, facts: SimFacts) {
    this.#facts = facts;
    this.#clock = clock;
    this.#random = random;
    this.#lifecycle = lifecycle;
  }

  create(container: SimContainer, posted: Json): SimExec {
    if (container.status === "paused") {
      throw conflict(`Container ${container.name} is paused, unpause the container before exec`);
    }
    if (container.status !== "running") throw conflict(notRunningText(this.#facts, container.id));
    const argv = strings(posted.Cmd);
    const id = this.#random.hex(32);
    const output = new Output(this.#clock);
    const exec: SimExec = { id, container, posted, argv, output, process: undefined, started: false, exitCode: null };
    this.#byId.set(id, exec);
    const [oldest] = this.#byId.keys();
    if (this.#byId.size > KEPT && oldest !== undefined) this.#byId.delete(oldest);
    container.execs.add(id);
    this.#lifecycle.note(container, `exec_create: ${argv.join(" ")}`, { execID: id });
    return exec;
  }

  get(id: string): SimExec {
    const exec = this.#byId.get(id);
    if (!exec) throw noSuchExec(id);
    return exec;
  }

  /** Call after its readers are attached. Throws 409 when it ran before. */
  start(exec: SimExec): Process {
    if (exec.started) throw conflict(`exec command ${exec.id} has already run`);
    exec.started = true;
    this.#lifecycle.note(exec.container, `exec_start: ${exec.argv.join(" ")}`, { execID: exec.id });
    const process = new Process(exec.argv, exec.posted.AttachStdin === true, this.#clock, {
      write: (stream, data, taken) => exec.output.write(stream, data, taken),
      exit: (code) => {
        exec.exitCode = code;
        exec.container.execs.delete(exec.id);
        this.#lifecycle.note(exec.container, "exec_die", { execID: exec.id, exitCode: String(code) });
        exec.output.end();
      },
    });
    exec.process = process;
    return process;
  }
}

export function execForm(exec: SimExec): Json {
  const [entrypoint = "", ...rest] = exec.argv;
  return {
    ID: exec.id,
    Running: exec.process?.running ?? false,
    ExitCode: exec.exitCode,
    ProcessConfig: { tty: exec.posted.Tty === true, entrypoint, arguments: rest, privileged: false },
    OpenStdin: exec.posted.AttachStdin === true,
    OpenStderr: exec.posted.AttachStderr === true,
    OpenStdout: exec.posted.AttachStdout === true,
    CanRemove: exec.exitCode !== null,
    ContainerID: exec.container.id,
    DetachKeys: "",
    Pid: exec.process?.running ? 4242 : 0,
  };
}
