/**
 * A lock between processes on a directory, kept by the kernel: it ends with its holder, however that ends, and leaves no
 * file. Must not know what it guards.
 */
import { spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { cleanEnv } from "./command.ts";
import { failed } from "./errors.ts";

const BUSY = 75;
const REPLACED = 76;
const MAKE_TRIES = 10;

/**
 * Locks file descriptor 9, checks that the directory was not replaced meanwhile, and holds on until its input ends.
 * Without `command` a failed redirection of `exec` ends the shell at once, with a status of the shell's own choice.
 */
const HOLD = `[ -r "$1" ] || [ ! -e "$1" ] || exit 1
command exec 9<"$1" || exit ${REPLACED}
flock -x -w "$2" 9 || exit ${BUSY}
[ /proc/self/fd/9 -ef "$1" ] || exit ${REPLACED}
echo locked
read -r _
exit 0`;

/**
 * Runs `work` while no other process (nor other work of this one) holds the lock of `directory`, which is made if missing.
 * Rejects with MachineError when the lock is not free within `patienceSeconds`.
 */
export async function withDirectoryLock<T>(
  directory: string,
  work: () => Promise<T>,
  patienceSeconds = 120,
): Promise<T> {
  for (;;) {
    await make(directory);
    const outcome = await hold(directory, patienceSeconds);
    if (outcome === BUSY)
      throw failed(
        `${directory} is in use by another shoal process for more than ${patienceSeconds} s; try again later`,
      );
    if (outcome === REPLACED) continue;
    if (typeof outcome === "number") throw failed(`cannot lock ${directory} (is flock of util-linux installed?)`);
    try {
      return await work();
    } finally {
      await outcome();
    }
  }
}

/** A directory that is removed between mkdir's steps is missing for a moment only. */
async function make(directory: string): Promise<void> {
  const attempt = () => mkdir(directory, { recursive: true, mode: 0o711 });
  for (let left = MAKE_TRIES; left > 1; left--) {
    try {
      await attempt();
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
  await attempt();
}

/** The way to release it, or the exit status of the holder that could not lock. */
function hold(directory: string, patienceSeconds: number): Promise<(() => Promise<void>) | number> {
  return new Promise((resolve, reject) => {
    const holder = spawn("sh", ["-c", HOLD, "lock", directory, String(patienceSeconds)], {
      stdio: ["pipe", "pipe", "ignore"],
      env: cleanEnv(),
      detached: true,
    });
    const ended = new Promise<void>((done) => holder.once("exit", () => done()));
    holder.once("error", reject);
    holder.once("exit", (code) => resolve(code ?? 1));
    holder.stdin.on("error", () => undefined);
    holder.stdout.once("data", () =>
      resolve(async () => {
        holder.stdin.end();
        await ended;
      }),
    );
  });
}
