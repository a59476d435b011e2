/**
 * Where the suite's engines come from: four machines of the local driver in a folder of this run's own; or, for trying
 * the suite itself, engines that are already there. Takes away what killed runs left behind.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LocalMachines } from "../../../src/machine/local.ts";
import type { EngineAddress } from "./fleet.ts";
import { get } from "./http.ts";
import { deadRuns, runName } from "./runs.ts";

export interface Engines {
  readonly nodes: readonly EngineAddress[];
  readonly reference: EngineAddress;
}

const PREFIX = "shoal-e2e-run-";
const REFERENCE = "ref";

/** The run's own folder. */
export async function runFolder(): Promise<string> {
  const folder = join(tmpdir(), await runName(PREFIX));
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** The machines of a run, also for the tests that switch them off. */
export function machinesIn(folder: string): LocalMachines {
  return new LocalMachines({
    storagePath: join(folder, "machines"),
    probe: async (url, signal) => {
      signal.throwIfAborted();
      return (await get<{ Version: string }>(url, "/version")).Version;
    },
  });
}

/** Three nodes of 1 CPU and 2 GB, storage=ssd on the first and disk on the others, and a fourth that no manager knows. */
export async function startEngines(folder: string): Promise<Engines> {
  const given = process.env.SHOAL_E2E_ENGINES?.split(",");
  if (given !== undefined) return borrowed(given);
  const machines = machinesIn(folder);
  // The registry of some tests stands in the machines' own network, which is always a piece of this one.
  const engineOpts = ["insecure-registry=10.99.0.0/16"];
  // The first makes the network that the others join.
  const first = await machines.create(["node-1"], { labels: ["storage=ssd"], engineOpts });
  const others = await machines.create(["node-2", "node-3"], { labels: ["storage=disk"], engineOpts });
  const [reference] = await machines.create([REFERENCE], { engineOpts });
  if (reference === undefined) throw new Error("no reference engine");
  const described = [...first, ...others, reference].map(({ name, ip, url, pid }) => ({
    name,
    host: url,
    address: ip,
    // /var/run is a link from the root: through /proc it would lead out of the machine.
    socket: `unix:///proc/${pid}/root/run/docker.sock`,
  }));
  return { nodes: described.slice(0, 3), reference: described[3] ?? described[0] ?? fail() };
}

function fail(): never {
  throw new Error("no engines");
}

/** `address,address,…`: the last is the reference. */
function borrowed(addresses: readonly string[]): Engines {
  const engines = addresses.map((address, index) => ({
    name: `node-${index + 1}`,
    host: `tcp://${address}:2375`,
    address,
    socket: `tcp://${address}:2375`,
  }));
  return { nodes: engines.slice(0, -1), reference: engines.at(-1) ?? fail() };
}

/** Removes the machines and files of one run. */
export async function removeRun(folder: string): Promise<void> {
  if (existsSync(join(folder, "machines"))) await machinesIn(folder).removeAll();
  rmSync(folder, { recursive: true, force: true });
}

/** Takes away what runs left whose process is no more: managers, machines, files. Answers what resists, and why. */
export async function removeDeadRuns(): Promise<string[]> {
  const resisting: string[] = [];
  for (const folder of await deadRuns(tmpdir(), PREFIX)) {
    console.log(`removing what an earlier run left in ${folder}`);
    try {
      endProcessesOf(folder);
      await removeRun(folder);
    } catch (error) {
      resisting.push(`${folder}: ${String(error)}`);
    }
  }
  return resisting;
}

/** Ends the workers, managers and helpers of a run that was killed: the folder's work stands in how they were started. */
function endProcessesOf(folder: string): void {
  const work = join(folder, "work");
  for (const pid of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    try {
      const started = ["cmdline", "environ"].map((file) => readFileSync(`/proc/${pid}/${file}`, "utf8"));
      if (started.some((text) => text.includes(work))) process.kill(Number(pid), "SIGKILL");
    } catch {
      // It has ended meanwhile.
    }
  }
}
