/** What a simulated engine says of itself: the options that shape it and its answers to `/version` and `/info`. */
import type { Clock } from "../../src/kit/clock.ts";
import type { Random } from "../../src/kit/random.ts";
import { goTime, type Json } from "./json.ts";

export interface SimEngineOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Host name. */
  readonly name?: string;
  /** The engine's ID; drawn from `random` unless given. */
  readonly id?: string;
  readonly cpus?: number;
  /** Bytes. */
  readonly memory?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly serverVersion?: string;
  readonly apiVersion?: string;
  readonly minApiVersion?: string;
  readonly driver?: string;
  readonly kernelVersion?: string;
  readonly operatingSystem?: string;
  readonly osType?: string;
  readonly architecture?: string;
  /** Paths that the host has. */
  readonly paths?: readonly string[];
  /** Images present from the start. */
  readonly images?: readonly string[];
  /** What a pull can fetch; "any" for everything. */
  readonly pullable?: readonly string[] | "any";
  /** Mixed into image IDs, as another image store gives the same image another ID. */
  readonly imageSalt?: string;
  /** Whether published ports are also bound on `::`. */
  readonly ipv6?: boolean;
}

export interface SimFacts {
  readonly name: string;
  id: string;
  readonly cpus: number;
  readonly memory: number;
  readonly labels: readonly string[];
  readonly serverVersion: string;
  readonly apiVersion: string;
  readonly minApiVersion: string;
  readonly driver: string;
  readonly kernelVersion: string;
  readonly operatingSystem: string;
  readonly osType: string;
  readonly architecture: string;
  readonly ipv6: boolean;
}

/** Options that make an engine answer like Docker Engine 20.10. */
export const ENGINE_20_10 = { serverVersion: "20.10.24+dfsg1", apiVersion: "1.41", minApiVersion: "1.12" } as const;
/** Options that make an engine answer like Docker Engine 29, which refuses versions below 1.44. */
export const ENGINE_29 = { serverVersion: "29.0.0", apiVersion: "1.52", minApiVersion: "1.44" } as const;

export function factsOf(options: SimEngineOptions): SimFacts {
  const uuid = options.random.hex(16).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  return {
    name: options.name ?? "sim",
    id: options.id ?? uuid,
    cpus: options.cpus ?? 4,
    memory: options.memory ?? 8 * 1024 ** 3,
    labels: Object.entries(options.labels ?? {}).map(([key, value]) => `${key}=${value}`),
    serverVersion: options.serverVersion ?? "28.2.2",
    apiVersion: options.apiVersion ?? "1.51",
    minApiVersion: options.minApiVersion ?? "1.24",
    driver: options.driver ?? "overlay2",
    kernelVersion: options.kernelVersion ?? "6.1.0-32-amd64",
    operatingSystem: options.operatingSystem ?? "Debian GNU/Linux 12 (bookworm)",
    osType: options.osType ?? "linux",
    architecture: options.architecture ?? "x86_64",
    ipv6: options.ipv6 ?? true,
  };
}

const goArch = (architecture: string): string => ({ x86_64: "amd64", aarch64: "arm64" })[architecture] ?? architecture;

export function versionAnswer(facts: SimFacts): Json {
  const shared = {
    ApiVersion: facts.apiVersion,
    MinAPIVersion: facts.minApiVersion,
    GitCommit: "0000000",
    GoVersion: "go1.24.3",
    Os: facts.osType,
    Arch: goArch(facts.architecture),
    KernelVersion: facts.kernelVersion,
    BuildTime: "2025-05-30T12:07:27.000000000+00:00",
  };
  return {
    Platform: { Name: "Docker Engine - Community" },
    Components: [
      { Name: "Engine", Version: facts.serverVersion, Details: { ...shared, Experimental: "false" } },
      { Name: "containerd", Version: "1.7.27", Details: { GitCommit: "0000000" } },
      { Name: "runc", Version: "1.2.5", Details: { GitCommit: "0000000" } },
    ],
    Version: facts.serverVersion,
    ...shared,
  };
}

/** Counts that `/info` carries beside the facts. */
export interface InfoCounts {
  readonly containers: number;
  readonly running: number;
  readonly paused: number;
  readonly stopped: number;
  readonly images: number;
  readonly eventListeners: number;
}

export function infoAnswer(facts: SimFacts, counts: InfoCounts, now: number): Json {
  return {
    ID: facts.id,
    Containers: counts.containers,
    ContainersRunning: counts.running,
    ContainersPaused: counts.paused,
    ContainersStopped: counts.stopped,
    Images: counts.images,
    Driver: facts.driver,
    DriverStatus: [
      ["Backing Filesystem", "extfs"],
      ["Supports d_type", "true"],
    ],
    Plugins: { Volume: ["local"], Network: ["bridge", "host", "null"], Authorization: null, Log: ["json-file"] },
    MemoryLimit: true,
    SwapLimit: true,
    CpuCfsPeriod: true,
    CpuCfsQuota: true,
    CPUShares: true,
    CPUSet: true,
    PidsLimit: true,
    IPv4Forwarding: true,
    Debug: false,
    NFd: 40,
    OomKillDisable: false,
    NGoroutines: 60,
    SystemTime: goTime(now),
    LoggingDriver: "json-file",
    CgroupDriver: "systemd",
    CgroupVersion: "2",
    NEventsListener: counts.eventListeners,
    KernelVersion: facts.kernelVersion,
    OperatingSystem: facts.operatingSystem,
    OSVersion: "12",
    OSType: facts.osType,
    Architecture: facts.architecture,
    IndexServerAddress: "https://index.docker.io/v1/",
    RegistryConfig: { InsecureRegistryCIDRs: ["127.0.0.0/8"], IndexConfigs: {}, Mirrors: [] },
    NCPU: facts.cpus,
    MemTotal: facts.memory,
    GenericResources: null,
    DockerRootDir: "/var/lib/docker",
    HttpProxy: "",
    HttpsProxy: "",
    NoProxy: "",
    Name: facts.name,
    Labels: facts.labels,
    ExperimentalBuild: false,
    ServerVersion: facts.serverVersion,
    Runtimes: { runc: { path: "runc" }, "io.containerd.runc.v2": { path: "runc" } },
    DefaultRuntime: "runc",
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
    InitBinary: "docker-init",
    ContainerdCommit: { ID: "0000000" },
    RuncCommit: { ID: "0000000" },
    InitCommit: { ID: "de40ad0" },
    SecurityOptions: ["name=apparmor", "name=seccomp,profile=builtin", "name=cgroupns"],
    Warnings: null,
  };
}
