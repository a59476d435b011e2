/** The benches' one entry point: `run <bench> [flags]`. */

const BENCHES: Record<string, () => Promise<{ main(): Promise<void> }>> = {
  ceiling: () => import("./ceiling.ts"),
  cost: () => import("./cost.ts"),
  discovery: () => import("./discovery.ts"),
  fleet: () => import("./fleet.ts"),
  load: () => import("./load.ts"),
  lost: () => import("./lost.ts"),
  overhead: () => import("./overhead.ts"),
  store: () => import("./store.ts"),
  stores: () => import("./stores.ts"),
};

const name = process.argv.splice(2, 1)[0] ?? "";
const bench = BENCHES[name];
if (bench) {
  await (await bench()).main();
} else {
  console.error(`usage: run ${Object.keys(BENCHES).join("|")} [flags]`);
  process.exitCode = 2;
}
