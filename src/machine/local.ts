/**
 * Machines of this host: real Docker Engines, each with a host of its own made of namespaces. Owns the set of one storage
 * path (a cluster: subnet, network, records) and the locks over it; what a single machine does is in machine.ts.
 */
import { createHash } from "node:crypto";
import { mkdir, readdir, rm, rmdir } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { type Clock, systemClock } from "../kit/clock.ts";
import { removeEmptyCgroup } from "./cgroup.ts";
import { attempt, type CommandResult, cleanEnv } from "./command.ts";
import { failed, MachineError, noSuchMachine } from "./errors.ts";
import { hostWarnings, requireFit, requireRoot } from "./host.ts";
import { withDirectoryLock } from "./lock.ts";
import { clusterCgroup, type EngineProbe, Machine, urlOf } from "./machine.ts";
import { removeMountPoints } from "./mount-points.ts";
import { ClusterNetwork, takenOnHost } from "./network.ts";
import { type ClusterRecord, type MachineRecord, Records } from "./records.ts";
import {
  checkName,
  formatMemory,
  type MachineOptions,
  type MachineSpec,
  machineSpec,
  specDifferences,
} from "./spec.ts";
import { addressIn, chooseHosts, chooseSubnet, macOf } from "./subnet.ts";

export type { CommandResult } from "./command.ts";
export { MachineError, type MachineFault } from "./errors.ts";
export type { EngineProbe } from "./machine.ts";
export type { MachineOptions, MachineSpec } from "./spec.ts";

export const DEFAULT_STORAGE_PATH = "/var/lib/shoal/machines";

export interface LocalMachinesOptions {
  /** The cluster's state directory; absolute after resolving. Several clusters live side by side. */
  readonly storagePath?: string;
  readonly probe: EngineProbe;
  readonly clock?: Clock;
  /** Progress for people, one line at a time. */
  readonly report?: (name: string, line: string) => void;
}

export type MachineState = "Running" | "Stopped";

export interface MachineInfo {
  readonly name: string;
  readonly driver: "local";
  readonly state: MachineState;
  /** The machine's IPv4 address; it keeps it for life. */
  readonly ip: string;
  /** `tcp://IP:2375`. */
  readonly url: string;
  readonly spec: MachineSpec;
  /** Milliseconds since the Unix epoch. */
  readonly created: number;
  readonly directory: string;
  /** The host's own address in the machine's network. */
  readonly gateway: string;
  /** First process of its PID namespace, as the host sees it; null when stopped. */
  readonly pid: number | null;
}

/** A machine and what its engine answers. */
export interface MachineListing extends MachineInfo {
  /** The engine's version; null when it does not answer. */
  readonly docker: string | null;
  /** Why there is no answer of a machine that runs; null otherwise. */
  readonly error: string | null;
}

export class LocalMachines {
  readonly storagePath: string;
  readonly #records: Records;
  readonly #clock: Clock;
  readonly #probe: EngineProbe;
  readonly #report: (name: string, line: string) => void;

  constructor(options: LocalMachinesOptions) {
    this.storagePath = resolve(options.storagePath ?? DEFAULT_STORAGE_PATH);
    this.#records = new Records(this.storagePath);
    this.#clock = options.clock ?? systemClock;
    this.#probe = options.probe;
    this.#report = options.report ?? (() => undefined);
  }

  /**
   * Makes machines and starts them, in parallel. One that exists with the same settings is started if need be; with others
   * it is refused. What fails is removed again; rejects with an AggregateError of MachineErrors when several fail.
   */
  async create(names: readonly string[], options: MachineOptions = {}): Promise<MachineInfo[]> {
    const wanted = [...new Set(names)];
    wanted.forEach(checkName);
    const spec = machineSpec({ ...options, ...(options.engineDir ? { engineDir: resolve(options.engineDir) } : {}) });
    await requireFit(spec, this.storagePath);
    const warnings = await hostWarnings(spec);
    const existed = new Set((await this.#records.machines()).map((record) => record.name));
    for (const name of wanted)
      if (!existed.has(name)) for (const line of warnings) this.#report(name, `Warning: ${line}`);
    const records = await this.#allocate(wanted, spec);
    return all(
      records.map(async (record) => {
        const isNew = !existed.has(record.name);
        try {
          return await this.#locked(record.name, (machine) => this.#startLocked(machine, isNew));
        } catch (error) {
          if (isNew) await this.remove(record.name).catch(() => undefined);
          throw error;
        }
      }),
    );
  }

  /** Gives each new machine its address and record. Machines of these names that exist must have the same settings. */
  async #allocate(names: readonly string[], spec: MachineSpec): Promise<MachineRecord[]> {
    return this.#clusterLocked(async () => {
      const cluster = (await this.#records.readCluster()) ?? (await this.#foundCluster());
      const machines = await this.#records.machines();
      for (const { name, spec: have } of machines.filter((machine) => names.includes(machine.name))) {
        const differences = specDifferences(have, spec);
        if (differences.length > 0)
          throw failed(`machine "${name}" exists with other settings (${differences.join("; ")}): remove it first`);
      }
      const fresh = names.filter((name) => !machines.some((machine) => machine.name === name));
      const hosts = chooseHosts(
        machines.map((machine) => machine.host),
        fresh.length,
      );
      const made: MachineRecord[] = [];
      for (const [at, name] of fresh.entries()) {
        const host = hosts[at] ?? 0;
        const address = addressIn(cluster.subnet, host);
        const base = { version: 1, name, host, address, mac: macOf(address) } as const;
        const record: MachineRecord = { ...base, created: this.#clock.now(), spec };
        await this.#clearDirectory(cluster, record);
        await this.#records.writeMachine(record);
        made.push(record);
      }
      return names.flatMap((name) => [...machines, ...made].filter((machine) => machine.name === name));
    });
  }

  get #clusterId(): string {
    return createHash("sha256").update(this.storagePath).digest("hex").slice(0, 8);
  }

