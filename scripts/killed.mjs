// Whether the suites on real engines start well after anything: starts one, kills all of it at a random moment (SIGKILL:
// the runner, its workers, managers, engines), runs it again to its end, and looks for what is left. By hand and as root:
//   node scripts/killed.mjs [rounds] [seed]
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { missingPackages, root } from "./lib/install.mjs";
import { heading, say } from "./lib/say.mjs";

const SUITES = [
  { name: "e2e", argv: ["--project", "e2e", "test/e2e/websocket.test.ts"], latest: 25_000 },
  { name: "machine", argv: ["--project", "machine"], latest: 18_000 },
];
const MACHINE_TEST = "/var/lib/shoal-machine-test-";
const folder = mkdtempSync(join(tmpdir(), "shoal-killed-"));
mkdirSync(join(folder, "tmp"));
const tmp = join(folder, "tmp");

/** The same numbers for the same seed (mulberry32). */
function random(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function start({ argv }) {
  const child = spawn(process.execPath, [join(root, "node_modules/vitest/vitest.mjs"), "run", ...argv], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, TMPDIR: tmp, NO_COLOR: "1" },
    detached: true,
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (data) => {
      text += data;
    });
  return { ended: new Promise((resolve) => child.once("exit", resolve)), text: () => text };
}

/** All processes of the run, by what they were started with; with `engines: false` the machines live on. */
function processes({ engines = true } = {}) {
  return readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return false;
    try {
      const started = ["cmdline", "environ"].map((file) => readFileSync(`/proc/${pid}/${file}`, "utf8")).join("\0");
      const ours = started.includes(tmp) || started.includes(MACHINE_TEST);
      return ours && (engines || !started.includes("/boot.sh"));
    } catch {
      return false;
    }
  });
}

function killAll(options) {
  for (const pid of processes(options))
    try {
      process.kill(Number(pid), "SIGKILL");
    } catch {
      // It went with another one.
    }
}

/** What a run could leave, one line each. */
function left() {
  const files = readdirSync(tmp).filter((name) => name.startsWith("shoal-e2e-run-"));
  const tests = readdirSync("/var/lib").filter((name) => MACHINE_TEST.endsWith(name.replace(/\d.*/, "")));
  const mounts = readFileSync("/proc/mounts", "utf8")
    .split("\n")
    .filter((line) => line.includes(tmp) || line.includes(MACHINE_TEST));
  const running = processes().map((pid) => readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " "));
  return [...files, ...tests, ...mounts, ...running];
}

const links = () => new Set(readdirSync("/sys/class/net"));
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function round(number, chance) {
  const suite = SUITES[number % SUITES.length];
  const before = links();
  const kills = 1 + Math.floor(chance() * 2);
  for (let times = 0; times < kills; times++) {
    const delay = Math.round(1_500 + chance() * suite.latest);
    const engines = chance() < 0.5;
    heading(`round ${number}: ${suite.name}, all killed after ${delay} ms${engines ? "" : ", its engines live on"}`);
    const victim = start(suite);
    await Promise.race([sleep(delay), victim.ended]);
    killAll({ engines });
    await victim.ended;
  }
  const run = start(suite);
  const code = await run.ended;
  await sleep(500);
  const traces = [...left(), ...[...links()].filter((link) => !before.has(link))];
  if (code === 0 && traces.length === 0) return true;
  say(run.text());
  say(`NOT AS EXPECTED: status ${code}; left: ${traces.join("\n") || "nothing"}`);
  return false;
}

const [rounds = 4, seed = Date.now() % 100_000] = process.argv.slice(2).map(Number);
const missing = await missingPackages({ tests: true });
if (missing.length > 0) throw new Error(`npm test installs what is missing: ${missing.join(", ")}`);
heading(`${rounds} rounds, seed ${seed}`);
const chance = random(seed);
let wrong = 0;
for (let number = 0; number < rounds; number++) if (!(await round(number, chance))) wrong++;
rmSync(folder, { recursive: true, force: true });
say(`${rounds - wrong} passed, ${wrong} failed`);
process.exitCode = wrong > 0 ? 1 : 0;
