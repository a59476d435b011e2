/** One simulated container: its record and how inspect and list show it. Changes are the business of lifecycle.ts. */
import { flag, goTime, type Json, list, num, obj, str, stringMap, strings } from "./json.ts";
import { endpointForm } from "./networks.ts";
import type { Output } from "./output.ts";
import type { PortMap } from "./ports.ts";
import type { Process } from "./process.ts";
import { CONFIG_DEFAULTS, HOST_CONFIG_DEFAULTS } from "./shapes.ts";

export type Status = "created" | "running" | "paused" | "exited" | "removing";
export type Health = "starting" | "healthy" | "unhealthy";

export interface SimMount {
  readonly Type: string;
  readonly Name?: string;
  readonly Source: string;
  readonly Destination: string;
  readonly Driver?: string;
  readonly Mode: string;
  readonly RW: boolean;
  readonly Propagation: string;
}

export interface SimContainer {
  readonly id: string;
  /** Without slash. */
  name: string;
  /** Order of creation, also within one millisecond. */
  readonly serial: number;
  readonly created: number;
  readonly imageId: string;
  /** As posted, with dockerd's additions. */
  readonly config: Json;
  readonly hostConfig: Json;
  /** Network → endpoint settings as posted. */
  readonly wanted: Map<string, Json>;
  readonly mounts: readonly SimMount[];
  /** What entry point and command come to. */
  readonly argv: readonly string[];
  status: Status;
  /** Of one with a healthcheck that has started. */
  health: Health | undefined;
  pid: number;
  startedAt: number;
  finishedAt: number;
  exitCode: number;
  error: string;
  restarts: number;
  /** Bound ports while it runs. */
  ports: PortMap;
  /** Network → endpoint while it runs. */
  endpoints: Map<string, Json>;
  process: Process | undefined;
  output: Output | undefined;
  /** Attached clients that wait for the process. */
  readonly onStart: ((process: Process) => void)[];
  readonly execs: Set<string>;
  /** One tar, as put last. */
  archive: Buffer | undefined;
  archivePath: string;
  readonly waiters: Set<{ condition: string; done: (code: number) => void }>;
}

export const isRunning = (container: SimContainer): boolean =>
  container.status === "running" || container.status === "paused";
export const hasHealthcheck = ({ config }: SimContainer): boolean => {
  const [kind = "NONE"] = strings(obj(config.Healthcheck).Test);
  return kind !== "NONE";
};
export const ttyOf = (container: SimContainer): boolean => container.config.Tty === true;
export const labelsOf = (container: SimContainer): Record<string, string> => stringMap(container.config.Labels);

function ago(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 1) return "Less than a second";
  if (seconds === 1) return "1 second";
  if (seconds < 60) return `${seconds} seconds`;
  const minutes = Math.floor(seconds / 60);
  if (minutes === 1) return "About a minute";
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.floor(minutes / 60 + 0.5);
  if (hours === 1) return "About an hour";
  return hours < 48 ? `${hours} hours` : `${Math.floor(hours / 24)} days`;
}

/** The human `Status` of a list. */
export function statusText(container: SimContainer, now: number): string {
  if (container.status === "created") return "Created";
  if (container.status === "exited") return `Exited (${container.exitCode}) ${ago(now - container.finishedAt)} ago`;
  const health = container.health === "starting" ? "health: starting" : container.health;
  const more = container.status === "paused" ? " (Paused)" : health === undefined ? "" : ` (${health})`;
  return `Up ${ago(now - container.startedAt)}${more}`;
}

function portsListed(container: SimContainer): Json[] {
  const out: Json[] = [];
  for (const [port, bindings] of Object.entries(container.ports)) {
    const [privatePort, Type = "tcp"] = port.split("/");
    const PrivatePort = Number(privatePort);
    if (!bindings?.length) out.push({ PrivatePort, Type });
    for (const { HostIp, HostPort } of bindings ?? []) {
      out.push({ IP: HostIp, PrivatePort, PublicPort: Number(HostPort), Type });
    }
  }
  return out;
}

function networksOf(container: SimContainer): Json {
  const out: Json = {};
  for (const [name, posted] of container.wanted)
    out[name] = container.endpoints.get(name) ?? endpointForm(undefined, posted);
  return out;
}

/** One row of `GET /containers/json`. */
export function listed(container: SimContainer, now: number, size: boolean): Json {
  const mode = str(container.hostConfig.NetworkMode);
  return {
    Id: container.id,
    Names: [`/${container.name}`],
    Image: str(container.config.Image),
    ImageID: container.imageId,
    Command: container.argv.map((word) => (/\s/.test(word) ? `'${word}'` : word)).join(" "),
    Created: Math.floor(container.created / 1000),
    Ports: portsListed(container),
    ...(size ? { SizeRw: 0, SizeRootFs: 4_000_000 } : {}),
    Labels: labelsOf(container),
    State: container.status,
    Status: statusText(container, now),
    HostConfig: { NetworkMode: mode },
    NetworkSettings: { Networks: networksOf(container) },
    Mounts: container.mounts,
  };
}

