// The fuzzer: compiles it to .cache/fuzz and runs it: the real API and listeners over simulated engines.
//
//   npm run fuzz [-- --inputs 100000] [--seed 1] [--first 0] [--jobs 1] [--hex …]
//
// Several jobs are processes that share the inputs; what any of them finds is shown at once.
import { fork, spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const { values } = parseArgs({
  options: {
    inputs: { type: "string", default: "100000" },
    seed: { type: "string", default: "1" },
    first: { type: "string", default: "0" },
    jobs: { type: "string", default: "1" },
    hex: { type: "string" },
  },
});

/** How many inputs one process ran and what it found. One that died counts as a problem. */
function job(args) {
  return new Promise((resolve) => {
    let told = { inputs: 0, problems: 1 };
    fork(join(root, ".cache/fuzz/sim/fuzz/main.js"), args, { cwd: root })
      .on("message", (message) => {
        told = message;
      })
      .on("close", () => resolve(told));
  });
}

function shares() {
  const { inputs, seed, first, hex } = values;
  if (hex !== undefined) return [["--hex", hex]];
  const jobs = Math.max(1, Number(values.jobs));
  const share = Math.ceil(Number(inputs) / jobs);
  return Array.from({ length: jobs }, (_, i) => {
    const from = i * share;
    const count = Math.min(share, Number(inputs) - from);
    return ["--seed", seed, "--first", String(Number(first) + from), "--inputs", String(count)];
  });
}

const tsc = join(root, "node_modules/typescript/bin/tsc");
const compiled = spawnSync(process.execPath, [tsc, "-p", "sim/fuzz/tsconfig.json"], { cwd: root, stdio: "inherit" });
if (compiled.status === 0) {
  const all = await Promise.all(shares().map(job));
  const sum = (key) => all.reduce((total, told) => total + told[key], 0);
  console.log(`${sum("inputs")} inputs, ${sum("problems")} problems`);
  process.exitCode = sum("problems") > 0 ? 1 : 0;
} else process.exitCode = 1;
