/**
 * One local machine's life: power on and off, what is left of a life that ended badly, its engine alone, commands inside.
 * Owns its run record, namespaces, network port and cgroups; must not know the other machines. The caller holds its lock.
 */
import { rm, writeFile } from "node:fs/promises";
import type { Clock } from "../kit/clock.ts";
import { DeadlineError, withDeadline } from "../kit/deadline.ts";
import { MACHINE_BOOT_MS, MACHINE_POLL_MS, MACHINE_PROBE_MS, MACHINE_STOP_MS } from "../kit/limits.ts";
import { type Booted, boot, bootScript, HOLD_FILE, logTail } from "./boot.ts";
import { removeCgroups, thawCgroups } from "./cgroup.ts";
import { failed } from "./errors.ts";
import type { ClusterNetwork } from "./network.ts";
import { alive, childNamed, signal, withArgument } from "./processes.ts";
import type { MachineRecord, Records, RunRecord } from "./records.ts";

/** Asks the engine at an address such as `tcp://10.99.0.2:2375` for its version; rejects when there is no answer. */
export type EngineProbe = (url: string, signal: AbortSignal) => Promise<string>;

export interface MachineSurroundings {
  readonly clock: Clock;
  readonly records: Records;
  readonly network: ClusterNetwork;
  readonly probe: EngineProbe;
  /** The cluster's eight hexadecimal digits. */
  readonly clusterId: string;
}

export const urlOf = (record: MachineRecord): string => `tcp://${record.address}:2375`;

/** The cgroup that holds all machines of a cluster. */
export const clusterCgroup = (clusterId: string): string => `/shoal-${clusterId}`;

export class Machine {
  readonly record: MachineRecord;
  readonly #in: MachineSurroundings;

  constructor(record: MachineRecord, surroundings: MachineSurroundings) {
    this.record = record;
    this.#in = surroundings;
  }

