/**
 * The state directory of a cluster of local machines: what is written where. Owns the file names and shapes; must not
 * know processes or networks.
 */
import { readdir, readFile, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { failed } from "./errors.ts";
import type { ProcessMark } from "./processes.ts";
import type { MachineSpec } from "./spec.ts";

/** One per storage path; made with the first machine, removed with the last. */
export interface ClusterRecord {
  readonly version: 1;
  /** Eight hexadecimal digits that tell this cluster's interfaces and cgroups from others'. */
  readonly id: string;
  readonly subnet: string;
}

export interface MachineRecord {
  readonly version: 1;
  readonly name: string;
  /** Number of the machine within its subnet. */
  readonly host: number;
  readonly address: string;
  readonly mac: string;
  /** Milliseconds since the Unix epoch. */
  readonly created: number;
  readonly spec: MachineSpec;
}

/** The processes of a machine that was started. */
export interface RunRecord {
  /** The waiting parent, outside of the machine's PID namespace. */
  readonly outer: ProcessMark;
  /** The first process of its PID namespace. */
  readonly init: ProcessMark;
}

export class Records {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  directory(name: string): string {
    return join(this.path, name);
  }

  file(name: string, file: string): string {
    return join(this.path, name, file);
  }

  /** Where the cluster's network namespace is kept. */
  get networkFile(): string {
    return join(this.path, ".network");
  }

  readCluster(): Promise<ClusterRecord | null> {
    return readJson<ClusterRecord>(join(this.path, ".cluster.json"));
  }

  writeCluster(record: ClusterRecord): Promise<void> {
    return writeJson(join(this.path, ".cluster.json"), record);
  }

  /** Removes what is left of the cluster; anything of somebody else's stays. */
  async removeCluster(): Promise<void> {
    await rm(join(this.path, ".cluster.json"), { force: true });
    await rmdir(this.path).catch(() => undefined);
    if (this.path === "/var/lib/shoal/machines") await rmdir("/var/lib/shoal").catch(() => undefined);
  }

  readMachine(name: string): Promise<MachineRecord | null> {
    return readJson<MachineRecord>(this.file(name, "config.json"));
  }

  writeMachine(record: MachineRecord): Promise<void> {
    return writeJson(this.file(record.name, "config.json"), record);
  }

  readRun(name: string): Promise<RunRecord | null> {
    return readJson<RunRecord>(this.file(name, "run.json"));
  }

  writeRun(name: string, run: RunRecord): Promise<void> {
    return writeJson(this.file(name, "run.json"), run);
  }

  async removeRun(name: string): Promise<void> {
    await rm(this.file(name, "run.json"), { force: true });
  }

  /** All machines, by address. */
  async machines(): Promise<MachineRecord[]> {
    const names = await readdir(this.path).catch((error: NodeJS.ErrnoException): string[] => {
      if (error.code === "EACCES") throw failed(`${this.path} cannot be read: run shoal machine as root`, error);
      return [];
    });
    const records = await Promise.all(
      names.filter((name) => !name.startsWith(".")).map((name) => this.readMachine(name)),
    );
    return records.filter((record) => record !== null).sort((a, b) => a.host - b.host);
  }
}

async function readJson<T>(path: string): Promise<T | null> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return null;
    throw error.code === "EACCES" ? failed(`${path} cannot be read: run shoal machine as root`, error) : error;
  });
  if (text === null) return null;
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    throw failed(`${path} is damaged; remove it, then create its machine again`, error);
  }
}

/** Whole or not at all: a crash leaves the old file. */
async function writeJson(path: string, value: unknown): Promise<void> {
  await writeFile(`${path}.new`, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o644 });
  await rename(`${path}.new`, path);
}
