/** The cgroups of a machine's containers, in every hierarchy (version 1 and 2): where they are and how they go. */
import { readdir, readFile, rmdir } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../kit/clock.ts";

const TRIES = 50;
const PAUSE_MS = 20;

/** Mount points of all cgroup hierarchies in the text of /proc/mounts. */
export function cgroupMounts(mounts: string): string[] {
  return mounts
    .split("\n")
    .map((line) => line.split(" "))
    .filter((words) => words[2] === "cgroup" || words[2] === "cgroup2")
    .map((words) => words[1] ?? "");
}

/** Removes the cgroup `path` (as given to dockerd's --cgroup-parent) and all below it, in every hierarchy. */
export async function removeCgroups(clock: Clock, path: string): Promise<void> {
  const mounts = cgroupMounts(await readFile("/proc/mounts", "utf8"));
  await Promise.all(mounts.map((mount) => removeTree(clock, join(mount, path))));
}

/** Removes the cgroup itself where it has nothing below it. */
export async function removeEmptyCgroup(path: string): Promise<void> {
  const mounts = cgroupMounts(await readFile("/proc/mounts", "utf8"));
  await Promise.all(mounts.map((mount) => rmdir(join(mount, path)).catch(() => undefined)));
}

async function removeTree(clock: Clock, directory: string): Promise<void> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await removeTree(clock, join(directory, entry.name));
  // Processes that were just killed leave their cgroup a moment later.
  for (let tries = 0; tries < TRIES; tries++) {
    const code = await rmdir(directory).then(
      () => "",
      (error: NodeJS.ErrnoException) => error.code ?? "",
    );
    if (code !== "EBUSY") return;
    await clock.sleep(PAUSE_MS);
  }
}
