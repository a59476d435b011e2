// Runs programs for the scripts: quietly, or on the reader's terminal.
import { spawn } from "node:child_process";

const DEADLINE_MS = 600_000;

/**
 * Resolves with {code, stdout, stderr}; never rejects for a status, only when the program cannot be started.
 * @param {string[]} argv
 * @param {{ env?: NodeJS.ProcessEnv, input?: Buffer | string, cwd?: string, deadlineMs?: number, show?: boolean }} [options]
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
  if (result.code !== 0)
    throw new Error(`${argv.join(" ")}: ${(result.stderr || result.stdout).trim() || `exit status ${result.code}`}`);
  return result.stdout;
}

/** Whether a program is in PATH or where system programs are. */
export async function has(program) {
  const path = `${process.env.PATH ?? ""}:/usr/local/sbin:/usr/sbin:/sbin`;
  return (
    (await attempt(["sh", "-c", 'command -v "$1" >/dev/null', "sh", program], { env: { ...process.env, PATH: path } }))
      .code === 0
  );
}
