/**
 * What a container asks of a place, read from its create body. Pure data: placement needs nothing else.
 */
import { posix } from "node:path";
import { badRequest } from "../docker/errors.ts";
import { REFERENCES_PER_REQUEST } from "../kit/limits.ts";
import { Fields } from "./body.ts";
import type { Expression } from "./expression.ts";
import { fieldNeeds } from "./field-versions.ts";
import { type GroupAsk, type GroupOptions, readGroup } from "./group.ts";
import { portClaims } from "./port-claims.ts";
import { readExpressions } from "./request-expressions.ts";

export { type TakenFromEnv, takenFromEnv } from "./request-expressions.ts";

/** One fixed host port. `ip` is "" for every address (unset, 0.0.0.0 or ::). */
export interface PortClaim {
  readonly ip: string;
  readonly port: number;
  readonly protocol: string;
}

/** A body field that older engines do not know; the engine must speak `version` or newer. */
export interface FieldNeed {
  /** As in the body, such as `HostConfig.Annotations`. */
  readonly field: string;
  readonly version: string;
}

/** A path of the node that a container mounts, without dots and slashes that say nothing. */
export interface Bind {
  readonly path: string;
  /** The client wants it made where it is missing (`BindOptions.CreateMountpoint`). */
  readonly made: boolean;
}

export type ReschedulePolicy = "off" | "never" | "on-node-failure" | "always";

export interface Request {
  readonly name: string;
  readonly image: string;
  /** `os/arch[/variant]` when the client asked for one. */
  readonly platform: string | undefined;
  /** Reserved CPUs × 10⁹ and bytes of memory; 0 reserves nothing. */
  readonly nanoCpus: number;
  readonly memory: number;
  /** Fixed host ports, or, with the host's network, the exposed ports. */
  readonly ports: readonly PortClaim[];
  readonly hostNetwork: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly constraints: readonly Expression[];
  readonly affinities: readonly Expression[];
  readonly whitelists: readonly Expression[];
  readonly reschedule: ReschedulePolicy | undefined;
  /** References to containers it must share a node with (links, volumes-from, container: modes), and the flag each came from. */
  readonly dependencies: readonly { readonly ref: string; readonly from: string }[];
  /** Paths of the node that it mounts. */
  readonly binds: readonly Bind[];
  /** Named volumes and user networks. */
  readonly volumes: readonly string[];
  readonly networks: readonly string[];
  readonly needs: readonly FieldNeed[];
  /**
   * Compose's project, service and number, or the ID that it replaces: who shares its predecessor's reservation.
   * `replaces` is as the client wrote it: resolve it to a cluster ID before it goes to the ledger.
   */
  readonly succeeds: { readonly slot?: string; readonly replaces?: string } | undefined;
  /** What it belongs to: placed where that lives. */
  readonly group: GroupAsk | undefined;
}

/** What a create says beside its body. */
export interface RequestQuery {
  readonly platform?: string | undefined;
  /** The client's API version; shoal's own newest when it named none. */
  readonly version?: string | undefined;
}

export interface ReadOptions {
  /** `cpus`: `-c 1` to `-c 8` reserve that many CPUs; `docker`: shares are a weight and reserve nothing. */
  readonly cpuShares: "cpus" | "docker";
  /** Absent: what is read is there already, and belongs where it is. */
  readonly groups?: GroupOptions;
}

/** The largest `-c N` that means N CPUs; beyond it is Docker's weight (its default is 1024). */
export const MOST_CPU_SHARES = 8;

/**
 * Reads a parsed create body. Null and wrong types are as if absent: the engine refuses them in its own words.
 * DockerError 400 for expressions, reschedule policies, groups' policies and reserves,
 * fields spelled twice and more references than REFERENCES_PER_REQUEST.
 */
export function readRequest(body: unknown, name: string, query: RequestQuery, options: ReadOptions): Request {
  const config = new Fields(body);
  const host = config.object("HostConfig");
  const networkMode = host.text("NetworkMode");
  const labels = readLabels(config);
  const dependencies = dependenciesOf(host);
  const binds = bindMounts(host);
  const volumes = namedVolumes(host);
  const networks = userNetworks(config, networkMode);
  if (dependencies.length + binds.length + volumes.length + networks.length > REFERENCES_PER_REQUEST) {
    throw badRequest(`more than ${REFERENCES_PER_REQUEST} links, bind mounts, volumes and networks`);
  }
  return {
    name,
    image: config.text("Image"),
    platform: query.platform || undefined,
    nanoCpus: reservedCpus(host, options),
    memory: host.amount("MemoryReservation") || host.amount("Memory"),
    ports: portClaims(config, host, networkMode),
    hostNetwork: networkMode === "host",
    labels,
    ...readExpressions(body),
    dependencies,
    binds,
    volumes,
    networks,
    needs: fieldNeeds(body, query),
    succeeds: predecessorOf(labels),
    group: options.groups && readGroup(labels, options.groups),
  };
}

