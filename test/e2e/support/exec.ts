/** Runs one process to its end under a deadline and keeps what it wrote; knows nothing of Docker. */
import { type ChildProcess, spawn } from "node:child_process";

export interface Outcome {
  /** Exit code; 128 + n after signal n, 124 when the deadline ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Milliseconds until the whole process group is killed. */
  readonly timeout?: number;
}

const SIGNALS: Record<string, number> = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGPIPE: 13, SIGTERM: 15 };

/** Kills the process and everything it started: it was spawned as the leader of a group of its own. */
export function killGroup(child: ChildProcess, signal: NodeJS.Signals = "SIGKILL"): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // It has ended already.
  }
}

/** Runs a program. Never rejects for an exit code: that is part of the outcome. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const { promise, resolve, reject } = withResolvers<Outcome>();
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    stdio: ["pipe", "pipe", "pipe"],
    detached: true,
  });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    killGroup(child);
  }, options.timeout ?? 60_000);
  child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
  child.stdin.on("error", () => {}); // A program may end before it has read its input.
  child.stdin.end(options.input ?? "");
  child.on("error", (error) => {
    clearTimeout(timer);
    reject(error);
  });
  child.on("close", (code, signal) => {
    clearTimeout(timer);
    const stderr = Buffer.concat(err).toString();
    resolve({
      code: late ? 124 : (code ?? 128 + (SIGNALS[signal ?? ""] ?? 0)),
      stdout: Buffer.concat(out).toString(),
      stderr: late ? `${stderr}[no end within ${options.timeout ?? 60_000} ms]` : stderr,
    });
  });
  return promise;
}

/** Runs a program that must succeed; answers its standard output without the last newline. */
export async function output(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const done = await run(command, args, options);
  if (done.code !== 0)
    throw new Error(`${command} ${args.join(" ")}: exit ${done.code}: ${done.stderr || done.stdout}`);
  return done.stdout.replace(/\n$/, "");
}

export const sleep = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Asks again and again until the answer is not undefined. Throws after `timeout` ms with what was waited for. */
export async function until<T>(
  what: string,
  timeout: number,
  ask: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
  const end = Date.now() + timeout;
  let last: unknown;
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined) return answer;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end) throw new Error(`waited ${timeout} ms for ${what}`, { cause: last });
    await sleep(100);
  }
}

const TRIES = 4;
const PAUSE_MS = 10_000;

/** Mirrors and registries have bad moments: what fails is tried again, ten seconds later each time, four times in all. */
export async function retried<T>(work: () => Promise<T>): Promise<T> {
  for (let left = TRIES; ; left--) {
    try {
      return await work();
    } catch (error) {
      if (left === 1) throw error;
      await sleep(PAUSE_MS);
    }
  }
}

/** Runs the tasks, at most `width` of them at once; the answers come in the order of the tasks. */
export async function pooled<T>(width: number, tasks: readonly (() => Promise<T>)[]): Promise<T[]> {
  const answers: T[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < tasks.length; index = next++) {
      const task = tasks[index];
      if (task !== undefined) answers[index] = await task();
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
  return answers;
}

function withResolvers<T>() {
  let resolve: (value: T) => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
