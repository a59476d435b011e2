// `npm test`: installs what is missing, builds, and runs the unit tests, the machine driver's tests and the end-to-end suite
// twice, the second time with cluster IDs unlike the engines'. Plain JavaScript that runs before anything is installed.
// The last line is always `N passed, N failed`.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build, installPackages, missingPackages, npmInstall, npmMissing, root } from "./lib/install.mjs";
import { run } from "./lib/run.mjs";
import { heading, remark, Stop, say } from "./lib/say.mjs";

const USAGE = `Usage: npm test [-- flags]
  --only unit|machine|e2e|minted   only these; may be given several times
  --ci      also lint, type check, and the unit tests on the newest LTS Node
  --full    the slow counts: 3,000 streams over each transport instead of 300`;

const KINDS = ["unit", "machine", "e2e", "minted"];
/** The newest LTS line of Node, which CI tries beside the one that runs this. */
const NEWEST_LTS = "26";
const MINUTE = 60_000;

const total = { passed: 0, failed: 0, skipped: 0 };
const wrong = [];

function parse(args) {
  const options = { only: [], ci: false, full: false };
  for (let index = 0; index < args.length; index++) {
    const arg = args[index];
    if (arg === "--ci") options.ci = true;
    else if (arg === "--full") options.full = true;
    else if (arg === "--only" && KINDS.includes(args[index + 1])) options.only.push(args[++index]);
    else if (arg === "--help") {
      say(USAGE);
      process.exit(0);
    } else throw new Stop(USAGE);
  }
  // The minted run is the end-to-end suite's second half.
  if (options.only.includes("e2e")) options.only.push("minted");
  if (options.only.length === 0) options.only = [...KINDS];
  return options;
}

/** Runs a program on this terminal, with a deadline: first asked to stop, so that it can clean up, then killed. */
function show(argv, { env = {}, deadline = 30 * MINUTE } = {}) {
  const [program, ...args] = argv;
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: root, stdio: "inherit", env: { ...process.env, ...env } });
    const ask = setTimeout(() => {
      say(`no end within ${deadline / MINUTE} minutes: ${argv.join(" ")}`);
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

function count(name, passed, failed, skipped = 0) {
  total.passed += passed;
  total.failed += failed;
  total.skipped += skipped;
  if (failed > 0) wrong.push(`${name}: ${failed} failed`);
}

/** A check that passes or fails as a whole. */
async function check(name, argv) {
  heading(name);
  const code = await show(argv, { deadline: 10 * MINUTE });
  count(name, code === 0 ? 1 : 0, code === 0 ? 0 : 1);
}

/** One vitest run; its own report says what passed. A run that broke down without a failed test counts as one. */
async function vitest(name, args, { node = process.execPath, env = {}, deadline = 30 * MINUTE } = {}) {
  heading(name);
  const folder = mkdtempSync(join(tmpdir(), "shoal-test-report-"));
  const report = join(folder, "report.json");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const argv = [node, join(root, "node_modules/vitest/vitest.mjs"), "run", ...args, ...reporters];
  const code = await show(argv, { env, deadline });
  const told = existsSync(report) ? JSON.parse(readFileSync(report, "utf8")) : undefined;
  rmSync(folder, { recursive: true, force: true });
  const failed = told?.numFailedTests ?? 0;
  const ran = (told?.numPassedTests ?? 0) + failed > 0;
  count(name, told?.numPassedTests ?? 0, failed === 0 && (code !== 0 || !ran) ? 1 : failed, told?.numPendingTests ?? 0);
}

/** Where the newest LTS Node is unpacked: npm has its binaries as packages; nothing of it goes into the repository. */
async function newestNode() {
  const folder = join(tmpdir(), `shoal-node-${NEWEST_LTS}`);
  const name = `node-linux-${process.arch}`;
  const binary = join(folder, "node_modules", name, "bin/node");
  if (!existsSync(binary)) {
    mkdirSync(folder, { recursive: true });
    await run([
      "npm",
      "install",
      "--prefix",
      folder,
      "--no-audit",
      "--no-fund",
      "--ignore-scripts",
      `${name}@${NEWEST_LTS}`,
    ]);
  }
  return binary;
}

/** Installs what the chosen kinds need, and says what it does. */
async function prepare(real) {
  heading("What is needed");
  const packages = real ? await missingPackages({ tests: true }) : [];
  const npm = npmMissing();
  if (packages.length > 0) say(`Debian packages to install: ${packages.join(", ")}`);
  if (packages.includes("docker.io")) remark("the Docker Engine's own service is neither started nor enabled");
  if (npm) say("npm packages to install: those of package-lock.json, into node_modules/");
  if (packages.length === 0 && !npm) say("Nothing to install.");
  await installPackages(packages);
  if (npm) await npmInstall();
  say("Building shoal (npm run build) ...");
  await build();
}

const onOther = async () => {
  const name = `unit tests on Node ${NEWEST_LTS}`;
  try {
    await vitest(name, ["--project", "unit"], { node: await newestNode(), deadline: 10 * MINUTE });
  } catch (error) {
    say(String(error));
    count(name, 0, 1);
  }
};

async function main() {
  const options = parse(process.argv.slice(2));
  const wants = (kind) => options.only.includes(kind);
  const real = wants("machine") || wants("e2e") || wants("minted");
  const isRoot = process.getuid?.() === 0;
  await prepare(real && isRoot);
  if (options.ci) {
    await check("lint", ["node_modules/.bin/biome", "ci", "."]);
    await check("types", ["node_modules/.bin/tsc", "--noEmit"]);
  }
  if (wants("unit")) await vitest("unit tests", ["--project", "unit"], { deadline: 10 * MINUTE });
  if (options.ci && wants("unit")) await onOther();
  if (real && !isRoot) {
    count("real engines: they need root (namespaces, mounts), and this user is not", 0, 1);
    return;
  }
  const env = options.full ? { SHOAL_FULL: "1" } : {};
  const deadline = options.full ? 240 * MINUTE : 25 * MINUTE;
  if (wants("machine")) await vitest("machines", ["--project", "machine"], { deadline: 10 * MINUTE });
  if (wants("e2e")) await vitest("end to end", ["--project", "e2e"], { env, deadline });
  if (wants("minted")) {
    await vitest("end to end, minted IDs", ["--project", "e2e"], { env: { ...env, SHOAL_E2E_MINT: "1" }, deadline });
  }
}

// Who interrupts this interrupts the run below as well; that one cleans up, this one still tells the sum.
process.on("SIGINT", () => {});
try {
  await main();
} catch (error) {
  say(error instanceof Stop ? error.message : String(error?.stack ?? error));
  count("preparation", 0, 1);
}
heading("Result");
for (const line of wrong) say(line);
if (total.skipped > 0) say(`${total.skipped} skipped`);
say(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
