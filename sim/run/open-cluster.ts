/** The cluster of a simulated manager, over the ways to simulated engines. Owns how its parts are put together. */
import { Cluster, type ClusterOptions } from "../../src/cluster/cluster.ts";
import type { HostFacts } from "../../src/cluster/info.ts";
import { Engine } from "../../src/engine/engine.ts";
import type { EngineObserver } from "../../src/engine/observer.ts";
import type { EngineTiming } from "../../src/engine/timing.ts";
import type { EngineWire } from "../../src/engine/wire/wire.ts";
import type { Clock } from "../../src/kit/clock.ts";
import { Limit } from "../../src/kit/limit.ts";
import { ENGINES_AT_ONCE, ENGINES_WAITING } from "../../src/kit/limits.ts";
import type { LogFields, Logger } from "../../src/kit/log.ts";
import type { Random } from "../../src/kit/random.ts";
import { filtersByName } from "../../src/scheduler/filters/index.ts";
import { DEFAULT_GROUPS } from "../../src/scheduler/group.ts";
import { strategyByName } from "../../src/scheduler/strategies/index.ts";
import type { Store } from "../../src/store/store.ts";
import type { Host } from "./host.ts";
import type { Plan } from "./plan.ts";
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
  /** A leader's changes of the store are not conditional on its term. */
  readonly unfenced?: true;
  /** A leader sends engines changes without a look at its lease. */
  readonly unleased?: true;
  /** A leader answers clients without a look at its lease. */
  readonly outdated?: true;
  /** Agents stop nothing. */
  readonly idleAgents?: true;
  /** A manager that does not lead hears of no change that the leader made. */
  readonly untold?: true;
}

export interface ClusterParts {
  readonly plan: Plan;
  readonly hosts: readonly Host[];
  readonly weakness: Weakness;
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly wireTo: (host: Host) => EngineWire;
  /** Another manager leads. */
  readonly follows?: boolean;
  readonly isCurrent?: (() => boolean) | undefined;
}

export function openCluster(parts: ClusterParts): Cluster {
  const { plan, hosts, weakness, store, clock, random, log, wireTo, follows = false, isCurrent } = parts;
  const reading = new Limit(ENGINES_AT_ONCE, ENGINES_WAITING);
  const cluster = new Cluster({
    strategy: strategyByName(undefined),
    filters: filtersByName([]),
    overcommit: OVERCOMMIT,
    cpuShares: "cpus",
    pullTo: "one",
    groups: DEFAULT_GROUPS,
    nodeNames: false,
    mintIds: plan.mintIds,
    foreign: "protect",
    store: weakness.store?.(store) ?? store,
    follows,
    ...(isCurrent && { isCurrent }),
    clock,
    random,
    log,
    openEngine: (entry, told) => {
      const host = hosts.find((candidate) => candidate.entry === entry);
      if (!host) throw new Error(`no host at ${entry}`);
      const wire = wireTo(host);
      return new Engine({
        wire: weakness.wire?.(wire) ?? wire,
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
  weakness.cluster?.(cluster);
  return cluster;
}

/** @param onError takes shoal's own errors, never an engine's */
export function logOf(who: string, trace: Trace, onError: (message: string) => void, alive: () => boolean): Logger {
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

export const HOST: HostFacts = {
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
