// `npm test`: installs what is missing, builds, and runs the unit tests, those of the hub's page in headless Chromium,
// the stores' drivers on real servers, the machine driver's tests and the end-to-end suite twice, the second time with cluster
// IDs unlike the engines'. Plain JavaScript that runs before anything is installed.
// A file that failed runs once more by itself, and both outcomes are told (CONTRIBUTING.md says why).
// The last line is always `N passed, N failed`.
import { build, installPackages, missingForPage, missingPackages, npmInstall, npmMissing } from "./lib/install.mjs";
import { elapsed, heading, remark, Stop, say } from "./lib/say.mjs";
import { interrupt, MINUTE, otherNode, runSuite, show } from "./lib/suite.mjs";
import { settled, worthAgain } from "./lib/tally.mjs";

const USAGE = `Usage: npm test [-- flags]
  --only unit|page|stores|machine|e2e|minted   only these; may be given several times
  --ci      also lint, type check, and the unit tests on the newest LTS Node
  --full    the slow counts: 3,000 streams over each transport instead of 300`;

const KINDS = ["unit", "page", "stores", "machine", "e2e", "minted"];
/** The newest LTS line of Node, which CI tries beside the one that runs this. */
const NEWEST_LTS = "26";
/** More files than this do not fail by chance. */
const MOST_AGAIN = 5;
/** CI has an hour for all of it, and the result must be told before it ends: what runs then is cut short. */
const CI_END = 56 * MINUTE;
/** No second run begins later than this. */
const AGAIN_UNTIL = 52 * MINUTE;
const AGAIN_DEADLINE = 8 * MINUTE;
const MESSAGE_LINES = 25;
const SLOWEST = 8;

const began = Date.now();
let hurried = false;
/** @type {{ suite: string, outcomes: import("./lib/tally.mjs").Outcome[] }[]} */
const results = [];
/** @type {{ suite: string, outcome: import("./lib/tally.mjs").Outcome }[]} */
const flaky = [];

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

/** Counts what passes or fails as a whole. */
function count(name, fine, message = "") {
  const failures = fine ? [] : [{ test: "", message }];
  results.push({
    suite: name,
    outcomes: [{ file: "", passed: fine ? 1 : 0, failed: fine ? 0 : 1, skipped: 0, failures }],
  });
}

async function check(name, argv) {
  heading(name);
  const code = await show(argv, { deadline: 5 * MINUTE });
  count(name, code === 0, `status ${code}: ${argv.join(" ")}`);
}

/** Runs one suite; what was cut short leaves engines behind, which are taken away. */
async function take(suite) {
  const left = hurried ? Math.max(CI_END - (Date.now() - began), MINUTE) : suite.deadline;
  const outcomes = await runSuite({ ...suite, deadline: Math.min(suite.deadline, left) });
  if (suite.real && outcomes.some(({ cut }) => cut)) {
    heading("taking away what was left");
    await runSuite({ name: "leftovers", project: "leftovers", deadline: 6 * MINUTE, always: true });
  }
  return outcomes;
}

/** One suite; resolves with what a second look at it needs. */
async function first(suite) {
  heading(suite.name);
  const result = { suite: suite.name, outcomes: await take(suite) };
  results.push(result);
  return { suite, result };
}

/** Runs again what may have failed by chance. */
async function again({ suite, result }) {
  for (const files of worthAgain(result.outcomes, MOST_AGAIN)) {
    if (hurried && Date.now() - began > AGAIN_UNTIL) {
      remark(`no time left to run again: ${files.join(" ") || suite.name}`);
      continue;
    }
    heading(`once more: ${files.join(" ") || "all"} (${suite.name})`);
    const deadline = files.length === 1 ? Math.min(suite.deadline, AGAIN_DEADLINE) : suite.deadline;
    const second = await take({ ...suite, ...(files.length > 0 ? { files } : {}), deadline });
    const { outcomes, flaky: gone } = settled(result.outcomes, second);
    result.outcomes = outcomes;
    for (const outcome of gone) flaky.push({ suite: suite.name, outcome });
  }
}

