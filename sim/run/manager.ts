/**
 * One manager of a simulated world, for one life: the real store, cluster, engines' code and API above the wire. Owns how
 * they are put together; must not know clients, faults or checkers.
 */
import { type Api, createApi } from "../../src/api/api.ts";
import { Cluster, type ClusterOptions } from "../../src/cluster/cluster.ts";
import type { HostFacts } from "../../src/cluster/info.ts";
import { setEntries } from "../../src/cluster/membership.ts";
import { restore } from "../../src/cluster/restore.ts";
import { Engine } from "../../src/engine/engine.ts";
import type { EngineObserver } from "../../src/engine/observer.ts";
import type { EngineTiming } from "../../src/engine/timing.ts";
import type { EngineWire } from "../../src/engine/wire/wire.ts";
import { Limit } from "../../src/kit/limit.ts";
import { ENGINES_AT_ONCE, ENGINES_WAITING } from "../../src/kit/limits.ts";
import type { LogFields, Logger } from "../../src/kit/log.ts";
import { filtersByName } from "../../src/scheduler/filters/index.ts";
import { DEFAULT_GROUPS } from "../../src/scheduler/group.ts";
import { strategyByName } from "../../src/scheduler/strategies/index.ts";
import { FileStore } from "../../src/store/drivers/file/file-store.ts";
import type { Store } from "../../src/store/store.ts";
import { type ManagerDisk, STORE_DIRECTORY } from "./disk.ts";
import type { Host } from "./host.ts";
import { Life } from "./life.ts";
import { Link } from "./link.ts";
import { type Plan, randomFor } from "./plan.ts";
import { MachineClock, type VirtualTime } from "./time.ts";
import type { Trace } from "./trace.ts";

/** Admits this much more than a node reports. */
export const OVERCOMMIT = 0.05;

/** Engines are compared often, so that many lists are under way while things change. */
const TIMING: Partial<EngineTiming> = { resyncEveryMs: 8_000 };

/** A manager with one protection switched off: what is put in the place of its parts. */
export interface Weakness {
  readonly store?: (store: Store) => Store;
  readonly wire?: (wire: EngineWire) => EngineWire;
  readonly observer?: (observer: EngineObserver) => EngineObserver;
  readonly timing?: Partial<EngineTiming>;
  readonly options?: Partial<ClusterOptions>;
  /** Changes the cluster before anything is read into it. */
  readonly cluster?: (cluster: Cluster) => void;
}

export interface ManagerParts {
  readonly plan: Plan;
  readonly time: VirtualTime;
  readonly hosts: readonly Host[];
  readonly trace: Trace;
  readonly disk: ManagerDisk;
  /** Which life it is, from 0. */
  readonly number: number;
  /** An error was logged: shoal's own, never an engine's. */
  readonly onError: (message: string) => void;
  readonly weakness: Weakness;
}

export class Manager {
  readonly life = new Life();
  readonly clock: MachineClock;
  readonly number: number;
  readonly #parts: ManagerParts;
  readonly #log: Logger;
  /** What answers, and what it stands on; undefined until it answers clients. */
  running: { readonly api: Api; readonly cluster: Cluster } | undefined;

  constructor(parts: ManagerParts) {
    this.#parts = parts;
    this.number = parts.number;
    this.clock = new MachineClock(parts.time, 0, () => this.life.alive);
    this.#log = logOf(parts.trace, parts.onError, () => this.life.alive);
  }

  /** As `shoal manage` does it: the store first, then what it tells, then the nodes, then clients. Never rejects. */
  async start(): Promise<void> {
    const { hosts, disk, weakness, trace } = this.#parts;
    const { clock, life } = this;
    try {
      const context = { clock, log: this.#log, disk: disk.forLife(life) };
      const store = await FileStore.open(STORE_DIRECTORY, context);
      const cluster = this.#makeCluster(weakness.store?.(store) ?? store);
      weakness.cluster?.(cluster);
      await restore(cluster);
      setEntries(
        cluster,
        hosts.map(({ entry }) => ({ address: entry })),
      );
      this.running = { cluster, api: createApi(cluster, HOST, new AbortController().signal) };
    } catch (error) {
      trace.add("manager", `cannot start: ${String(error)}`);
      life.end();
    }
  }

  #makeCluster(store: Store): Cluster {
    const { plan, hosts, number, weakness, time, trace } = this.#parts;
    const random = randomFor(plan.seed, `manager ${number}`);
    const reading = new Limit(ENGINES_AT_ONCE, ENGINES_WAITING);
    const { clock, life } = this;
    const log = this.#log;
    return new Cluster({
      strategy: strategyByName(undefined),
      filters: filtersByName([]),
      overcommit: OVERCOMMIT,
      cpuShares: "cpus",
      pullTo: "one",
      groups: DEFAULT_GROUPS,
      nodeNames: false,
      mintIds: plan.mintIds,
      foreign: "protect",
      store,
      clock,
      random,
      log,
      openEngine: (entry, told) => {
        const host = hosts.find((candidate) => candidate.entry === entry);
        if (!host) throw new Error(`no host at ${entry}`);
        const link = new Link({ time, host, life, trace });
        return new Engine({
          wire: weakness.wire?.(link) ?? link,
          observer: weakness.observer?.(told) ?? told,
          timing: { ...TIMING, ...weakness.timing },
          clock,
          random,
          log,
          reading,
        });
      },
      ...weakness.options,
    });
  }
}

function logOf(trace: Trace, onError: (message: string) => void, alive: () => boolean): Logger {
  const text = (fields: LogFields | undefined): string => (fields ? ` ${JSON.stringify(fields)}` : "");
  const log: Logger = {
    debug() {},
    info: (message, fields) => alive() && trace.add("manager", message + text(fields)),
    warn: (message, fields) => alive() && trace.add("manager", message + text(fields)),
    error: (message, fields) => {
      if (!alive()) return;
      trace.add("manager", `ERROR ${message}${text(fields)}`);
      onError(message + text(fields));
    },
    with: () => log,
  };
  return log;
}

const HOST: HostFacts = {
  id: "SIM",
  hostName: "manager",
  version: "0",
  kernel: "",
  apiVersion: "1.51",
  goArchitecture: "amd64",
  runtime: "",
  operatingSystem: "",
  architecture: "x86_64",
  warnings: [],
  debug: false,
  experimental: false,
  openStreams: () => 0,
};
