/** Runs the system's programs: output collected, a deadline on each. Must not know what they do. */
import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { failed } from "./errors.ts";

const DEADLINE_MS = 30_000;
const OUTPUT_BYTES = 16 << 20;
const SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

export interface CommandResult {
  /** The exit status; 128 + signal number as a shell says it when a signal ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A small environment: the caller's proxies and DOCKER_* must not reach engines. */
export function cleanEnv(extra: Record<string, string> = {}, engineDir?: string | null): Record<string, string> {
  const path = engineDir ? `${engineDir}:${SYSTEM_PATH}` : SYSTEM_PATH;
  return { PATH: path, HOME: "/root", LANG: "C.UTF-8", ...extra };
}

/** Runs a program to its end. Rejects only when it cannot be started; the caller judges the status. */
export function attempt(
  argv: readonly string[],
  options: { input?: string | Buffer; env?: Record<string, string>; deadlineMs?: number } = {},
): Promise<CommandResult> {
  const [program = "", ...rest] = argv;
  const limits = {
    timeout: options.deadlineMs ?? DEADLINE_MS,
    killSignal: "SIGKILL",
    maxBuffer: OUTPUT_BYTES,
  } as const;
  return new Promise((resolve, reject) => {
    const child = execFile(program, rest, { ...limits, env: options.env ?? cleanEnv() }, (error, stdout, stderr) => {
      if (error && typeof error.code === "string" && child.pid === undefined) {
        reject(failed(`${program}: ${error.code === "ENOENT" ? "command not found" : error.message}`, error));
        return;
      }
      if (error?.killed) {
        reject(failed(`${argv.join(" ")}: no end within ${limits.timeout / 1000} s`, error));
        return;
      }
      resolve({ code: error ? (typeof error.code === "number" ? error.code : 137) : 0, stdout, stderr });
    });
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(options.input ?? "");
  });
}

/** Runs a program that must succeed; rejects with its own words otherwise. */
export async function run(argv: readonly string[], options: { input?: string } = {}): Promise<string> {
  const result = await attempt(argv, options);
  if (result.code !== 0)
    throw failed(`${argv.join(" ")}: ${result.stderr.trim() || result.stdout.trim() || `exit status ${result.code}`}`);
  return result.stdout;
}

/** The path of a program, looked for in `engineDir` first; null when there is none. */
export async function which(program: string, engineDir?: string | null): Promise<string | null> {
  for (const directory of (cleanEnv({}, engineDir).PATH ?? "").split(":")) {
    const path = `${directory}/${program}`;
    const found = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  return null;
}
