/** The other processes of a bench: a fleet, a manager, a hub. Owns starting them, waiting for them and their end. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { systemClock } from "../src/kit/clock.ts";
import type { AgentsCount, AgentsOrder } from "./agents.ts";
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
  /** An agent for each engine joins, all of them at once. */
  join(order: AgentsOrder): Promise<void>;
  agents(): Promise<AgentsCount>;
  /** Engines and agents stand still together: connections are taken, nothing is answered. */
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
}

export interface Hub {
  /** `http://127.0.0.1:port`. */
  readonly url: string;
  readonly pid: number;
  /** Of its file store. */
  readonly store: string;
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

/** The first line of its standard output that `matches`; what follows is read and thrown away. */
function lineOf(child: ChildProcess, what: string, matches = /^/): Promise<string> {
  return new Promise((done, fail) => {
    let text = "";
    const read = (chunk: unknown): void => {
      text += String(chunk);
      const line = text
        .split("\n")
        .slice(0, -1)
        .find((one) => matches.test(one));
      if (line === undefined) return;
      child.stdout?.off("data", read).resume();
      done(line);
    };
    child.stdout?.on("data", read);
    child.once("close", (code) => fail(new Error(`${what} ended with ${code}`)));
    child.once("error", fail);
  });
}

export interface FleetOptions {
  readonly seed?: number;
  /** What the engines' names begin with: two fleets of one manager need two. */
  readonly name?: string;
  /** On ports of loopback instead of unix sockets, as discovery's records need it. */
  readonly tcp?: boolean;
}

/** Starts a fleet process with a folder of its own. */
export async function startFleet(
  engines: number,
  containers: number,
  { seed = 1, name = "sim", tcp = false }: FleetOptions = {},
): Promise<Fleet> {
  const dir = mkdtempSync(join(tmpdir(), "shoal-bench-"));
  const runner = join(import.meta.dirname, "run.js");
  const sizes = ["--engines", String(engines), "--containers", String(containers), "--seed", String(seed)];
  const flags = [...sizes, "--dir", dir, "--name", name, ...(tcp ? ["--tcp"] : [])];
  const child = spawn(process.execPath, [runner, "fleet", ...flags], { stdio: ["pipe", "pipe", "inherit"] });
  const { seconds, rssMiB } = JSON.parse(await lineOf(child, "the fleet")) as { seconds: number; rssMiB: number };
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
    join: async (order) => {
      await control.call("POST", "/join", order);
    },
    agents: () => control.json("GET", "/agents"),
    freeze: () => void child.kill("SIGSTOP"),
    thaw: () => void child.kill("SIGCONT"),
    stop: async () => {
      child.kill("SIGCONT");
      await control.close();
      child.stdin?.end();
      await ended(child);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Starts `bin/shoal hub` with a file store of its own, on a port of loopback; whoever asks may create clusters. */
export async function startHub(): Promise<Hub> {
  const dir = mkdtempSync(join(tmpdir(), "shoal-bench-"));
  const store = join(dir, "store");
  const files = ["--store", `file://${store}`, "--admin-token-file", join(dir, "admin-token")];
  const argv = [EXECUTABLE, "hub", "--anonymous", "--log-level", "info", ...files, "-H", "tcp://127.0.0.1:0"];
  const child = spawn(process.execPath, argv, { stdio: ["ignore", "pipe", "ignore"] });
  const stop = async (): Promise<void> => {
    child.kill("SIGTERM");
    await ended(child);
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    const { address } = JSON.parse(await lineOf(child, "the hub", /"listening"/)) as { address: string };
    return { url: address.replace(/^tcp:/, "http:"), pid: child.pid ?? 0, store, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** How many engines a manager's `/info` calls healthy. */
export async function healthy(client: BenchClient): Promise<number> {
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
      const count = await healthy(client).catch(() => -1);
      if (count >= engines) break;
      if (systemClock.monotonic() - from > READY_MS)
        throw new Error(`only ${Math.max(count, 0)} of ${engines} engines are healthy`);
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
