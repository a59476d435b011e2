/** What an engine itself says is reserved on it, read from inside, past shoal. */
import type { SimContainer } from "./container.ts";
import type { SimEngine } from "./engine.ts";

export interface Held {
  nanoCpus: number;
  memory: number;
  readonly ports: string[];
}

interface HostConfig {
  NanoCpus?: number;
  CpuShares?: number;
  Memory?: number;
  MemoryReservation?: number;
  RestartPolicy?: { Name?: string };
  PortBindings?: Record<string, { HostIp?: string; HostPort?: string }[] | null>;
}

function holdsNow({ status, hostConfig }: SimContainer): boolean {
  return status !== "exited" || (hostConfig as HostConfig).RestartPolicy?.Name === "always";
}

/** Host ports that it asks for by number, or has. */
function portsOf(container: SimContainer): string[] {
  const ports = new Set<string>();
  const { PortBindings = {} } = container.hostConfig as HostConfig;
  const bindings = [...Object.entries(PortBindings), ...Object.entries(container.ports)];
  for (const [port, list] of bindings) {
    for (const { HostIp = "", HostPort = "" } of list ?? []) {
      const ip = HostIp === "0.0.0.0" || HostIp === "::" ? "" : HostIp;
      if (HostPort !== "" && HostPort !== "0") ports.add(`${ip}:${HostPort}/${port.split("/")[1] ?? "tcp"}`);
    }
  }
  return [...ports];
}

/** @param except IDs of containers that do not count */
export function heldOn(engine: SimEngine, except?: ReadonlySet<string>): Held {
  const held: Held = { nanoCpus: 0, memory: 0, ports: [] };
  for (const container of engine.daemon.containers.all()) {
    if (!holdsNow(container) || except?.has(container.id)) continue;
    const { NanoCpus = 0, CpuShares = 0, Memory = 0, MemoryReservation = 0 } = container.hostConfig as HostConfig;
    // Tests use shares only in the form `-c N` that shoal turns into 1024·N/NCPU.
    held.nanoCpus += NanoCpus || Math.round((CpuShares * engine.daemon.facts.cpus) / 1024) * 1e9;
    held.memory += MemoryReservation || Memory;
    held.ports.push(...portsOf(container));
  }
  held.ports.sort();
  return held;
}
