// One run of vitest under a deadline: shown as it goes, and what came of each file.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { retried, root } from "./install.mjs";

import { run } from "./run.mjs";
import { say } from "./say.mjs";
import { outcomesOf } from "./tally.mjs";

export const MINUTE = 60_000;

/** @type {Set<import("node:child_process").ChildProcess>} */
const running = new Set();
let interrupted = false;

/** Ends what runs now, and lets nothing more begin but the clearing away. */
export function interrupt() {
  interrupted = true;
  for (const child of running) killGroup(child);
}

/** vitest would leave its workers behind, at work on their engines, if it were asked politely or killed alone. */
function killGroup(child) {
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // It has just ended.
  }
}

/**
 * Runs a program on this terminal; with everything it started it is killed at its deadline.
 * @param {string[]} argv
 * @param {{ env?: NodeJS.ProcessEnv, deadline: number, always?: boolean }} options `deadline` in milliseconds;
 *   `always`: also after an interrupt
 * @returns {Promise<number>} the exit status
 */
export function show(argv, { env = {}, deadline, always = false }) {
  if (interrupted && !always) return Promise.resolve(130);
  const [program, ...args] = argv;
  const options = { cwd: root, stdio: ["ignore", "inherit", "inherit"], detached: true };
  return new Promise((resolve) => {
    const child = spawn(program, args, { ...options, env: { ...process.env, ...env } });
    running.add(child);
    const timer = setTimeout(() => {
      say(`no end within ${(deadline / MINUTE).toFixed(0)} minutes: ${argv.join(" ")}`);
      killGroup(child);
    }, deadline);
    const end = (code) => {
      clearTimeout(timer);
      running.delete(child);
      resolve(code);
    };
    child.once("error", () => end(127));
    child.once("close", (code) => end(code ?? 128));
  });
}

/**
 * @typedef {{ name: string, project: string, node?: string, env?: NodeJS.ProcessEnv, files?: string[], deadline: number, always?: boolean }} Suite
 *   `files`: only these of the project's; `deadline` and `always` as of `show`
 * @param {Suite} suite
 * @returns {Promise<import("./tally.mjs").Outcome[]>}
 */
export async function runSuite({ project, node = process.execPath, env = {}, files = [], deadline, always }) {
  const folder = mkdtempSync(join(tmpdir(), "shoal-test-report-"));
  const report = join(folder, "report");
  const reporters = ["--reporter=default", `--reporter=${join(root, "scripts/lib/vitest-report.mjs")}`];
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  const argv = [node, vitest, "run", "--project", project, ...files, ...reporters];
  const code = await show(argv, { env: { ...env, SHOAL_TEST_REPORT: report }, deadline, always });
  const text = existsSync(report) ? readFileSync(report, "utf8") : "";
  rmSync(folder, { recursive: true, force: true });
  return outcomesOf(text, code);
}

/**
 * The path of a Node of this major version, which npm has as packages; nothing of it goes into the repository.
 * @param {string} major
 */
export async function otherNode(major) {
  const folder = join(tmpdir(), `shoal-node-${major}`);
  const name = `node-linux-${process.arch}`;
  const binary = join(folder, "node_modules", name, "bin/node");
  if (existsSync(binary)) return binary;
  // Whole or not at all: a killed run leaves no half of a Node under the final name.
  const work = `${folder}-${process.pid}`;
  mkdirSync(work, { recursive: true });
  const argv = ["npm", "install", "--prefix", work, "--no-audit", "--no-fund", "--ignore-scripts", `${name}@${major}`];
  await retried(() => run(argv));
  rmSync(folder, { recursive: true, force: true });
  renameSync(work, folder);
  return binary;
}
