/** The manager process: discovery, cluster, API and listeners put together, run until told to stop. */
import { createHash } from "node:crypto";
import { setMaxListeners } from "node:events";
import { readFileSync } from "node:fs";
import { arch, hostname, release } from "node:os";
import { type Api, commonHeaders } from "../api/api.ts";
import type { Audit } from "../api/audit.ts";
import { createAccess } from "../api/listener/access.ts";
import { parseHost } from "../api/listener/host.ts";
import { type Listeners, openListeners } from "../api/listener/listen.ts";
import { Cluster, type ClusterOptions } from "../cluster/cluster.ts";
import type { HostFacts } from "../cluster/info.ts";
import { openDiscovery } from "../discovery/open.ts";
import { Engine } from "../engine/engine.ts";
import { openWire } from "../engine/wire/http-wire.ts";
import { resolveHost } from "../engine/wire/resolve.ts";
import type { EngineWire } from "../engine/wire/wire.ts";
import { buildInfo } from "../kit/build.ts";
import { systemClock } from "../kit/clock.ts";
import { Limit } from "../kit/limit.ts";
import { ENGINES_AT_ONCE, ENGINES_WAITING, SHUTDOWN_MS } from "../kit/limits.ts";
import type { Logger } from "../kit/log.ts";
import { systemRandom } from "../kit/random.ts";
import { HANDOVER_MS, LEADER_SETTLE_MS } from "../kit/replica-limits.ts";
import { filtersByName } from "../scheduler/filters/index.ts";
import { strategyByName } from "../scheduler/strategies/index.ts";
import type { Lease } from "../store/lease.ts";
import { openStore } from "../store/open.ts";
import type { Store } from "../store/store.ts";
import { Face } from "./face.ts";
import { openAuditLog, watchOf } from "./open-audit.ts";
import type { ManageOptions } from "./options.ts";
import { aloneAt, keepRegistered, type Self } from "./register.ts";
import { fencedWire, NO_LEASE } from "./replica/fenced-wire.ts";
import { replicate, type Succession } from "./replica/replicate.ts";
import { underLease } from "./replica/under-lease.ts";
import { disconnect, serveCluster } from "./serve-cluster.ts";
import { warningsOf } from "./warnings.ts";

/**
 * Resolves after a graceful stop, begun by `signal`. Rejects when it cannot start (port in use, bad flags, insecure).
 * @param onHangup takes who is to be called when files were rotated
 */
