/** `GET /info`: the cluster as one engine, with classic Swarm's block of nodes that `docker info` prints. */
import type { ClusterSize } from "../discovery/discovery.ts";
import { bytesSize } from "../docker/units.ts";
import { serverVersion } from "../docker/version.ts";
import type { Cluster } from "./cluster.ts";
import { isForeign, managesForeign } from "./foreign.ts";
import { countImages } from "./list-images.ts";
import type { ClusterNode } from "./node.ts";

/** What the process around the cluster knows. */
export interface HostFacts {
  readonly id: string;
  readonly hostName: string;
  readonly version: string;
  readonly kernel: string;
  /** What clients are told to speak. */
  readonly apiVersion: string;
  /** Go's word for the architecture, as `docker version` shows it, and the runtime's version. */
  readonly goArchitecture: string;
  readonly runtime: string;
  readonly operatingSystem: string;
  readonly architecture: string;
  readonly warnings: readonly string[];
  readonly debug: boolean;
  readonly experimental: boolean;
  readonly openStreams: () => number;
}

export function clusterInfo(cluster: Cluster, host: HostFacts): Record<string, unknown> {
  const nodes = [...cluster.nodes.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  const counts = nodes.map(containerCounts);
  const sum = (pickNumber: (node: ClusterNode) => number): number =>
    nodes.reduce((total, node) => total + pickNumber(node), 0);
  const first = nodes.find((node) => node.reachable)?.facts;
  return {
    ID: host.id,
    Name: host.hostName,
    ServerVersion: serverVersion(host.version),
    Containers: counts.reduce((total, count) => total + count.all, cluster.limbo.count.all),
    ContainersRunning: counts.reduce((total, count) => total + count.running, 0),
    ContainersPaused: counts.reduce((total, count) => total + count.paused, 0),
    ContainersStopped: counts.reduce((total, count) => total + count.stopped, cluster.limbo.count.all),
    Images: countImages(cluster),
    Driver: "shoal",
    DriverStatus: null,
    SystemStatus: systemStatus(cluster, nodes),
    Plugins: { Volume: ["local"], Network: ["bridge", "host", "null"], Authorization: null, Log: logDrivers(nodes) },
    MemoryLimit: true,
    SwapLimit: true,
    CpuCfsPeriod: true,
    CpuCfsQuota: true,
    CPUShares: true,
    CPUSet: true,
    PidsLimit: true,
    IPv4Forwarding: true,
    OomKillDisable: false,
    Debug: host.debug,
    NFd: 0,
    NGoroutines: 0,
    NEventsListener: host.openStreams(),
    SystemTime: new Date(cluster.clock.now()).toISOString(),
    LoggingDriver: "json-file",
    CgroupDriver: first?.info.CgroupDriver ?? "",
    CgroupVersion: first?.info.CgroupVersion ?? "",
    KernelVersion: host.kernel,
    OperatingSystem: host.operatingSystem,
    OSVersion: "",
    OSType: "linux",
    Architecture: host.architecture,
    IndexServerAddress: "https://index.docker.io/v1/",
    RegistryConfig: first?.info.RegistryConfig ?? null,
    // Reported sizes, without overcommit: clients size their work by them.
    NCPU: sum((node) => (node.reachable ? (node.facts?.cpus ?? 0) : 0)),
    MemTotal: sum((node) => (node.reachable ? (node.facts?.memory ?? 0) : 0)),
    // cAdvisor asks five times, a second apart, while it is empty.
    DockerRootDir: first?.info.DockerRootDir ?? "",
    HttpProxy: "",
    HttpsProxy: "",
    NoProxy: "",
    Labels: [],
    ExperimentalBuild: host.experimental,
    Runtimes: first?.info.Runtimes ?? {},
    DefaultRuntime: first?.info.DefaultRuntime ?? "runc",
    // Compose takes anything but this word for swarm mode.
    Swarm: {
      NodeID: "",
      NodeAddr: "",
      LocalNodeState: "inactive",
      ControlAvailable: false,
      Error: "",
      RemoteManagers: null,
    },
    LiveRestoreEnabled: false,
    Isolation: "",
    InitBinary: "",
    SecurityOptions: first?.info.SecurityOptions ?? [],
    Warnings: [
      ...host.warnings,
      ...brakeWarning(cluster),
      ...rollWarning(cluster),
      ...nodes.flatMap((node) => fenceWarning(cluster, node)),
      ...nodes.filter((node) => !node.reachable).map((node) => `node ${node.name}: ${node.whyUnreachable}`),
      ...nodes.flatMap(({ name, replaced }) => (replaced ? [`node ${name}: ${replaced.warning}`] : [])),
    ],
  };
}

/** What a manager has under it, in a few numbers. */
export function clusterSize(cluster: Cluster): ClusterSize {
  const nodes = [...cluster.nodes.values()];
  const sum = (pick: (node: ClusterNode) => number): number => nodes.reduce((total, node) => total + pick(node), 0);
  return {
    nodes: nodes.length,
    healthy: nodes.filter(({ state }) => state === "healthy").length,
    containers: sum(({ count }) => count.all) + cluster.limbo.count.all,
    cpus: sum(({ facts }) => facts?.cpus ?? 0),
    reservedCpus: sum(({ id }) => cluster.ledger.sums(id).nanoCpus) / 1e9,
    memory: sum(({ facts }) => facts?.memory ?? 0),
    reservedMemory: sum(({ id }) => cluster.ledger.sums(id).memory),
  };
}

function brakeWarning({ rescheduler, nodes }: Cluster): string[] {
  const { size } = rescheduler.losses.doubted;
  if (size === 0) return [];
  return [
    `${size} of ${nodes.size} nodes vanished at once, so nothing is rescheduled: bring them back, or run shoal reschedule --resume if they are lost indeed`,
  ];
}

function rollWarning({ roll }: Cluster): string[] {
  if (roll.doubted === 0) return [];
  return [
    `discovery lost ${roll.doubted} nodes at once, and they are kept: mend discovery, or remove them with shoal node rm`,
  ];
}

const hasFence = ({ fences }: Cluster, node: ClusterNode): boolean =>
  fences.stateOf(node) !== "unfenced" || fences.isDead(node);

function fenceWarning({ fences }: Cluster, node: ClusterNode): string[] {
  if (!fences.isDead(node)) return [];
  return [`node ${node.name} is unfenced: its agent gives no sign, so what is moved from it may run twice`];
}

function logDrivers(nodes: readonly ClusterNode[]): string[] {
  const drivers = new Set<string>();
  for (const node of nodes) {
    const plugins = node.facts?.info.Plugins as { Log?: string[] | null } | undefined;
    for (const driver of plugins?.Log ?? []) drivers.add(driver);
  }
  return [...drivers].sort();
}

export function containerCounts(node: ClusterNode): { all: number; running: number; paused: number; stopped: number } {
  const { all, running, paused } = node.count;
  if (!node.reachable) return { all, running: 0, paused: 0, stopped: all };
  return { all, running, paused, stopped: all - running - paused };
}

type Pair = readonly [string, string];

/** Classic Swarm's pairs, to the letter: scripts and Portainer parse them. */
function systemStatus(cluster: Cluster, nodes: readonly ClusterNode[]): Pair[] {
  const { options } = cluster;
  const pairs: Pair[] = [
    ...roleOf(cluster),
    ["Strategy", options.strategy.name],
    ["Filters", options.filters.map(({ name }) => name).join(", ")],
    ["Nodes", String(nodes.length)],
  ];
  for (const node of nodes) pairs.push(...nodeStatus(cluster, node));
  pairs.push(...foreignStatus(cluster, nodes));
  return pairs;
}

/** One that follows is asked only while nobody leads: else its leader answers. */
function roleOf({ leads }: Cluster): Pair[] {
  return leads
    ? [["Role", "primary"]]
    : [
        ["Role", "replica"],
        ["Primary", "none"],
      ];
}

/** Ours, at the end, where readers of classic's block have all that they look for; nothing when there are none. */
function foreignStatus(cluster: Cluster, nodes: readonly ClusterNode[]): Pair[] {
  const counts = nodes.map((node) => ({ node, count: [...node.containers.values()].filter(isForeign).length }));
  const some = counts.filter(({ count }) => count > 0);
  if (some.length === 0) return [];
  const where = some.map(({ node, count }) => `${node.name}: ${count}`).join(", ");
  return [["Foreign Containers", `${where} (${managesForeign(cluster) ? "managed" : "protected"})`]];
}

const STATES = {
  pending: "Pending",
  healthy: "Healthy",
  unhealthy: "Unhealthy",
  disconnected: "Disconnected",
} as const;

/** As `docker info` and `shoal node ls` show it. */
export function stateWord(node: ClusterNode): string {
  if (node.blocked !== undefined) return "Pending";
  return node.cordoned && node.state === "healthy" ? "Maintenance" : STATES[node.state];
}

function nodeStatus(cluster: Cluster, node: ClusterNode): Pair[] {
  const { all, running, paused, stopped } = containerCounts(node);
  const sums = cluster.ledger.sums(node.id);
  const factor = 1 + cluster.options.overcommit;
  const { facts } = node;
  const labels = [...(facts?.labels ?? [])].map(([key, value]) => `${key}=${value}`).sort();
  const standard = facts
    ? [
        `kernelversion=${facts.kernelVersion}`,
        `operatingsystem=${facts.operatingSystem}`,
        `ostype=${facts.osType}`,
        `storagedriver=${facts.storageDriver}`,
      ]
    : [];
  const line = (key: string, value: string): Pair => [`  └ ${key}`, value];
  return [
    [` ${facts ? node.name : "(unknown)"}`, node.address],
    line("ID", facts?.engineId ?? ""),
    line("Status", stateWord(node)),
    line(
      "Containers",
      node.reachable ? `${all} (${running} Running, ${paused} Paused, ${stopped} Stopped)` : String(all),
    ),
    line("Reserved CPUs", `${cpus(sums.nanoCpus)} / ${facts?.cpus ?? 0}`),
    line("Reserved Memory", `${bytesSize(sums.memory)} / ${bytesSize(Math.floor((facts?.memory ?? 0) * factor))}`),
    line("Labels", [...labels, ...standard].sort().join(", ")),
    ...(hasFence(cluster, node) ? [line("Fence", cluster.fences.stateOf(node))] : []),
    ...(node.reachable ? [] : [line("Error", node.whyUnreachable)]),
    ...(node.reachable && node.distress !== undefined ? [line("Error", oneLine(node.distress))] : []),
    line("UpdatedAt", new Date(node.updatedAt).toISOString().replace(/\.\d+Z$/, "Z")),
    line("ServerVersion", facts?.serverVersion ?? ""),
  ];
}

/** Scripts read the block line by line. */
function oneLine(text: string): string {
  return text.trim().replace(/\s*\n\s*/g, "; ");
}

/** Billionths of a CPU as people write CPUs: `1`, `0.5`. */
function cpus(nano: number): string {
  return String(nano / 1e9);
}