  async #foundCluster(): Promise<ClusterRecord> {
    const id = this.#clusterId;
    const start = this.storagePath === DEFAULT_STORAGE_PATH ? 0 : Number.parseInt(id.slice(0, 2), 16);
    // Two clusters must not choose the same subnet at once: the choice holds from the moment its network is there.
    return withDirectoryLock("/run", async () => {
      const cluster: ClusterRecord = { version: 1, id, subnet: chooseSubnet(await takenOnHost(), start) };
      const network = new ClusterNetwork(this.#records.networkFile, cluster);
      await network.ensure();
      await this.#records.writeCluster(cluster);
      return cluster;
    });
  }

  /** Leftovers of a machine without a record are ended and removed. */
  async #clearDirectory(cluster: ClusterRecord, record: MachineRecord): Promise<void> {
    await this.#machine(cluster, record).clean();
    await removeDirectory(this.#records.directory(record.name));
    await mkdir(this.#records.directory(record.name), { recursive: true, mode: 0o711 });
  }

  async #startLocked(machine: Machine, isNew = false): Promise<MachineInfo> {
    const { name } = machine.record;
    if (await machine.running()) {
      this.#report(name, "Machine exists with these settings and is running");
      return this.#info(machine);
    }
    await this.#clusterLocked(() => this.#network(this.#clusterOf(machine)).ensure());
    const { spec, address } = machine.record;
    this.#report(
      name,
      `${isNew ? "Creating" : "Starting"} machine: ${spec.cpus} CPU, ${formatMemory(spec.memory)}, ${address}...`,
    );
    const version = await machine.start();
    this.#report(name, `Docker is up and running! (${version})`);
    return this.#info(machine);
  }

  /** All machines by address, with what their engines answer. */
  async list(): Promise<MachineListing[]> {
    const cluster = await this.#records.readCluster();
    if (!cluster) return [];
    const records = await this.#records.machines();
    return Promise.all(
      records.map(async (record) => {
        const machine = this.#machine(cluster, record);
        const info = await this.#info(machine);
        if (info.state !== "Running") return { ...info, docker: null, error: null };
        return machine.version().then(
          (docker) => ({ ...info, docker, error: null }),
          (error: Error) => ({ ...info, docker: null, error: error.message }),
        );
      }),
    );
  }

  /** Rejects with MachineError when there is no such machine. */
  async inspect(name: string): Promise<MachineInfo> {
    return this.#info(await this.#find(name));
  }

  /** A running one is left alone. Resolves when the engine answers. */
  async start(name: string): Promise<MachineInfo> {
    requireRoot();
    const { spec } = (await this.#find(name)).record;
    await requireFit(spec, this.storagePath);
    return this.#locked(name, (machine) => this.#startLocked(machine));
  }

  /** Shuts down politely. A stopped one is left alone. */
  async stop(name: string): Promise<void> {
    requireRoot();
    await this.#locked(name, (machine) => machine.stop());
  }

  /** Powers off as a dead host does. */
  async kill(name: string): Promise<void> {
    requireRoot();
    await this.#locked(name, (machine) => machine.kill());
  }

  async restart(name: string): Promise<MachineInfo> {
    await this.stop(name);
    return this.start(name);
  }

  /** Removes the machine with all its data; with the last one goes the cluster. */
  async remove(name: string): Promise<void> {
    requireRoot();
    await this.#locked(name, async (machine) => {
      await machine.kill();
      await removeDirectory(this.#records.directory(name));
    });
    await this.#removeClusterIfEmpty();
  }

  /** Removes all machines and the cluster, also one whose making or removal was cut short. */
  async removeAll(): Promise<void> {
    requireRoot();
    for (const { name } of await this.#records.machines()) await this.remove(name);
    await this.#removeClusterIfEmpty();
  }

  async #removeClusterIfEmpty(): Promise<void> {
    await this.#clusterLocked(async () => {
      if ((await this.#records.machines()).length > 0) return;
      // Without a record its network may be there all the same: the record is written last and removed last.
      const cluster = (await this.#records.readCluster()) ?? { version: 1, id: this.#clusterId, subnet: "" };
      await this.#network(cluster).remove();
      await removeEmptyCgroup(clusterCgroup(cluster.id));
      await removeMountPoints();
      await this.#records.removeCluster();
    });
  }

  /** Pulls the machine's network cable, or puts it back; the machine itself runs on. */
  async setLink(name: string, up: boolean): Promise<void> {
    requireRoot();
    const machine = await this.#find(name);
    await this.#network(this.#clusterOf(machine)).setLink(machine.record.host, up);
  }

  /** Ends the engine alone and keeps it down until `startEngine`; containers live on if the engine lets them. */
  async stopEngine(name: string, how: "SIGTERM" | "SIGKILL" = "SIGKILL"): Promise<void> {
    await this.#locked(name, (machine) => machine.stopEngine(how));
  }

  async startEngine(name: string): Promise<void> {
    await this.#locked(name, (machine) => machine.startEngine());
  }

  /** The engine's process as the host sees it; null when it does not run. */
  async enginePid(name: string): Promise<number | null> {
    return (await this.#find(name)).enginePid();
  }

  /** Runs a command inside, without a terminal. Rejects only when it cannot be run at all. */
  async exec(
    name: string,
    argv: readonly string[],
    options: { input?: string | Buffer; deadlineMs?: number } = {},
  ): Promise<CommandResult> {
    return attempt(await this.enter(name, argv), { ...options, env: await this.environment(name) });
  }

  /** The command line that runs `argv` inside, for callers that spawn it themselves (a terminal, pipes). */
  async enter(name: string, argv: readonly string[]): Promise<string[]> {
    requireRoot();
    return (await this.#find(name)).enter(argv);
  }

  /** The environment for `enter`'s command line: none of the caller's DOCKER_* or proxies. */
  async environment(name: string): Promise<Record<string, string>> {
    return cleanEnv({}, (await this.#find(name)).record.spec.engineDir);
  }

  readonly #clusters = new WeakMap<Machine, ClusterRecord>();

  #clusterOf(machine: Machine): ClusterRecord {
    const cluster = this.#clusters.get(machine);
    if (!cluster) throw new Error("shoal bug: a machine without a cluster");
    return cluster;
  }

  #network(cluster: ClusterRecord): ClusterNetwork {
    return new ClusterNetwork(this.#records.networkFile, cluster);
  }

  #machine(cluster: ClusterRecord, record: MachineRecord): Machine {
    const machine = new Machine(record, {
      clock: this.#clock,
      records: this.#records,
      network: this.#network(cluster),
      probe: this.#probe,
      clusterId: cluster.id,
    });
    this.#clusters.set(machine, cluster);
    return machine;
  }

  async #find(name: string): Promise<Machine> {
    checkName(name);
    const [cluster, record] = await Promise.all([this.#records.readCluster(), this.#records.readMachine(name)]);
    if (!cluster || !record) throw noSuchMachine(name);
    return this.#machine(cluster, record);
  }

  async #info(machine: Machine): Promise<MachineInfo> {
    const { name, address, spec, created } = machine.record;
    const run = await machine.running();
    return {
      name,
      driver: "local",
      state: run ? "Running" : "Stopped",
      ip: address,
      url: urlOf(machine.record),
      spec,
      created,
      directory: this.#records.directory(name),
      gateway: addressIn(this.#clusterOf(machine).subnet, 1),
      pid: run?.init.pid ?? null,
    };
  }

  /** Work on one machine that no other process works on meanwhile. */
  async #locked<T>(name: string, work: (machine: Machine) => Promise<T>): Promise<T> {
    await this.#find(name);
    const directory = this.#records.directory(name);
    return withDirectoryLock(directory, async () => {
      try {
        return await work(await this.#find(name));
      } finally {
        // Taking the lock may have made it again after another process removed the machine.
        await rmdir(directory).catch(() => undefined);
      }
    });
  }

  #clusterLocked<T>(work: () => Promise<T>): Promise<T> {
    return withDirectoryLock(this.storagePath, work);
  }
}

/** Removes a machine's directory; its record last, so that a removal that was cut short can be repeated. */
async function removeDirectory(directory: string): Promise<void> {
  const entries = await readdir(directory).catch(() => [] as string[]);
  const files = entries.filter((entry) => basename(entry) !== "config.json");
  await Promise.all(files.map((entry) => rm(`${directory}/${entry}`, { recursive: true, force: true, maxRetries: 3 })));
  await rm(directory, { recursive: true, force: true });
}

/** Waits for all; throws the one error, or all of them together. */
async function all<T>(work: readonly Promise<T>[]): Promise<T[]> {
  const results = await Promise.allSettled(work);
  const errors = results.filter((result) => result.status === "rejected").map((result) => result.reason as unknown);
  if (errors.length > 1) throw new AggregateError(errors, errors.map(messageOf).join("\n"));
  if (errors.length === 1) throw errors[0];
  return results.filter((result) => result.status === "fulfilled").map((result) => result.value);
}

const messageOf = (error: unknown): string =>
  error instanceof MachineError || error instanceof Error ? error.message : String(error);
