/**
 * Flags and environment of `shoal manage` → ManageOptions, refusing what classic Swarm refuses, in its words and order.
 * Reads PEM files through `tls.ts`; must not start anything.
 */

import { API_VERSION, compareVersions, isVersion, MIN_API_VERSION } from "../../docker/version.ts";
import { LOG_LEVELS, type LogLevel } from "../../kit/log.ts";
import type { ManageOptions } from "../../manager/options.ts";
import { GROUP_POLICIES } from "../../scheduler/group.ts";
import { compileMatcher, type Matcher } from "../../scheduler/matcher.ts";
import { checkAdvertised, duration, heartbeat } from "../checks.ts";
import { discoveryOptionsOf } from "../discovery-opt.ts";
import { CliError, messageOf } from "../fail.ts";
import { hubAccess } from "../hub-access.ts";
import type { Env } from "../io.ts";
import { storeOptionsOf } from "../store-opt.ts";
import type { ManageFlags } from "./flags.ts";
import { defaultHosts, listenAddress } from "./hosts.ts";
import { defaultStore } from "./store.ts";
import { readTls } from "./tls.ts";

const FILTERS = [
  ...["health", "port", "containerslots", "dependency", "affinity", "constraint", "whitelist"],
  ...["resource", "volume", "image", "group"],
];
const STRATEGIES: Readonly<Record<string, string>> = {
  spread: "spread",
  binpack: "binpack",
  binpacking: "binpack",
  random: "random",
};
const DEFAULT_OVERCOMMIT = 0.05;

export interface Validated {
  readonly options: ManageOptions;
  /** Things to say in the log once: warnings, and flags whose work comes later. */
  readonly notes: readonly string[];
}

/** Throws CliError with classic Swarm's refusal where it has one. */
export function validateManage(
  flags: ManageFlags,
  argument: string | undefined,
  env: Env,
  uid = process.getuid?.(),
): Validated {
  const notes: string[] = [];
  const tls = readTls(flags);
  const engines = engineValues(flags);
  const discovery = argument ?? env.SWARM_DISCOVERY;
  if (!discovery) throw new CliError("discovery required to manage a cluster. See 'shoal manage --help'.");
  const heartbeatMs = heartbeat(flags.heartbeat);
  const discoveryOptions = discoveryOptionsOf(flags.discoveryOpt);
  const strategy = flags.strategy === undefined ? undefined : lookStrategy(flags.strategy);
  const filters = flags.filter;
  if (filters?.some((name) => !FILTERS.includes(name))) throw new CliError("filter not supported");
  if (flags.clusterDriver !== "swarm") throw new CliError(`unsupported cluster "${flags.clusterDriver}"`);
  const overcommit = clusterOptions(flags, notes);
  const hosts = flags.host ?? env.SWARM_HOST?.split(",").map((host) => host.trim());
  refreshFlags(flags, notes);
  const store = flags.store ?? (env.SHOAL_STORE || sharedStore(flags, discovery) || defaultStore(env, uid));
  return {
    options: {
      hosts: hosts?.map(listenAddress) ?? defaultHosts(env, uid),
      discovery,
      discoveryOptions,
      hub: hubAccess(flags.hub, env),
      strategy,
      filters,
      overcommit,
      cpuShares: oneOf("--cpu-shares", flags.cpuShares, ["cpus", "docker"] as const),
      groups: {
        labels: groupLabels(flags.groupLabel ?? []),
        policy: oneOf("--group-policy", flags.groupPolicy, GROUP_POLICIES),
      },
      pullTo: oneOf("--pull-to", flags.pullTo, ["one", "all"] as const),
      nodeNames: flags.nodeNames === true,
      foreign: foreign(flags, env),
      bindMounts:
        flags.bindMounts === undefined
          ? undefined
          : oneOf("--bind-mounts", flags.bindMounts, ["check", "engine"] as const),
      cacheVolumes: (flags.cacheVolumes ?? []).map(glob),
      reschedule: oneOf("--reschedule", flags.reschedule, ["auto", "on", "off"] as const),
      store,
      storeOptions: storeOptionsOf(flags.storeOpt, env),
      replication: replication(flags, store, env, notes),
      advertise:
        advertised(flags, discovery, env, notes) ?? hosts?.map(listenAddress).find(isElsewhere)?.slice(TCP.length),
      cors: flags.apiEnableCors === true,
      requireTls: flags.requireTls === true,
      allowHosts: flags.allowHost ?? [],
      apiVersion: apiVersion(flags.apiVersion),
      tls,
      heartbeatMs,
      ...engines,
      logLevel: logLevel(flags, env),
      auditLog: auditLog(flags.auditLog),
      experimental: flags.experimental === true,
      mintIds: env.SHOAL_TEST_MINT_IDS === "1",
    },
    notes,
  };
}

