/**
 * The machine's own disk. The lock is the kernel's (flock): it ends with the process, leaves nothing stale and cannot be
 * mistaken when a process ID is used again. Node has no flock, but a lock belongs to the open file, not to who asked for
 * it: the `flock` command takes it on a file that it inherits, ends, and the file stays locked here.
 */
import { spawn } from "node:child_process";
import { constants } from "node:fs";
import { type FileHandle, mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { StoreError } from "../../store.ts";
import { type Disk, type DiskFile, type DiskLock, DiskLockedError } from "./disk.ts";

const OWN_FILE = 0o600;
const OWN_DIRECTORY = 0o700;
/** Exit code of `flock -n` when somebody else has it. */
const BUSY = 1;

export const systemDisk: Disk = {
  async makeDirectory(path) {
    const first = await mkdir(path, { recursive: true, mode: OWN_DIRECTORY });
    if (first === undefined) return;
    for (let made = path; made.length >= first.length; made = dirname(made)) await syncDirectory(dirname(made));
  },

  lock,

  async read(path) {
    try {
      return await readFile(path);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  },

  async create(path) {
    return systemFile(await open(path, "w", OWN_FILE));
  },

  rename: (from, to) => rename(from, to),
  remove: (path) => rm(path, { force: true }),
  syncDirectory,
};

function systemFile(file: FileHandle): DiskFile {
  return {
    async append(bytes) {
      for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten;
    },
    // The data and the size: of the rest nobody asks after a crash.
    sync: () => file.datasync(),
    close: () => file.close(),
  };
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

async function lock(path: string): Promise<DiskLock> {
  for (;;) {
    const file = await open(path, constants.O_RDWR | constants.O_CREAT, OWN_FILE);
    try {
      const code = await flock(file.fd);
      if (code === BUSY) throw new DiskLockedError(await pidIn(file));
      if (code !== 0) throw new StoreError(`cannot lock ${path}: flock ended with ${code}`);
      if (await isStill(file, path)) {
        await file.truncate();
        await file.write(`${process.pid}\n`, 0);
        return { release: () => file.close() };
      }
    } catch (error) {
      await file.close();
      throw error;
    }
    await file.close();
  }
}

/** Somebody may have removed the file between opening and locking. */
async function isStill(file: FileHandle, path: string): Promise<boolean> {
  const [opened, named] = await Promise.all([file.stat(), stat(path).catch(() => undefined)]);
  return opened.ino === named?.ino && opened.dev === named.dev;
}

async function pidIn(file: FileHandle): Promise<number | undefined> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(16), 0, 16, 0);
  const pid = Number.parseInt(buffer.toString("latin1", 0, bytesRead), 10);
  return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
}

/** The exit code of `flock` on an open file. */
function flock(fd: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn("flock", ["-n", "-x", "3"], { stdio: ["ignore", "ignore", "ignore", fd] });
    child.once("error", (cause) =>
      reject(new StoreError("cannot lock the store: the flock command (util-linux) is needed", { cause })),
    );
    child.once("exit", (code) => resolve(code ?? -1));
  });
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