function stateForm(container: SimContainer): Json {
  return {
    Status: container.status,
    Running: isRunning(container),
    Paused: container.status === "paused",
    Restarting: false,
    OOMKilled: false,
    Dead: false,
    Pid: container.pid,
    ExitCode: container.exitCode,
    Error: container.error,
    StartedAt: goTime(container.startedAt),
    FinishedAt: goTime(container.finishedAt),
    ...(container.health === undefined ? {} : { Health: { Status: container.health, FailingStreak: 0, Log: [] } }),
  };
}

/** `GET /containers/{id}/json`. */
export function inspected(container: SimContainer, driver: string, size: boolean): Json {
  const networks = networksOf(container);
  const bridge = obj(networks.bridge);
  return {
    Id: container.id,
    Created: goTime(container.created),
    Path: container.argv[0] ?? "",
    Args: container.argv.slice(1),
    State: stateForm(container),
    Image: container.imageId,
    ResolvConfPath: `/var/lib/docker/containers/${container.id}/resolv.conf`,
    HostnamePath: `/var/lib/docker/containers/${container.id}/hostname`,
    HostsPath: `/var/lib/docker/containers/${container.id}/hosts`,
    LogPath: `/var/lib/docker/containers/${container.id}/${container.id}-json.log`,
    Name: `/${container.name}`,
    RestartCount: container.restarts,
    Driver: driver,
    Platform: "linux",
    MountLabel: "",
    ProcessLabel: "",
    AppArmorProfile: "docker-default",
    ExecIDs: container.execs.size > 0 ? [...container.execs] : null,
    HostConfig: { ...HOST_CONFIG_DEFAULTS, ...container.hostConfig },
    GraphDriver: { Data: null, Name: driver },
    ...(size ? { SizeRw: 0, SizeRootFs: 4_000_000 } : {}),
    Mounts: container.mounts,
    Config: { ...CONFIG_DEFAULTS, ...container.config },
    NetworkSettings: {
      Bridge: "",
      SandboxID: isRunning(container) ? container.id : "",
      SandboxKey: isRunning(container) ? `/var/run/docker/netns/${container.id.slice(0, 12)}` : "",
      Ports: container.ports,
      HairpinMode: false,
      LinkLocalIPv6Address: "",
      LinkLocalIPv6PrefixLen: 0,
      SecondaryIPAddresses: null,
      SecondaryIPv6Addresses: null,
      EndpointID: str(bridge.EndpointID),
      Gateway: str(bridge.Gateway),
      GlobalIPv6Address: "",
      GlobalIPv6PrefixLen: 0,
      IPAddress: str(bridge.IPAddress),
      IPPrefixLen: num(bridge.IPPrefixLen),
      IPv6Gateway: "",
      MacAddress: str(bridge.MacAddress),
      Networks: networks,
    },
  };
}

/** The binds and mounts of a create, anonymous volumes named by `newName`. */
export function mountsOf(
  config: Json,
  hostConfig: Json,
  newName: () => string,
  mountpoint: (name: string) => string,
): SimMount[] {
  const out: SimMount[] = [];
  const volume = (name: string, Destination: string, Mode: string, RW: boolean): SimMount => ({
    Type: "volume",
    Name: name,
    Source: mountpoint(name),
    Destination,
    Driver: "local",
    Mode,
    RW,
    Propagation: "",
  });
  for (const bind of strings(hostConfig.Binds)) {
    const [source = "", target = "", mode = ""] = bind.split(":");
    const rw = !mode.split(",").includes("ro");
    if (source.startsWith("/")) {
      out.push({ Type: "bind", Source: source, Destination: target, Mode: mode, RW: rw, Propagation: "rprivate" });
    } else out.push(volume(source, target, mode || "z", rw));
  }
  for (const item of list(hostConfig.Mounts).map(obj)) {
    const rw = !flag(item.ReadOnly === true ? "1" : "");
    if (item.Type === "volume") out.push(volume(str(item.Source) || newName(), str(item.Target), "z", rw));
    else
      out.push({
        Type: str(item.Type),
        Source: str(item.Source),
        Destination: str(item.Target),
        Mode: "",
        RW: rw,
        Propagation: "",
      });
  }
  for (const target of Object.keys(obj(config.Volumes))) {
    if (!out.some((mount) => mount.Destination === target)) out.push(volume(newName(), target, "", true));
  }
  return out;
}
