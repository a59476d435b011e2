/**
 * One manager of a simulated world: the real cluster, engines' code and API above the wire, for one life. Owns how it is
 * put together; must not know clients, faults or checkers.
 */
import { type Api, createApi } from "../../src/api/api.ts";
import { Cluster } from "../../src/cluster/cluster.ts";
import type { HostFacts } from "../../src/cluster/info.ts";
import { setEntries } from "../../src/cluster/membership.ts";
import { Engine } from "../../src/engine/engine.ts";
import { Limit } from "../../src/kit/limit.ts";
import { ENGINES_AT_ONCE } from "../../src/kit/limits.ts";
import type { LogFields, Logger } from "../../src/kit/log.ts";
import { filtersByName } from "../../src/scheduler/filters/index.ts";
import { strategyByName } from "../../src/scheduler/strategies/index.ts";
import { type Disk, LifeStore } from "./disk.ts";
import type { Host } from "./host.ts";
import { Life } from "./life.ts";
import { Link } from "./link.ts";
import { type Plan, randomFor } from "./plan.ts";
import { MachineClock, type VirtualTime } from "./time.ts";
import type { Trace } from "./trace.ts";

/** Admits this much more than a node reports. */
export const OVERCOMMIT = 0.05;

export interface ManagerParts {
  readonly plan: Plan;
  readonly time: VirtualTime;
  readonly hosts: readonly Host[];
  readonly trace: Trace;
  readonly disk: Disk;
  /** Which life it is, from 0. */
  readonly number: number;
  /** An error was logged: shoal's own, never an engine's. */
  readonly onError: (message: string) => void;
}

export class Manager {
  readonly life = new Life();
  readonly clock: MachineClock;
  readonly cluster: Cluster;
  readonly number: number;
  /** Undefined until it answers clients. */
  api: Api | undefined;

  constructor(parts: ManagerParts) {
    const { plan, time, hosts, trace, number } = parts;
    this.number = number;
    this.clock = new MachineClock(time, 0, () => this.life.alive);
    const random = randomFor(plan.seed, `manager ${number}`);
    const log = logOf(trace, parts.onError, "manager", () => this.life.alive);
    const reading = new Limit(ENGINES_AT_ONCE);
    const { clock, life } = this;
    this.cluster = new Cluster({
      strategy: strategyByName(undefined),
      filters: filtersByName([]),
      overcommit: OVERCOMMIT,
      cpuShares: "cpus",
      pullTo: "one",
      nodeNames: false,
      mintIds: plan.mintIds,
      foreign: "protect",
      store: new LifeStore(parts.disk, life),
      clock,
      random,
      log,
      openEngine: (entry, observer) => {
        const host = hosts.find((candidate) => candidate.entry === entry);
        if (!host) throw new Error(`no host at ${entry}`);
        return new Engine({ wire: new Link({ time, host, life, trace }), clock, random, log, observer, reading });
      },
    });
  }

  start(entries: readonly string[]): Promise<void> {
    setEntries(this.cluster, entries);
    this.api = createApi(this.cluster, HOST, new AbortController().signal);
    return Promise.resolve();
  }
}

function logOf(trace: Trace, onError: (message: string) => void, who: string, alive: () => boolean): Logger {
  const text = (fields: LogFields | undefined): string => (fields ? ` ${JSON.stringify(fields)}` : "");
  const log: Logger = {
    debug() {},
    info: (message, fields) => alive() && trace.add(who, message + text(fields)),
    warn: (message, fields) => alive() && trace.add(who, message + text(fields)),
    error: (message, fields) => {
      if (!alive()) return;
      trace.add(who, `ERROR ${message}${text(fields)}`);
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