export async function runManager(
  options: ManageOptions,
  log: Logger,
  signal: AbortSignal,
  onHangup: (listener: () => void) => void,
): Promise<void> {
  const hosts = options.hosts.map(parseHost);
  const warnings = warningsOf(options, hosts);
  for (const warning of warnings) log.warn(warning);
  const auditLog =
    options.auditLog === undefined ? undefined : await openAuditLog(options.auditLog, systemClock, log, onHangup);
  const discovery = await openDiscovery(options.discovery, {
    clock: systemClock,
    log,
    heartbeatMs: options.heartbeatMs,
    options: options.discoveryOptions,
    hub: options.hub,
  });
  const store = await openStore(options.store, {
    clock: systemClock,
    random: systemRandom,
    log,
    options: options.storeOptions,
  });
  const stopping = new AbortController();
  const over = new AbortController();
  // One listener for each open stream: as many as there are clients.
  setMaxListeners(0, stopping.signal, signal);
  let listeners: Listeners | undefined;
  const host = hostFacts(options, warnings, () => listeners?.connections() ?? 0);
  const face = new Face(commonHeaders(host));
  const access = createAccess({ hosts, allow: options.allowHosts, cors: options.cors });
  /** Before what clients still wait for loses its engines. */
  const closeListeners = async (): Promise<void> => {
    systemClock.after(SHUTDOWN_MS, () => stopping.abort(), { background: true });
    await listeners?.close(SHUTDOWN_MS);
  };
  const toEngine = (address: string): EngineWire => openWire(address, options.tls);
  let serving: Cluster | undefined;
  const serve = async (
    cluster: Cluster,
    answerBy: (api: Api | undefined) => void,
    until: AbortSignal,
    { ready, heir }: Succession,
    graceMs: () => number,
  ): Promise<void> => {
    serving = cluster;
    await serveCluster({ cluster, discovery, host, log, answerBy }, until, {
      audit: auditLog?.audit,
      stopping: stopping.signal,
      settleMs: options.replication === undefined ? 0 : LEADER_SETTLE_MS,
      ready,
      heir,
      ending: (quiet) => (signal.aborted ? closeListeners() : face.rest(quiet, systemClock, graceMs())),
    }).finally(() => {
      serving = undefined;
    });
  };
  const lead = (over: Store, lease: Lease, until: AbortSignal, succession: Succession): Promise<void> => {
    const toFenced = (address: string): EngineWire => fencedWire(toEngine(address), lease);
    const isCurrent = (): boolean => lease.remaining > 0;
    const cluster = openCluster({ ...options, isCurrent }, over, toFenced, log, auditLog?.audit);
    const answerBy = (api: Api | undefined): void => face.answerBy(api && underLease(api, lease));
    const graceMs = (): number => Math.min(HANDOVER_MS, lease.remaining);
    return serve(cluster, answerBy, until, succession, graceMs);
  };
  const openFollower = (over: Store): Cluster => {
    const toRead = (address: string): EngineWire => fencedWire(toEngine(address), NO_LEASE);
    return openCluster({ ...options, follows: true }, over, toRead, log, undefined);
  };
  const register = (self: Self, until: AbortSignal): Promise<void> => {
    const parts = { self, registry: discovery.managers, clock: systemClock, log, cluster: () => serving };
    return keepRegistered(parts, AbortSignal.any([until, over.signal]));
  };
  const listen = async (): Promise<void> => {
    const service = { ...face.api, access, tls: options.tls, log, clock: systemClock, random: systemRandom };
    listeners = await openListeners(hosts, service);
    for (const address of listeners.addresses) log.info("listening", { address });
  };
  try {
    if (options.replication === undefined) {
      const cluster = openCluster(options, store, toEngine, log, auditLog?.audit);
      const answerBy = (api: Api | undefined): void => face.answerBy(api);
      const alone = serve(cluster, answerBy, signal, { ready: listen, heir: disconnect }, () => 0);
      await Promise.all([alone, register(aloneAt(options, log), signal)]);
    } else {
      await listen();
      const own = { clock: systemClock, random: systemRandom, openWire: toEngine };
      const parts = { ...options.replication, ...own, store, host, log, face, lead, register, discovery, openFollower };
      await replicate(parts, stopping.signal, signal);
    }
    log.info("stopping");
  } finally {
    over.abort();
    await closeListeners();
    await store.close();
    await discovery.close();
    await auditLog?.close();
  }
}

function openCluster(
  options: ManageOptions & Pick<ClusterOptions, "follows" | "isCurrent">,
  store: Store,
  wireTo: (address: string) => EngineWire,
  log: Logger,
  audit: Audit | undefined,
): Cluster {
  const reading = new Limit(ENGINES_AT_ONCE, ENGINES_WAITING);
  const cluster: Cluster = new Cluster({
    strategy: strategyByName(options.strategy),
    filters: filtersByName(options.filters ?? []),
    overcommit: options.overcommit,
    cpuShares: options.cpuShares,
    pullTo: options.pullTo,
    groups: options.groups,
    nodeNames: options.nodeNames,
    foreign: options.foreign,
    bindMounts: options.bindMounts,
    cacheVolumes: options.cacheVolumes,
    reschedule: options.reschedule,
    mintIds: options.mintIds,
    resolveHost,
    store,
    follows: options.follows === true,
    ...(options.isCurrent && { isCurrent: options.isCurrent }),
    clock: systemClock,
    random: systemRandom,
    log,
    openEngine: (address, observer) =>
      new Engine({
        wire: wireTo(address),
        clock: systemClock,
        random: systemRandom,
        log,
        observer,
        reading,
        watch: watchOf(audit, () => cluster, address),
      }),
  });
  return cluster;
}

function hostFacts(options: ManageOptions, warnings: readonly string[], openStreams: () => number): HostFacts {
  const name = hostname();
  const groups = createHash("sha256").update(`shoal manager ${name}`).digest("hex").toUpperCase();
  return {
    id: `${groups.slice(0, 4)}:${groups.slice(4, 8)}:${groups.slice(8, 12)}`,
    hostName: name,
    version: buildInfo().version,
    apiVersion: options.apiVersion,
    kernel: release(),
    operatingSystem: operatingSystem(),
    architecture: arch() === "x64" ? "x86_64" : arch() === "arm64" ? "aarch64" : arch(),
    goArchitecture: arch() === "x64" ? "amd64" : arch(),
    runtime: `node ${process.version}`,
    warnings,
    debug: options.logLevel === "debug",
    experimental: options.experimental,
    openStreams,
  };
}

function operatingSystem(): string {
  try {
    const release = readFileSync("/etc/os-release", "utf8");
    return /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(release)?.[1] ?? "Linux";
  } catch {
    return "Linux";
  }
}
