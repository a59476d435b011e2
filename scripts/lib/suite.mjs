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

/**
 * Runs a program on this terminal, with a deadline: first asked to stop, so that it can clean up, then killed.
 * @param {string[]} argv
 * @param {{ env?: NodeJS.ProcessEnv, deadline: number }} options `deadline` in milliseconds
 * @returns {Promise<number>} the exit status
 */
export function show(argv, { env = {}, deadline }) {
  const [program, ...args] = argv;
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: root, stdio: "inherit", env: { ...process.env, ...env } });
    const ask = setTimeout(() => {
      say(`no end within ${(deadline / MINUTE).toFixed(0)} minutes: ${argv.join(" ")}`);
      child.kill("SIGINT");
    }, deadline);
    const kill = setTimeout(() => child.kill("SIGKILL"), deadline + MINUTE);
    const end = (code) => {
      clearTimeout(ask);
      clearTimeout(kill);
      resolve(code);
    };
    child.once("error", () => end(127));
    child.once("close", (code) => end(code ?? 128));
  });
}

/**
 * @typedef {{ name: string, project: string, node?: string, env?: NodeJS.ProcessEnv, files?: string[], deadline: number }} Suite
 *   `files`: only these of the project's; `deadline` in milliseconds
 * @param {Suite} suite
 * @returns {Promise<import("./tally.mjs").Outcome[]>}
 */
export async function runSuite({ project, node = process.execPath, env = {}, files = [], deadline }) {
  const folder = mkdtempSync(join(tmpdir(), "shoal-test-report-"));
  const report = join(folder, "report");
  const reporters = ["--reporter=default", `--reporter=${join(root, "scripts/lib/vitest-report.mjs")}`];
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  const argv = [node, vitest, "run", "--project", project, ...files, ...reporters];
  const code = await show(argv, { env: { ...env, SHOAL_TEST_REPORT: report }, deadline });
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
