/** Directories that a host lacked and that exist only so that machines can mount over them: how they go again. */
import { access, readdir, readFile, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { MADE_MARK, OWN_DIRECTORIES } from "./boot.ts";

/** Removes those that were made for machines, when no machine of any cluster has mounted over them. */
export async function removeMountPoints(): Promise<void> {
  for (const path of Object.keys(OWN_DIRECTORIES)) {
    const mark = join(path, MADE_MARK);
    const made = await access(mark).then(
      () => true,
      () => false,
    );
    if (!made || (await mountedAnywhere(path))) continue;
    await rm(mark, { force: true });
    await rmdir(path).catch(() => undefined);
  }
}

async function mountedAnywhere(path: string): Promise<boolean> {
  for (const entry of await readdir("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const mounts = await readFile(`/proc/${entry}/mounts`, "utf8").catch(() => "");
    if (mounts.includes(` ${path} `)) return true;
  }
  return false;
}
