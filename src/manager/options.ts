/** What a manager is asked to be: the plain outcome of its flags and environment. Must not know where it came from. */

import type { HubAccess } from "../discovery/hub/address.ts";
import type { DiscoveryOptions } from "../discovery/options.ts";
import type { LogLevel } from "../kit/log.ts";
import type { GroupOptions } from "../scheduler/group.ts";
import type { Matcher } from "../scheduler/matcher.ts";
import type { StoreOptions } from "../store/drivers/remote/address.ts";

export interface ManagerTls {
  /** PEM. Required with `verify`. */
  readonly ca?: Buffer;
  readonly cert: Buffer;
  readonly key: Buffer;
  /** Clients must show a certificate of `ca`, and so must engines. */
  readonly verify: boolean;
}

export interface ManageOptions {
  /** `tcp://host:port` or `unix:///path`, at least one. */
  readonly hosts: readonly string[];
  /** As given, such as `nodes://a:2375,b:2375`. */
  readonly discovery: string;
  readonly discoveryOptions: DiscoveryOptions;
  readonly hub: HubAccess;
  /** `spread`, `binpack` or `random`; undefined when none was asked for. */
  readonly strategy: string | undefined;
  /** In the order given, replacing the whole list; undefined when none was asked for. */
  readonly filters: readonly string[] | undefined;
  /** Above -1: 0.05 lets nodes be filled to 105 %. */
  readonly overcommit: number;
  /** `cpus`: `-c N` with N ≤ 8 reserves N CPUs; `docker`: shares are Docker's weight and reserve nothing. */
  readonly cpuShares: "cpus" | "docker";
  readonly pullTo: "one" | "all";
  /** `--group-label` and `--group-policy`. */
  readonly groups: GroupOptions;
  /** List names as `node-1/redis`, as classic Swarm does. */
  readonly nodeNames: boolean;
  /** What was not made through shoal: left alone or managed; undefined: managed while there is but one node. */
  readonly foreign: "protect" | "manage" | undefined;
  /** Bind mounts of paths that a node does not have: refused or made there; undefined: made while there is but one node. */
  readonly bindMounts: "check" | "engine" | undefined;
  /** Names of volumes that are but caches. */
  readonly cacheVolumes: readonly Matcher[];
  /** What moves when its host is lost, and does not say itself. */
  readonly reschedule: "auto" | "on" | "off";
  /** One of several managers over one store; undefined: the only one. */
  readonly replication: { readonly address: string; readonly ttlMs: number; readonly isMaster: boolean } | undefined;
  /** Where others reach this manager, `host:port`, as far as that is known. */
  readonly advertise: string | undefined;
  /** `file:///directory`, `memory://`, or `etcd://`, `consul://`, `zk://` with servers and a path. */
  readonly store: string;
  /** Credentials and TLS of a store that other machines keep. */
  readonly storeOptions: StoreOptions;
  readonly cors: boolean;
  /** Refuse to listen beyond loopback without verified TLS. */
  readonly requireTls: boolean;
  /** Names that clients may send in the Host header, besides the usual ones. */
  readonly allowHosts: readonly string[];
  /** `1.51` or older. */
  readonly apiVersion: string;
  /** Towards clients and engines alike. */
  readonly tls: ManagerTls | undefined;
  /** Between two readings of a discovery that cannot be watched. */
  readonly heartbeatMs: number;
  readonly engineRefreshMinMs: number;
  readonly engineRefreshMaxMs: number;
  /** Failures in a row after which an engine is unhealthy. */
  readonly engineFailureRetry: number;
  readonly logLevel: LogLevel;
  /** A file, or `-` for standard error; undefined: no audit log. */
  readonly auditLog: string | undefined;
  /** Only shown in info and version. */
  readonly experimental: boolean;
  /** Test mode: every container gets a cluster ID unlike its engine's. */
  readonly mintIds: boolean;
}