/** Installs what the chosen kinds need, and says what it does. */
async function prepare({ real, page }) {
  heading("What is needed");
  const packages = real ? await missingPackages({ tests: true }) : [];
  if (page) packages.push(...(await missingForPage()));
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

async function onOtherNode() {
  const name = `unit tests on Node ${NEWEST_LTS}`;
  try {
    return [await first({ name, project: "unit", node: await otherNode(NEWEST_LTS), deadline: 15 * MINUTE })];
  } catch (error) {
    count(name, false, String(error));
    return [];
  }
}

async function main() {
  const options = parse(process.argv.slice(2));
  hurried = options.ci && !options.full;
  const wants = (kind) => options.only.includes(kind);
  const real = wants("stores") || wants("machine") || wants("e2e") || wants("minted");
  const isRoot = process.getuid?.() === 0;
  await prepare({ real: real && isRoot, page: wants("page") && isRoot });
  if (options.ci) {
    await check("lint", ["node_modules/.bin/biome", "ci", "."]);
    await check("types", ["node_modules/.bin/tsc", "--noEmit"]);
    await check("types of the page's tests", ["node_modules/.bin/tsc", "-p", "test/page"]);
  }
  const looked = [];
  if (wants("unit")) looked.push(await first({ name: "unit tests", project: "unit", deadline: 15 * MINUTE }));
  if (options.ci && wants("unit")) looked.push(...(await onOtherNode()));
  if (wants("page")) looked.push(await first({ name: "the hub's page", project: "page", deadline: 8 * MINUTE }));
  const env = options.full ? { SHOAL_FULL: "1" } : {};
  const deadline = (options.full ? 240 : 38) * MINUTE;
  const plain = { name: "end to end", project: "e2e", real: true, env, deadline };
  const suites = {
    stores: { name: "stores", project: "stores", env, deadline: (options.full ? 60 : 12) * MINUTE },
    machine: { name: "machines", project: "machine", real: true, deadline: 5 * MINUTE },
    e2e: plain,
    minted: {
      ...plain,
      name: "end to end, minted IDs",
      env: { ...env, SHOAL_E2E_MINT: "1" },
      deadline: options.full ? deadline : 15 * MINUTE,
    },
  };
  if (isRoot) {
    for (const [kind, suite] of Object.entries(suites)) if (wants(kind)) looked.push(await first(suite));
  } else if (real) count("real engines and stores", false, "they need root (namespaces, mounts), and this user is not");
  for (const look of looked) await again(look);
}

/** Every failure with its words, so that the end of the output says what is wrong. */
function tell(suite, { file, failures }, how) {
  for (const { test, message } of failures) {
    say(`\n${how}: ${[suite, file, test].filter(Boolean).join(" > ")}`);
    const lines = message.split("\n");
    for (const line of lines.slice(0, MESSAGE_LINES)) say(`    ${line}`);
    if (lines.length > MESSAGE_LINES) say(`    … ${lines.length - MESSAGE_LINES} more lines above`);
  }
}

function sum() {
  heading("Result");
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const { suite, outcomes } of results) {
    const own = { passed: 0, failed: 0, skipped: 0 };
    for (const outcome of outcomes) for (const key of Object.keys(own)) own[key] += outcome[key];
    for (const key of Object.keys(own)) total[key] += own[key];
    say(`${suite}: ${own.passed} passed, ${own.failed} failed${own.skipped > 0 ? `, ${own.skipped} skipped` : ""}`);
  }
  for (const { suite, outcome } of flaky) tell(suite, outcome, "failed at first, passed when its file ran again");
  for (const { suite, outcomes } of results) for (const outcome of outcomes) tell(suite, outcome, "FAILED");
  const files = results.flatMap(({ suite, outcomes }) => outcomes.map((outcome) => ({ ...outcome, suite })));
  const slowest = files.filter(({ seconds }) => seconds > 0).sort((a, b) => b.seconds - a.seconds);
  say("\nslowest files:");
  for (const { suite, file, seconds } of slowest.slice(0, SLOWEST)) say(`  ${seconds.toFixed(0)} s ${file} (${suite})`);
  say(`${elapsed()} in all`);
  if (flaky.length > 0) say(`flaky: ${flaky.length} (${flaky.map(({ outcome }) => outcome.file || "all").join(", ")})`);
  say(`${total.passed} passed, ${total.failed} failed`);
  process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
}

// The sum of what ran until then is still told.
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, interrupt);
try {
  await main();
} catch (error) {
  count("preparation", false, error instanceof Stop ? error.message : String(error?.stack ?? error));
}
sum();
