// Runs programs for the scripts: quietly, or on the reader's terminal.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { Stop } from "./say.mjs";

const DEADLINE_MS = 600_000;
const ERROR_LINES = 20;

/**
 * Resolves with {code, stdout, stderr}; never rejects for a status, only when the program cannot be started.
 * @param {string[]} argv
 * @param {{ env?: NodeJS.ProcessEnv, input?: Buffer | string, cwd?: string, deadlineMs?: number, show?: boolean, onLine?: (line: string) => void }} [options]
 * `show` gives it this terminal; `onLine` hears each line of standard output as it comes
 */
export function attempt(argv, options = {}) {
  const [program, ...rest] = argv;
  return new Promise((resolve, reject) => {
    const output = options.show ? "inherit" : "pipe";
    const child = spawn(program, rest, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: [options.input === undefined ? "ignore" : "pipe", output, output],
    });
    const timer = setTimeout(() => child.kill("SIGKILL"), options.deadlineMs ?? DEADLINE_MS);
    const text = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"])
      child[name]?.setEncoding("utf8").on("data", (data) => {
        text[name] += data;
      });
    if (options.onLine && child.stdout) createInterface({ input: child.stdout }).on("line", options.onLine);
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(options.input);
    child.once("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      resolve({ code: code ?? 128, signal, ...text });
    });
  });
}

/** As `attempt`, but any status except 0 is an error with the program's own words. */
export async function run(argv, options = {}) {
  const result = await attempt(argv, options);
  if (result.code === 0) return result.stdout;
  const words = (result.stderr || result.stdout).trim().split("\n").slice(0, ERROR_LINES).join("\n");
  throw new Stop(`${argv.join(" ")}: ${words || `exit status ${result.code}`}`);
}

/** Whether a program is in PATH or where system programs are. */
export async function has(program) {
  const path = `${process.env.PATH ?? ""}:/usr/local/sbin:/usr/sbin:/sbin`;
  return (
    (await attempt(["sh", "-c", 'command -v "$1" >/dev/null', "sh", program], { env: { ...process.env, PATH: path } }))
      .code === 0
  );
}
