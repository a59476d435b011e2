/** What a container holds, read from a create request or from an inspect of the engine. Pure. */
import { goGet } from "../docker/json-text.ts";
import { Fields } from "../scheduler/body.ts";
import { dependenciesOf, MOST_CPU_SHARES, type PortClaim, type Request, readRequest } from "../scheduler/request.ts";
import type { ListedPort } from "./list-entry.ts";
import type { ClusterNode } from "./node.ts";
import type { Needs } from "./record.ts";

export function needsOfRequest(request: Request, body: unknown): Needs {
  return {
    nanoCpus: request.nanoCpus,
    memory: request.memory,
    ports: request.ports,
    whenExited: restartsItself(goGet(body, "HostConfig")),
    ...(request.succeeds?.slot !== undefined && { slot: request.succeeds.slot }),
    ...(request.succeeds?.replaces !== undefined && { replaces: request.succeeds.replaces }),
  };
}

/**
 * @param inspect the engine's parsed answer. CpuShares are Docker's weight here, whatever `-c` means to shoal: only a
 *   create through shoal turns them into CPUs, and that leaves a hint.
 */
export function needsOfInspect(inspect: unknown): Needs {
  const hostConfig = goGet(inspect, "HostConfig");
  try {
    const body = bodyOf(inspect);
    return needsOfRequest(readRequest(body, "", {}, { cpuShares: "docker" }), body);
  } catch {
    // Labels or env of a container that was not made through shoal may hold expressions that are none.
    const memory = Number(goGet(hostConfig, "MemoryReservation") || goGet(hostConfig, "Memory") || 0);
    return {
      nanoCpus: Number(goGet(hostConfig, "NanoCpus") ?? 0),
      memory,
      ports: [],
      whenExited: restartsItself(hostConfig),
    };
  }
}

/** The containers that it depends on, as its engine refers to them. @param inspect the engine's parsed answer */
export function dependenciesOfInspect(inspect: unknown): readonly string[] {
  return dependenciesOf(new Fields(bodyOf(inspect)).object("HostConfig")).map(({ ref }) => ref);
}

/** What an engine inspects, in the form of a create body. */
function bodyOf(inspect: unknown): object {
  return { ...(goGet(inspect, "Config") as object | null), HostConfig: goGet(inspect, "HostConfig") };
}

/**
 * The CpuShares that stand for whole CPUs on a node. Engines refuse shares below 2; a whole machine is 1024, as in
 * classic Swarm.
 */
export function engineShares(node: ClusterNode, wholeCpus: number): number {
  return Math.max(2, Math.round((1024 * wholeCpus) / Math.max(1, node.facts?.cpus ?? 1)));
}

/** The whole CPUs that a container's shares stand for, if it once was given whole CPUs; undefined when they are a weight now. */
export function wholeCpusOf(node: ClusterNode, shares: number): number | undefined {
  const cpus = Math.round((shares * (node.facts?.cpus ?? 0)) / 1024);
  return cpus >= 1 && cpus <= MOST_CPU_SHARES && engineShares(node, cpus) === shares ? cpus : undefined;
}

/** dockerd starts it at its own start, also after `docker stop`. */
function restartsItself(hostConfig: unknown): boolean {
  return goGet(goGet(hostConfig, "RestartPolicy"), "Name") === "always";
}

/** Host ports that a running container has in fact, the ones the engine chose included. */
export function claimsOfListed(ports: readonly ListedPort[]): PortClaim[] {
  const claims = new Map<string, PortClaim>();
  for (const { IP = "", PublicPort, Type } of ports) {
    if (!PublicPort) continue;
    const ip = IP === "0.0.0.0" || IP === "::" ? "" : IP;
    claims.set(`${ip}|${PublicPort}|${Type}`, { ip, port: PublicPort, protocol: Type });
  }
  return [...claims.values()];
}
