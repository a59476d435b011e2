/**
 * Ports in Docker's notations: `80/tcp`, `8000-8010`, host bindings. Must not know who holds which port.
 */

import { badRequest } from "./errors.ts";
import { goGet } from "./json-text.ts";

/** Ports `first` to `last`, both included. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** `80/tcp`, or a range of container ports. */
export interface PortSpec extends PortRange {
  /** tcp, udp or sctp. */
  readonly protocol: string;
}

/** One element of a PortBindings list. */
export interface HostBinding {
  /** As given; "" when unset. */
  readonly ip: string;
  /** Undefined: the engine chooses. */
  readonly ports: PortRange | undefined;
}

const PROTOCOLS = ["tcp", "udp", "sctp"];

/**
 * `80` or `8000-8010`, each port 0 to 65535.
 * @throws DockerError 400
 */
export function parsePortRange(text: string): PortRange {
  const [, firstText, lastText] = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(text) ?? [];
  if (firstText === undefined) throw badRequest(`invalid containerPort: ${text}`);
  const first = Number(firstText);
  const last = lastText === undefined ? first : Number(lastText);
  if (last > 65535 || first > last) throw badRequest(`invalid range specified for port: ${text}`);
  return { first, last };
}

/**
 * `80`, `80/tcp`, `8000-8010/udp`; tcp when no protocol is given.
 * @throws DockerError 400
 */
export function parsePort(text: string): PortSpec {
  const [ports = "", protocol = "tcp", ...more] = text.split("/");
  const lower = protocol.toLowerCase() || "tcp";
  if (more.length > 0 || !PROTOCOLS.includes(lower)) throw badRequest(`invalid proto: ${text.slice(ports.length + 1)}`);
  return { ...parsePortRange(ports), protocol: lower };
}

/**
 * The bindings under one key of PortBindings, decoded; null and a missing list are none.
 * @throws DockerError 400 when an element is not `{HostIp?, HostPort?}` or its port is no port or range
 */
export function parseHostBindings(value: unknown): HostBinding[] {
  if (value === null || value === undefined) return [];
  if (!Array.isArray(value)) throw badRequest("invalid JSON: a port's bindings are not a list");
  return value.map((element: unknown) => {
    const ip = stringIn(element, "HostIp");
    const port = stringIn(element, "HostPort");
    // HostPort "0" is Docker's other way to leave the choice to the engine.
    const ports = port === "" || port === "0" ? undefined : parsePortRange(port);
    return { ip, ports };
  });
}

function stringIn(element: unknown, key: string): string {
  const value = goGet(element, key) ?? "";
  if (typeof value !== "string") throw badRequest(`invalid JSON: ${key} is not a string`);
  return value;
}

/** Whether an address means every address of the host: "", 0.0.0.0 or ::. */
export function isUnspecified(ip: string): boolean {
  return ip === "" || ip === "0.0.0.0" || /^(?:::|\[::\]|::0|(?:0{1,4}:){7}0{1,4})$/.test(ip);
}

/** How many ports a range holds. */
export function countPorts({ first, last }: PortRange): number {
  return last - first + 1;
}
