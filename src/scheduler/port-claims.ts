/**
 * Host ports that a create body asks for by number. Owns how bindings are read; who holds what is the ledger's.
 */
import { Fields } from "./body.ts";
import type { PortClaim } from "./request.ts";

/**
 * Bridge and user networks claim the fixed host ports of their bindings; the host's network claims the exposed ports;
 * no network and another container's network claim nothing. A range of host ports for one container port
 * (`8000-8010:80`) claims nothing: the engine takes a free one of it.
 */
export function portClaims(config: Fields, host: Fields, networkMode: string): readonly PortClaim[] {
  const claims = new Map<string, PortClaim>();
  const add = (claim: PortClaim): unknown => claims.set(`${claim.ip} ${claim.port}/${claim.protocol}`, claim);
  if (networkMode === "host") {
    for (const [exposed] of config.map("ExposedPorts")) {
      const { low, high, protocol } = containerPort(exposed);
      for (let port = low; port <= high; port++) add({ ip: "", port, protocol });
    }
  } else if (networkMode !== "none" && !networkMode.startsWith("container:")) {
    for (const [exposed, bindings] of host.map("PortBindings")) {
      const { protocol } = containerPort(exposed);
      for (const binding of Array.isArray(bindings) ? bindings : []) {
        const claim = fixedBinding(binding, protocol);
        if (claim !== undefined) add(claim);
      }
    }
  }
  return [...claims.values()];
}

function fixedBinding(binding: unknown, protocol: string): PortClaim | undefined {
  const fields = new Fields(binding);
  const range = portRange(fields.text("HostPort"));
  if (range === undefined || range.low !== range.high) return undefined;
  return { ip: claimedAddress(fields.text("HostIp")), port: range.low, protocol };
}

/** "" for every address: unset, 0.0.0.0 and ::. Letter case and brackets of IPv6 are evened out. */
export function claimedAddress(ip: string): string {
  const plain = ip.replace(/^\[(.*)\]$/, "$1").toLowerCase();
  return plain === "0.0.0.0" || plain === "::" ? "" : plain;
}

/** `80`, `80/udp` or `8000-8010/tcp`; tcp without a protocol. An empty range when it is not one. */
function containerPort(text: string): { low: number; high: number; protocol: string } {
  const [ports = "", protocol = ""] = text.split("/");
  const range = portRange(ports) ?? { low: 1, high: 0 };
  return { ...range, protocol: protocol.toLowerCase() || "tcp" };
}

function portRange(text: string): { low: number; high: number } | undefined {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  if (match === null) return undefined;
  const low = Number(match[1]);
  const high = Number(match[2] ?? match[1]);
  return low >= 1 && high <= 65_535 && low <= high ? { low, high } : undefined;
}