function auditLog(path: string | undefined): string | undefined {
  if (path === "") throw new CliError("invalid --audit-log: expected a file, or - for standard error");
  return path;
}

/** `--log-level` as it is; `--debug` or DEBUG otherwise. Throws CliError. */
export function logLevel(flags: Pick<ManageFlags, "debug" | "logLevel">, env: Env): LogLevel {
  if (flags.logLevel !== undefined) return oneOf("--log-level", flags.logLevel, LOG_LEVELS);
  return flags.debug || /^(1|t|true)$/i.test(env.DEBUG ?? "") ? "debug" : "info";
}

function oneOf<T extends string>(flag: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((one) => one === value);
  if (found === undefined) throw new CliError(`invalid ${flag} "${value}": use ${allowed.join(", ")}`);
  return found;
}

/** The name of a label alone; its values tell the groups apart. */
function groupLabels(labels: readonly string[]): readonly string[] {
  for (const label of labels) {
    if (!/^[^=\s]+$/.test(label)) throw new CliError(`invalid --group-label "${label}": expected the name of a label`);
  }
  return labels;
}

/** What is set to nothing is not given. */
function foreign(flags: ManageFlags, env: Env): ManageOptions["foreign"] {
  const value = flags.foreign ?? (env.SHOAL_FOREIGN || undefined);
  return value === undefined ? undefined : oneOf("--foreign", value, ["protect", "manage"] as const);
}

function glob(text: string): Matcher {
  if (text === "") throw new CliError("invalid --cache-volumes: expected names, * for any run of characters");
  try {
    return compileMatcher(text);
  } catch (error) {
    throw new CliError(`invalid --cache-volumes "${text}": ${messageOf(error)}`);
  }
}

function wholeNumber(flag: string, text: string): number {
  if (!/^[+-]?\d{1,9}$/.test(text)) throw new CliError(`invalid ${flag} "${text}": expected a whole number`);
  return Number(text);
}

type EngineValues = Pick<ManageOptions, "engineRefreshMinMs" | "engineRefreshMaxMs" | "engineFailureRetry">;

function engineValues(flags: ManageFlags): EngineValues {
  const engineRefreshMinMs = duration("--engine-refresh-min-interval", flags.engineRefreshMinInterval);
  const engineRefreshMaxMs = duration("--engine-refresh-max-interval", flags.engineRefreshMaxInterval);
  if (engineRefreshMinMs <= 0) throw new CliError("min refresh interval should be a positive number");
  if (engineRefreshMaxMs < engineRefreshMinMs) {
    throw new CliError("max refresh interval cannot be less than min refresh interval");
  }
  if (wholeNumber("--engine-refresh-retry", flags.engineRefreshRetry) !== 3) {
    throw new CliError("--engine-refresh-retry is deprecated. Use --engine-failure-retry");
  }
  const engineFailureRetry = wholeNumber("--engine-failure-retry", flags.engineFailureRetry);
  if (engineFailureRetry <= 0) throw new CliError("invalid failure retry count");
  return { engineRefreshMinMs, engineRefreshMaxMs, engineFailureRetry };
}

function lookStrategy(name: string): string {
  const strategy = Object.hasOwn(STRATEGIES, name) ? STRATEGIES[name] : undefined;
  if (strategy === undefined) throw new CliError("strategy not supported");
  return strategy;
}

function keyAndValue(flag: string, text: string): [string, string] {
  const equals = text.indexOf("=");
  if (equals <= 0) throw new CliError(`invalid ${flag} "${text}": it should be of the form key=value`);
  return [text.slice(0, equals), text.slice(equals + 1)];
}

