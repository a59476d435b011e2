// `npm run compat`: every client's cases against one engine and against three through shoal, and docs/compatibility.md from
// what came of it. Clients are unpacked from Debian packages and npm into a cache, nothing is installed for them.
import { build, installPackages, missingPackages, npmInstall, npmMissing } from "./lib/install.mjs";
import { Stop, say } from "./lib/say.mjs";
import { interrupt, MINUTE, show } from "./lib/suite.mjs";

const USAGE = `Usage: npm run compat [-- TEXT]
  TEXT   only the clients whose name has it, such as Compose; docs/compatibility.md is then left as it is`;

const [only = "", ...others] = process.argv.slice(2);
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, interrupt);
try {
  if (only.startsWith("-") || others.length > 0) throw new Stop(USAGE);
  if (process.getuid?.() !== 0) throw new Stop("real engines need root (namespaces, mounts), and this user is not");
  await installPackages(await missingPackages({ tests: true }));
  if (npmMissing()) await npmInstall();
  await build();
  const argv = [
    process.execPath,
    "node_modules/vitest/vitest.mjs",
    "run",
    "--project",
    "e2e",
    "test/e2e/compat.test.ts",
  ];
  const env = { SHOAL_COMPAT: "all", SHOAL_COMPAT_ONLY: only };
  process.exitCode = await show(argv, { env, deadline: 120 * MINUTE });
} catch (error) {
  say(error instanceof Stop ? error.message : String(error?.stack ?? error));
  process.exitCode = 2;
}