  get #directory(): string {
    return this.#in.records.directory(this.record.name);
  }

  get #cgroup(): string {
    return `${clusterCgroup(this.#in.clusterId)}/${this.record.name}`;
  }

  /** The processes, if they run. */
  async running(): Promise<RunRecord | null> {
    const run = await this.#in.records.readRun(this.record.name);
    return run && (await alive(run.init)) ? run : null;
  }

  /** The engine's process as the host sees it; null when it does not run. */
  async enginePid(): Promise<number | null> {
    const run = await this.running();
    return run ? childNamed(run.init.pid, "dockerd") : null;
  }

  /** The engine's version once it answers. Rejects when it does not within MACHINE_PROBE_MS. */
  version(): Promise<string> {
    const { clock, probe } = this.#in;
    return withDeadline(clock, MACHINE_PROBE_MS, this.record.name, (signal) => probe(urlOf(this.record), signal));
  }

  /** Powers it on; resolves with the engine's version when its API answers. The network must be there. */
  async start(): Promise<string> {
    await this.clean();
    const { records, network } = this.#in;
    const booted = await boot(this.record, this.#directory, this.#cgroup);
    try {
      await network.plug(this.record.host, this.record.mac, booted.init.pid);
      await records.writeRun(this.record.name, { outer: booted.outer, init: booted.init });
      booted.go();
      return await this.#ready(booted);
    } catch (error) {
      await this.#powerOff(booted);
      throw error;
    }
  }

  async #ready(run: Pick<Booted, "init">): Promise<string> {
    const over = new AbortController();
    const watch = this.#abortAtEnd(run, over);
    try {
      return await this.#answer(run, over.signal);
    } finally {
      over.abort();
      await watch;
    }
  }

  async #answer(run: Pick<Booted, "init">, over: AbortSignal): Promise<string> {
    const { clock, probe } = this.#in;
    const { name } = this.record;
    const until = clock.monotonic() + MACHINE_BOOT_MS;
    for (;;) {
      const ask = (signal: AbortSignal): Promise<string> => probe(urlOf(this.record), signal);
      const version = await withDeadline(clock, MACHINE_PROBE_MS, name, ask, over).catch(() => null);
      if (version !== null) return version;
      const late = clock.monotonic() > until;
      if (late || !(await alive(run.init))) {
        const how = late ? `did not answer within ${MACHINE_BOOT_MS / 1000} s` : "ended while starting";
        throw failed(`the engine of ${name} ${how}; the end of its log:\n${await logTail(this.#directory)}`);
      }
      await clock.sleep(MACHINE_POLL_MS);
    }
  }

  /** So that nobody waits for an answer of an engine that has ended: its address is silent, not refusing. */
  async #abortAtEnd(run: Pick<Booted, "init">, over: AbortController): Promise<void> {
    while (!over.signal.aborted) {
      if (await alive(run.init)) await this.#in.clock.sleep(MACHINE_POLL_MS);
      else over.abort();
    }
  }

  /** Shuts the engine and its containers down politely, at last by force. */
  async stop(): Promise<void> {
    const run = await this.running();
    const engine = await this.enginePid();
    if (run && engine !== null) {
      signal(engine, "SIGTERM");
      await this.#gone(run, MACHINE_STOP_MS).catch(() => undefined);
    }
    await this.clean();
  }

  /** As a host that loses power: nobody it talks to hears a word of it. */
  async kill(): Promise<void> {
    const run = await this.running();
    if (run) await this.#in.network.setLink(this.record.host, false).catch(() => undefined);
    await this.clean();
  }

  /** Ends whatever still runs of it and removes what a life leaves: port, cgroups, run record. */
  async clean(): Promise<void> {
    const run = await this.#in.records.readRun(this.record.name);
    if (run) await this.#powerOff(run);
    await this.#endOrphans();
    await this.#in.network.unplug(this.record.host);
    await removeCgroups(this.#in.clock, this.#cgroup);
    await this.#in.records.removeRun(this.record.name);
  }

  /** Processes of a life whose record was lost. */
  async #endOrphans(): Promise<void> {
    const orphans = await withArgument(bootScript(this.#directory));
    for (const { pid } of orphans) signal(pid, "SIGKILL");
    for (const orphan of orphans) await this.#killed({ outer: orphan, init: orphan });
  }

  async #powerOff(run: RunRecord): Promise<void> {
    if (await alive(run.init)) signal(run.init.pid, "SIGKILL");
    await this.#killed(run);
  }

  /** Waits for the end of what was killed, which paused containers would put off for ever. */
  #killed(run: RunRecord): Promise<void> {
    return this.#gone(run, MACHINE_STOP_MS, () => thawCgroups(this.#cgroup));
  }

  /** Waits until both processes are gone; when they are, so is everything that ran inside. */
  async #gone(run: RunRecord, ms: number, meanwhile?: () => Promise<void>): Promise<void> {
    const { clock } = this.#in;
    const until = clock.monotonic() + ms;
    while ((await alive(run.init)) || (await alive(run.outer))) {
      await meanwhile?.();
      if (clock.monotonic() > until) throw new DeadlineError(`the end of machine ${this.record.name}`, ms);
      await clock.sleep(MACHINE_POLL_MS / 2);
    }
  }

  /** Ends the engine alone (SIGKILL: as a crash) and keeps it down; its host lives on, and so do its containers. */
  async stopEngine(how: "SIGTERM" | "SIGKILL"): Promise<void> {
    const run = await this.running();
    if (!run) throw failed(`machine ${this.record.name} is not running`);
    await writeFile(`/proc/${run.init.pid}/root${HOLD_FILE}`, "");
    const { clock } = this.#in;
    const until = clock.monotonic() + MACHINE_STOP_MS;
    for (let sent = false; ; sent = true) {
      const engine = await this.enginePid();
      if (engine === null) return;
      if (!sent) signal(engine, how);
      if (clock.monotonic() > until)
        throw new DeadlineError(`the end of the engine of ${this.record.name}`, MACHINE_STOP_MS);
      await clock.sleep(MACHINE_POLL_MS);
    }
  }

  /** Undoes `stopEngine`; resolves with the engine's version when it answers. */
  async startEngine(): Promise<string> {
    const run = await this.running();
    if (!run) throw failed(`machine ${this.record.name} is not running`);
    await rm(`/proc/${run.init.pid}/root${HOLD_FILE}`, { force: true });
    return this.#ready(run);
  }

  /** The command line that runs `argv` in the machine's namespaces. Rejects with MachineError when it is not running. */
  async enter(argv: readonly string[]): Promise<string[]> {
    const run = await this.running();
    if (!run)
      throw failed(`machine ${this.record.name} is not running; start it: shoal machine start ${this.record.name}`);
    const { pid } = run.init;
    return [
      "nsenter",
      "--target",
      String(pid),
      "--mount",
      "--uts",
      "--ipc",
      "--net",
      "--pid",
      "--wdns=/",
      "--",
      ...argv,
    ];
  }
}
