/** The cgroups of a machine's containers, in every hierarchy (version 1 and 2): where they are and how they go. */
import { readdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../kit/clock.ts";

const TRIES = 50;
const PAUSE_MS = 20;
/** Version 1's freezer, and version 2. */
const THAW = [
  ["freezer.state", "THAWED"],
  ["cgroup.freeze", "0"],
] as const;

/** Mount points of all cgroup hierarchies in the text of /proc/mounts. */
export function cgroupMounts(mounts: string): string[] {
  return mounts
    .split("\n")
    .map((line) => line.split(" "))
    .filter((words) => words[2] === "cgroup" || words[2] === "cgroup2")
    .map((words) => words[1] ?? "");
}

/** A paused container's processes are frozen, and what is frozen does not even die: lets all below `path` go on. */
export async function thawCgroups(path: string): Promise<void> {
  const mounts = cgroupMounts(await readFile("/proc/mounts", "utf8"));
  await Promise.all(mounts.map((mount) => thawTree(join(mount, path))));
}

/** Each hierarchy has one of the two files, or none; a cgroup that is gone meanwhile is no error. */
async function thawTree(directory: string): Promise<void> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  for (const [file, text] of THAW) {
    if (entries.some(({ name }) => name === file)) await writeFile(join(directory, file), text).catch(() => undefined);
  }
  for (const entry of entries) if (entry.isDirectory()) await thawTree(join(directory, entry.name));
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
