/** Addresses of a cluster of local machines: a /24 that is free on this host, and what follows from it. Pure. */
import { failed } from "./errors.ts";

/** IPv4 in CIDR notation. */
export interface Subnet {
  /** The first address as an unsigned number. */
  readonly base: number;
  readonly prefix: number;
}

/** All clusters' subnets are /24 pieces of this one. */
const POOL = "10.99.0.0/16";
const FIRST_MACHINE = 2;
const LAST_MACHINE = 254;

/** `10.99.3.0/24`, also a bare address (/32); null for anything else. Host bits are cleared. */
export function parseSubnet(text: string): Subnet | null {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:\/(\d{1,2}))?$/.exec(text);
  if (!match) return null;
  const bytes = match.slice(1, 5).map(Number);
  const prefix = match[5] === undefined ? 32 : Number(match[5]);
  if (prefix > 32 || bytes.some((byte) => byte > 255)) return null;
  const address = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
  const size = 2 ** (32 - prefix);
  return { base: address - (address % size), prefix };
}

export function overlaps(a: Subnet, b: Subnet): boolean {
  return a.base < b.base + 2 ** (32 - b.prefix) && b.base < a.base + 2 ** (32 - a.prefix);
}

const dotted = (address: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");

/** The `host`th address of a subnet in CIDR notation's base, such as 10.99.3.2 for 2. */
export function addressIn(subnet: string, host: number): string {
  const parsed = parseSubnet(subnet);
  if (!parsed) throw failed(`invalid subnet "${subnet}"`);
  return dotted(parsed.base + host);
}

/** The host's own address in the cluster's subnet. */
export const gatewayOf = (subnet: string): string => addressIn(subnet, 1);

/**
 * The first free /24 of the pool, looking from piece `start` on and round.
 * @param taken what this host routes or has addresses in (CIDR; a default route must be left out)
 */
export function chooseSubnet(taken: readonly string[], start: number): string {
  const used = taken.map(parseSubnet).filter((subnet) => subnet !== null);
  const pool = parseSubnet(POOL);
  for (let at = 0; pool && at < 256; at++) {
    const candidate: Subnet = { base: pool.base + ((start + at) % 256) * 256, prefix: 24 };
    if (!used.some((subnet) => overlaps(subnet, candidate))) return `${dotted(candidate.base)}/24`;
  }
  throw failed(`no free /24 in ${POOL} on this host: remove clusters of machines that are no longer needed`);
}

/** The lowest host numbers not in `used`, `count` of them. Throws MachineError when the subnet is full. */
export function chooseHosts(used: readonly number[], count: number): number[] {
  const free: number[] = [];
  for (let host = FIRST_MACHINE; host <= LAST_MACHINE && free.length < count; host++)
    if (!used.includes(host)) free.push(host);
  if (free.length < count) throw failed(`a cluster has room for ${LAST_MACHINE - FIRST_MACHINE + 1} machines`);
  return free;
}

/** Position of a machine among its cluster's, from 0. */
export const positionOf = (host: number): number => host - FIRST_MACHINE;

/** One MAC address per IP address, locally administered, so that nobody's ARP entry is ever stale. */
export function macOf(address: string): string {
  const bytes = address.split(".").map((byte) => Number(byte).toString(16).padStart(2, "0"));
  return ["02", "5a", ...bytes].join(":");
}

/** Destinations of `ip -4 route show table all` and addresses of `ip -4 -o address`: what is taken on this host. */
export function takenSubnets(routes: string, addresses: string): string[] {
  const taken = new Set<string>();
  for (const line of routes.split("\n")) {
    const words = line.trim().split(/\s+/);
    const at = ["local", "broadcast", "unicast", "blackhole", "unreachable", "prohibit"].includes(words[0] ?? "")
      ? 1
      : 0;
    const destination = words[at] ?? "";
    if (parseSubnet(destination)) taken.add(destination);
  }
  for (const match of addresses.matchAll(/ inet (\S+)/g)) if (match[1]) taken.add(match[1]);
  return [...taken].filter((subnet) => parseSubnet(subnet)?.prefix !== 0);
}