/** The overcommit ratio; `--overcommit` wins over classic Swarm's spelling. */
function clusterOptions(flags: ManageFlags, notes: string[]): number {
  let overcommit = DEFAULT_OVERCOMMIT;
  for (const text of flags.clusterOpt ?? []) {
    const [key, value] = keyAndValue("--cluster-opt", text);
    if (key === "swarm.overcommit") overcommit = ratio("swarm.overcommit", value);
    else if (key === "swarm.createretry") {
      if (wholeNumber("swarm.createretry", value) < 0) {
        throw new CliError(`swarm.createretry can not be negative, ${value} is invalid`);
      }
      notes.push(
        "swarm.createretry is accepted; a create that fails for a node's own reason is always tried elsewhere",
      );
    } else notes.push(`unknown --cluster-opt ${key} is ignored`);
  }
  if (flags.overcommit !== undefined) overcommit = ratio("--overcommit", flags.overcommit);
  if (overcommit < 0) notes.push(`overcommit ${overcommit} is negative: nodes are given less than they have`);
  return overcommit;
}

function ratio(name: string, text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new CliError(`invalid ${name} "${text}": expected a number`);
  if (value <= -1) throw new CliError(`${name} should be larger than -1, ${text} is invalid`);
  return value;
}

/** Classic Swarm's managers share what they are discovered by. */
function sharedStore({ replication }: ManageFlags, discovery: string): string | undefined {
  if (!replication || !SHARED.test(discovery)) return undefined;
  return `${discovery.replace(/\/+$/, "")}/shoal`;
}

const SHARED = /^(consul|etcd|zk):\/\//;

function replication(flags: ManageFlags, store: string, env: Env, notes: string[]): ManageOptions["replication"] {
  const ttlMs = duration("--replication-ttl", flags.replicationTtl);
  const advertise = flags.advertise ?? env.SWARM_ADVERTISE;
  if (!flags.replication) {
    if (flags.master) notes.push("--master is for --replication: a manager without it leads anyway");
    return undefined;
  }
  if (!advertise) throw new CliError("--advertise address must be provided when using --leader-election");
  checkAdvertised(advertise);
  if (ttlMs <= 0) throw new CliError("--replication-ttl should be a positive number");
  if (ttlMs < 1_000) throw new CliError("--replication-ttl should be at least one second");
  if (!SHARED.test(store)) {
    throw new CliError(
      "Leader election is only supported with consul, etcd and zookeeper discovery, or with a --store there.",
    );
  }
  return { address: advertise, ttlMs, isMaster: flags.master === true };
}

/** Where others reach this manager: the other ones, and who looks at the hub. */
function advertised(flags: ManageFlags, discovery: string, env: Env, notes: string[]): string | undefined {
  const advertise = flags.advertise ?? (env.SWARM_ADVERTISE || undefined);
  if (advertise === undefined) return undefined;
  if (!flags.replication && flags.advertise !== undefined && !AT_HUB.test(discovery)) {
    notes.push("--advertise is for --replication, and for a hub: it says nothing without them");
  }
  checkAdvertised(advertise);
  return advertise;
}

const AT_HUB = /^(https?|token):\/\//;
const TCP = "tcp://";

/** Whether it is an address that other machines may know this one by. */
const isElsewhere = (host: string): boolean =>
  host.startsWith(TCP) && !/^tcp:\/\/(0\.0\.0\.0|127\.[\d.]+|localhost|\[[:0]*[01]?\]):|:0$/.test(host);

function refreshFlags(flags: ManageFlags, notes: string[]): void {
  const given = [
    flags.refreshOnNodeFilter ? "--refresh-on-node-filter" : undefined,
    flags.containerNameRefreshFilter ? "--container-name-refresh-filter" : undefined,
  ].filter((name) => name !== undefined);
  if (given.length > 0) notes.push(`${given.join(" and ")} needs no asking: lists always follow the engines' events`);
}

function apiVersion(text: string | undefined): string {
  if (text === undefined) return API_VERSION;
  const inRange =
    isVersion(text) && compareVersions(text, MIN_API_VERSION) >= 0 && compareVersions(text, API_VERSION) <= 0;
  if (!inRange) {
    throw new CliError(`invalid --api-version "${text}": expected one from ${MIN_API_VERSION} to ${API_VERSION}`);
  }
  return text;
}
