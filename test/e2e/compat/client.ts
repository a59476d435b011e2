/**
 * What a client of the compatibility runs is: the same cases at any address, each passed or failed with a reason. Does not
 * know which clients there are.
 */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { run } from "../support/exec.ts";

/** One side of a comparison. */
export interface Side {
  readonly name: "direct" | "shoal";
  /** The address as DOCKER_HOST takes it. */
  readonly host: string;
  /** For the client's files on this side; empty at first. */
  readonly work: string;
}

export interface Result {
  readonly name: string;
  /** Why it failed; undefined when it passed. */
  readonly error?: string;
}

/** Which of a client's cases run with every end-to-end suite. */
export type Share = "all" | "none" | readonly string[];

/** A client that is there. */
export interface Prepared {
  /** As the client itself says it. */
  readonly version: string;
  /** @param cases the names of those that are wanted */
  run(side: Side, cases: "all" | readonly string[]): Promise<Result[]>;
}

export interface Client {
  /** Kind and line: `docker CLI 26.1`. */
  readonly name: string;
  /** Of one version of each kind it is not "none". `npm run compat` takes all cases of every client. */
  readonly share: Share;
  /** Fetches what is needed; throws with the reason when it cannot be had. */
  prepare(): Promise<Prepared>;
}

/** A case of a client that is a command: a shell script that ends with 0 when all is as it should be. */
export interface Script {
  readonly name: string;
  readonly script: string;
}

/**
 * What scripts call besides the client: a `grep` that reads all, so that no writer's pipe breaks; a failure that counts; and
 * what is asked for two minutes until it holds.
 */
const WORDS = `grep_() { grep "$@" >/dev/null; }
not() { ! "$@"; }
until_() { for i in $(seq 600); do if eval "$1"; then return 0; fi; sleep 0.2; done; echo "never: $1"; return 1; }`;

/** Milliseconds that one script, and one program with all its cases, may take. */
const SCRIPT_MS = 180_000;
const PROGRAM_MS = 900_000;

/** No ~/.docker: neither a user's contexts nor their formats may change what a client does. */
function environment(side: Side, env: Record<string, string>): Record<string, string> {
  const home = join(side.work, "home");
  mkdirSync(home, { recursive: true });
  return { PATH: process.env.PATH ?? "", HOME: home, LANG: "C.UTF-8", TERM: "dumb", DOCKER_HOST: side.host, ...env };
}

/** Those of the scripts that are wanted. Throws when one of them is not there. */
export function chosenOf(scripts: readonly Script[], cases: "all" | readonly string[]): readonly Script[] {
  if (cases === "all") return scripts;
  return cases.map((name) => {
    const found = scripts.find((script) => script.name === name);
    if (found === undefined) throw new Error(`no case has the name ${name}`);
    return found;
  });
}

/** Runs scripts one after the other, in one folder; what `env` puts first in PATH are the commands under test. */
export async function runScripts(
  scripts: readonly Script[],
  side: Side,
  env: Record<string, string>,
  sweep: string,
): Promise<Result[]> {
  const results: Result[] = [];
  const options = { cwd: side.work, env: environment(side, env), timeout: SCRIPT_MS };
  for (const { name, script } of scripts) {
    const { code, stdout, stderr } = await run(
      "/bin/bash",
      ["--norc", "-xeuo", "pipefail", "-c", `${WORDS}\n${script}`],
      options,
    );
    const told = `exit ${code}: ${`${stdout}${stderr}`.trim().slice(-1200)}`;
    results.push(code === 0 ? { name } : { name, error: told });
    if (code !== 0) await run("/bin/bash", ["-c", sweep], options);
  }
  return results;
}

/**
 * Runs a program that tells its cases on its standard output as TAP does: `ok - name` or `not ok - name # reason`, each on a
 * line of its own, at the end `1..n`.
 */
export async function runProgram(
  argv: readonly string[],
  side: Side,
  env: Record<string, string>,
  timeout = PROGRAM_MS,
): Promise<Result[]> {
  const [program = "", ...args] = argv;
  const done = await run(program, args, { cwd: side.work, env: environment(side, env), timeout });
  const results: Result[] = [];
  for (const line of done.stdout.split("\n")) {
    const [, no, name, reason] = /^(not )?ok - (.+?)(?: # (.*))?$/.exec(line) ?? [];
    if (name !== undefined) results.push(no === undefined ? { name } : { name, error: reason ?? "failed" });
  }
  if (!done.stdout.includes(`1..${results.length}`))
    results.push({ name: "comes to its end", error: `exit ${done.code}: ${done.stderr.trim().slice(-1200)}` });
  return results;
}

/** An empty folder for one side of one client. */
export function emptyFolder(parent: string, name: string): string {
  const folder = join(parent, name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return folder;
}
