// The benches: compiles them to .cache/bench and runs them one after the other, with their tables on standard output
// and progress on standard error.
//
//   npm run bench [-- --quick] [-- ceiling|cost|discovery|lost|overhead|store|stores … [flags of the one bench]]
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const TITLES = {
  ceiling: "Ceiling: the load generator against one simulated engine, no manager between",
  cost: "Cost of a create + start: a full fleet against an empty one, or with an audit log against without",
  discovery: "Discovery: a hub and a manager with many nodes that join at once, beat, and vanish",
  lost: "Lost: a node that is lost and comes back, on three real engines and with each real store",
  overhead: "Overhead for each call: through a manager against one engine directly",
  store: "Store: transactions in memory and in a file, by one writer and by many",
  stores: "Stores: a create with the manager's store in a file, in etcd, in Consul and in ZooKeeper",
};
/** Takes an hour or two and starts machines: only when it is named. */
const ONLY_NAMED = new Set(["lost"]);

function run(command, args) {
  return spawnSync(command, args, { cwd: root, stdio: "inherit" }).status ?? 1;
}

/** Why a bench cannot run here; undefined when it can. */
function missing(name, flags) {
  if (name === "ceiling" || name === "store") return undefined;
  const own = process.env.SHOAL_BENCH_EXECUTABLE === undefined;
  if (own && !existsSync(join(root, "dist/cli/main.js"))) return "shoal is not built: npm run build";
  if (name === "lost" && process.getuid?.() !== 0)
    return "it starts machines with engines of their own: run it as root";
  if (name !== "overhead" || flags.includes("--engine")) return undefined;
  const engine = process.env.DOCKER_HOST ?? "unix:///var/run/docker.sock";
  const path = engine.startsWith("unix://") ? engine.slice("unix://".length) : undefined;
  if (path === undefined || existsSync(path)) return undefined;
  return `no Docker Engine at ${engine}: set DOCKER_HOST to one`;
}

const given = process.argv.slice(2);
const named = given.filter((word) => Object.hasOwn(TITLES, word));
const flags = given.filter((word) => !Object.hasOwn(TITLES, word));
const chosen = named.length > 0 ? named : Object.keys(TITLES).filter((name) => !ONLY_NAMED.has(name));
if (named.length !== 1 && flags.some((flag) => flag !== "--quick")) {
  console.error(`flags other than --quick need the name of one bench: ${Object.keys(TITLES).join(", ")}`);
  process.exit(2);
}
if (run(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", "bench/tsconfig.json"]) !== 0)
  process.exit(1);

let failed = 0;
for (const [index, name] of chosen.entries()) {
  console.log(`\n## ${TITLES[name]}\n`);
  const why = missing(name, flags);
  if (why !== undefined) {
    console.log(`Not measured: ${why}`);
    failed++;
    continue;
  }
  console.error(`[${index + 1}/${chosen.length}] ${name}`);
  if (run(process.execPath, [join(root, ".cache/bench/bench/run.js"), name, ...flags]) !== 0) failed++;
}
process.exitCode = failed > 0 ? 1 : 0;
