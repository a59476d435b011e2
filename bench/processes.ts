/** The other processes of a bench: a fleet, a manager. Owns starting them, waiting for them and their end. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { systemClock } from "../src/kit/clock.ts";
import { BenchClient } from "./client.ts";

/** The compiled files lie in `.cache/bench/bench/`. */
const ROOT = resolve(import.meta.dirname, "../../..");

/** The manager under test; another build or another program that takes the same command line, for comparisons. */
const EXECUTABLE = process.env.SHOAL_BENCH_EXECUTABLE ?? join(ROOT, "bin/shoal");

/** Longest wait for a process to be ready, and for its end. */
const READY_MS = 60_000;
const END_MS = 10_000;

export interface Fleet {
  readonly dir: string;
  readonly addresses: readonly string[];
  readonly startedIn: number;
  readonly rssMiB: number;
  /** Calls by route since the last reset, summed over the engines. */
  calls(): Promise<Record<string, number>>;
  reset(): Promise<void>;
  stop(): Promise<void>;
}

export interface Manager {
  readonly address: string;
  readonly pid: number;
  /** Seconds from its start until every engine was healthy. */
  readonly healthyIn: number;
  stop(): Promise<void>;
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const timer = systemClock.after(END_MS, () => child.kill("SIGKILL"));
  await new Promise((done) => child.once("close", done));
  timer.cancel();
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((done, fail) => {
    let text = "";
    child.stdout?.on("data", (chunk) => {
      text += String(chunk);
      const end = text.indexOf("\n");
      if (end >= 0) done(text.slice(0, end));
    });
    child.once("close", (code) => fail(new Error(`the fleet ended with ${code}`)));
    child.once("error", fail);
  });
}

/** Starts a fleet process on unix sockets in a folder of its own. */
export async function startFleet(engines: number, containers: number, seed = 1): Promise<Fleet> {
  const dir = mkdtempSync(join(tmpdir(), "shoal-bench-"));
  const runner = join(import.meta.dirname, "run.js");
  const flags = [
    "--engines",
    String(engines),
    "--containers",
    String(containers),
    "--dir",
    dir,
    "--seed",
    String(seed),
  ];
  const child = spawn(process.execPath, [runner, "fleet", ...flags], { stdio: ["pipe", "pipe", "inherit"] });
  const { seconds, rssMiB } = JSON.parse(await firstLine(child)) as { seconds: number; rssMiB: number };
  const control = new BenchClient(`unix://${join(dir, "control")}`, 1);
  return {
    dir,
    addresses: readFileSync(join(dir, "engines"), "utf8").trim().split("\n"),
    startedIn: seconds,
    rssMiB,
    calls: () => control.json("GET", "/calls"),
    reset: async () => {
      await control.call("POST", "/reset");
    },
    stop: async () => {
      await control.close();
      child.stdin?.end();
      await ended(child);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** How many engines a manager's `/info` calls healthy. */
async function healthy(client: BenchClient): Promise<number> {
  const info = await client.json<{ SystemStatus?: [string, string][] | null }>("GET", "/info");
  return (info.SystemStatus ?? []).filter(([key, value]) => /^\s.*Status$/.test(key) && value === "Healthy").length;
}

/** Starts `bin/shoal manage` over the engines of a discovery URL and waits until all `engines` are healthy. */
export async function startManager(
  discovery: string,
  engines: number,
  flags: readonly string[] = [],
  executable = EXECUTABLE,
): Promise<Manager> {
  const dir = mkdtempSync(join(tmpdir(), "shoal-bench-"));
  const address = `unix://${join(dir, "manager.sock")}`;
  const argv = [executable, "manage", "--log-level", "error", ...flags, "-H", address, discovery];
  // Its data goes to the bench's own folder, never to that of a manager in use on this machine.
  const env = {
    ...process.env,
    HOME: dir,
    XDG_DATA_HOME: dir,
    XDG_STATE_HOME: dir,
    SHOAL_STORE: `file://${join(dir, "store")}`,
  };
  const from = systemClock.monotonic();
  const child = spawn(process.execPath, argv, { stdio: ["ignore", "ignore", "inherit"], env });
  const client = new BenchClient(address, 1);
  const stop = async (): Promise<void> => {
    child.kill("SIGTERM");
    await ended(child);
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    for (;;) {
      if (child.exitCode !== null) throw new Error(`the manager ended with ${child.exitCode}`);
      const count = await healthy(client).catch(() => 0);
      if (count >= engines) break;
      if (systemClock.monotonic() - from > READY_MS) throw new Error(`only ${count} of ${engines} engines are healthy`);
      await systemClock.sleep(20);
    }
  } catch (error) {
    await stop();
    throw error;
  } finally {
    await client.close();
  }
  return { address, pid: child.pid ?? 0, healthyIn: (systemClock.monotonic() - from) / 1000, stop };
}

/** CPU time that a process has used, milliseconds (/proc/PID/stat counts hundredths of a second). */
export function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /s, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Resident memory of a process, MiB. */
export function rssMiB(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Math.round(Number(line?.[1] ?? 0) / 1024);
}