function readLabels(config: Fields): Readonly<Record<string, string>> {
  // Without a prototype, so that a label named __proto__ is a label.
  const labels: Record<string, string> = Object.create(null);
  for (const [key, value] of config.map("Labels")) labels[key] = typeof value === "string" ? value : "";
  return labels;
}

function reservedCpus(host: Fields, options: ReadOptions): number {
  const exact = host.amount("NanoCpus");
  if (exact > 0) return exact;
  const shares = host.amount("CpuShares");
  return options.cpuShares === "cpus" && shares <= MOST_CPU_SHARES ? shares * 1e9 : 0;
}

/** @param host the `HostConfig` */
export function dependenciesOf(host: Fields): Request["dependencies"] {
  const found = new Map<string, { ref: string; from: string }>();
  const add = (text: string, from: string): void => {
    const ref = text.replace(/^\//, "");
    if (ref !== "") found.set(`${from} ${ref}`, { ref, from });
  };
  for (const link of host.texts("Links")) add(link.split(":")[0] ?? "", "--link");
  for (const source of host.texts("VolumesFrom")) add(source.split(":")[0] ?? "", "--volumes-from");
  const modes = [
    ["--network", host.text("NetworkMode")],
    ["--ipc", host.text("IpcMode")],
    ["--pid", host.text("PidMode")],
  ] as const;
  for (const [flag, mode] of modes) if (mode.startsWith("container:")) add(mode.slice("container:".length), flag);
  return [...found.values()];
}

function bindMounts(host: Fields): readonly Bind[] {
  const binds = new Map<string, Bind>();
  const add = (source: string, made: boolean): void => {
    const path = posix.normalize(source).replace(/(?<=.)\/$/, "");
    if (!made || !binds.has(path)) binds.set(path, { path, made });
  };
  for (const bind of host.texts("Binds")) {
    const [path = "", target] = bind.split(":");
    if (path.startsWith("/") && target !== undefined) add(path, false);
  }
  for (const mount of host.list("Mounts")) {
    const fields = new Fields(mount);
    const source = fields.text("Source");
    if (fields.text("Type") !== "bind" || !source.startsWith("/")) continue;
    add(source, fields.object("BindOptions").get("CreateMountpoint") === true);
  }
  return [...binds.values()];
}

/** A bind's source that is no path is a volume's name (or `node/name`). */
function namedVolumes(host: Fields): readonly string[] {
  const names = new Set<string>();
  for (const bind of host.texts("Binds")) {
    if (/^(?:[/.~\\]|[a-z]:[/\\])/i.test(bind)) continue;
    const [source = "", target] = bind.split(":");
    if (source !== "" && target !== undefined) names.add(source);
  }
  for (const mount of host.list("Mounts")) {
    const fields = new Fields(mount);
    if (fields.text("Type") === "volume" && fields.text("Source") !== "") names.add(fields.text("Source"));
  }
  return [...names];
}

const OWN_NETWORKS: ReadonlySet<string> = new Set(["", "default", "bridge", "host", "none", "nat"]);

function userNetworks(config: Fields, networkMode: string): readonly string[] {
  const endpoints = config.object("NetworkingConfig").map("EndpointsConfig");
  const names = new Set([networkMode, ...endpoints.map(([name]) => name)]);
  return [...names].filter((name) => !OWN_NETWORKS.has(name) && !name.startsWith("container:"));
}

/**
 * Compose creates a container's successor before it removes the container: same project, service and number. Its
 * `com.docker.compose.replace` was the replaced container's ID in older versions; newer ones write `service-number`,
 * which the slot says already. A one-off (`compose run`) succeeds nobody.
 */
function predecessorOf(labels: Readonly<Record<string, string>>): Request["succeeds"] {
  const project = labels["com.docker.compose.project"];
  const service = labels["com.docker.compose.service"];
  const number = labels["com.docker.compose.container-number"];
  const replaced = labels["com.docker.compose.replace"] ?? "";
  if (labels["com.docker.compose.oneoff"]?.toLowerCase() === "true") return undefined;
  const slot = project && service && number ? { slot: `${project}/${service}/${number}` } : {};
  const replaces = /^[0-9a-f]{64}$/.test(replaced) ? { replaces: replaced } : {};
  const succeeds = { ...slot, ...replaces };
  return Object.keys(succeeds).length > 0 ? succeeds : undefined;
}
