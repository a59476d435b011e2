/** Asks an engine what it is and what it has. Must not know when that is asked, or what becomes of it. */
import { DockerError } from "../docker/errors.ts";
import { isVersion } from "../docker/version.ts";
import type { Clock } from "../kit/clock.ts";
import { type EngineClient, notJson } from "./client.ts";
import type { EngineFacts } from "./facts.ts";
import type { EngineInventory } from "./observer.ts";
import { isPodman, podmanId } from "./podman.ts";

/** Engines that name no minimum take everything down to this. */
const OLDEST_VERSION = "1.12";

type Json = Record<string, unknown>;

/** Whatever answers, but is no engine whose resources can be used. */
export class NotAnEngineError extends Error {}

/**
 * Reads `/version`, `/info` and the network `bridge`; from then on the client speaks the engine's versions.
 * Rejects with WireError, DockerError or NotAnEngineError.
 */
export async function readFacts(client: EngineClient, address: string, signal: AbortSignal): Promise<EngineFacts> {
  const version = await readObject(client, address, "/version", signal);
  const apiVersion = text(version.ApiVersion);
  const minApiVersion = text(version.MinAPIVersion) || OLDEST_VERSION;
  if (!isVersion(apiVersion) || !isVersion(minApiVersion)) throw notAnEngine(address);
  client.speaks(minApiVersion, apiVersion);
  const [info, bridgeId] = await Promise.all([
    readObject(client, address, "/info", signal),
    readBridge(client, address, signal),
  ]);
  const podman = isPodman(version);
  const facts: EngineFacts = {
    engineId: podman ? podmanId(info) : text(info.ID),
    name: text(info.Name),
    serverVersion: text(info.ServerVersion) || text(version.Version),
    apiVersion,
    minApiVersion,
    osType: text(info.OSType),
    architecture: text(info.Architecture),
    operatingSystem: text(info.OperatingSystem),
    kernelVersion: text(info.KernelVersion),
    storageDriver: text(info.Driver),
    executionDriver: text(info.ExecutionDriver),
    labels: readLabels(info.Labels),
    cpus: count(info.NCPU),
    memory: count(info.MemTotal),
    bridgeId: podman ? "" : bridgeId,
    info,
  };
  if (facts.engineId === "" || facts.cpus === 0 || facts.memory === 0) throw notAnEngine(address);
  return facts;
}

/** The four lists, as text. Rejects with WireError or DockerError. */
export async function readInventory(
  client: EngineClient,
  address: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<Omit<EngineInventory, "told">> {
  const startedAt = clock.monotonic();
  const read = async (path: string): Promise<string> => {
    const list = await client.text("GET", path, undefined, { signal });
    if (!/^\s*(?:[[{]|null)/.test(list)) throw notJson(address, "GET", path);
    return list;
  };
  const [containers, images, volumes, networks] = await Promise.all([
    read("/containers/json?all=1"),
    read("/images/json"),
    read("/volumes"),
    read("/networks"),
  ]);
  return { startedAt, containers, images, volumes, networks };
}

async function readObject(client: EngineClient, address: string, path: string, signal: AbortSignal): Promise<Json> {
  const json = await client.json<unknown>("GET", path, undefined, { signal });
  if (typeof json !== "object" || json === null || Array.isArray(json)) throw notAnEngine(address);
  return json as Json;
}

/** "" where there is none: `--bridge=none`, Windows. */
async function readBridge(client: EngineClient, address: string, signal: AbortSignal): Promise<string> {
  try {
    return text((await readObject(client, address, "/networks/bridge", signal)).Id);
  } catch (error) {
    if (!(error instanceof DockerError && error.status === 404)) throw error;
    return "";
  }
}

function notAnEngine(address: string): NotAnEngineError {
  return new NotAnEngineError(
    `${address}: cannot get resources for this engine, make sure it is a Docker Engine, not a Swarm manager`,
  );
}

/** `key=value` lines; without `=` the value is empty. A later line of the same key wins, as in Docker. */
function readLabels(raw: unknown): ReadonlyMap<string, string> {
  const labels = new Map<string, string>();
  for (const line of Array.isArray(raw) ? raw : []) {
    if (typeof line !== "string") continue;
    const at = line.indexOf("=");
    if (at < 0) labels.set(line, "");
    else labels.set(line.slice(0, at), line.slice(at + 1));
  }
  return labels;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function count(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) && value > 0 ? value : 0;
}
