// The simulator: compiles it to .cache/sim and runs it. `npm run sim -- --help` says what it takes.
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

function run(args) {
  return spawnSync(process.execPath, args, { cwd: root, stdio: "inherit" }).status ?? 1;
}

const compiled = run([join(root, "node_modules/typescript/bin/tsc"), "-p", "sim/run/tsconfig.json"]);
process.exitCode =
  compiled === 0 ? run(["--enable-source-maps", join(root, ".cache/sim/sim/run/sim.js"), ...process.argv.slice(2)]) : 1;
