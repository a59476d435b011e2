/** Keeps dist/ no older than src/, since the managers under test are the built ones. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { output } from "./exec.ts";

const newest = (folder: string): number =>
  Math.max(
    0,
    ...readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
      .map((name) => statSync(join(folder, name)).mtimeMs),
  );

/** Builds when a source is newer than the last build. Throws with the compiler's words when that fails. */
export async function ensureBuilt(repository: string): Promise<void> {
  const dist = join(repository, "dist");
  const built = existsSync(dist) ? newestOutput(dist) : 0;
  if (built > newest(join(repository, "src"))) return;
  console.log("building dist/ …");
  await output("npm", ["run", "build"], { cwd: repository, timeout: 180_000 });
}

const newestOutput = (dist: string): number =>
  Math.max(
    0,
    ...readdirSync(dist, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".js"))
      .map((name) => statSync(join(dist, name)).mtimeMs),
  );
