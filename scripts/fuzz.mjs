// The fuzzer: compiles it to .cache/fuzz and runs it: the real API and listeners over simulated engines.
//
//   npm run fuzz [-- --inputs 100000] [--seed 1] [--first 0] [--hex …]
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const run = (args) => spawnSync(process.execPath, args, { cwd: root, stdio: "inherit" }).status ?? 1;

const compiled = run([join(root, "node_modules/typescript/bin/tsc"), "-p", "sim/fuzz/tsconfig.json"]);
process.exitCode = compiled || run([join(root, ".cache/fuzz/sim/fuzz/main.js"), ...process.argv.slice(2)]);
