/** Published ports of one engine: who holds which host port, and the next free one. */
import { DockerError } from "../../src/docker/errors.ts";
import { list, obj, str } from "./json.ts";

export interface Binding {
  readonly HostIp: string;
  readonly HostPort: string;
}
export type PortMap = Record<string, Binding[] | null>;

/** Linux' ephemeral range, where Docker's allocator takes from. */
const FIRST = 32768;
const LAST = 60999;

const anyAddress = (ip: string): boolean => ip === "" || ip === "0.0.0.0" || ip === "::";

export class Ports {
  /** `80/tcp` → address → holder. */
  readonly #held = new Map<string, Map<string, string>>();
  #next = FIRST;

  #conflicts(port: string, proto: string, ip: string): boolean {
    const held = this.#held.get(`${port}/${proto}`);
    if (!held || held.size === 0) return false;
    if (!anyAddress(ip)) return held.has(ip) || held.has("0.0.0.0");
    return ip === "::" ? held.has("::") : [...held.keys()].some((taken) => taken !== "::");
  }

  #take(port: string, proto: string, ip: string, owner: string): void {
    const key = `${port}/${proto}`;
    const held = this.#held.get(key) ?? new Map<string, string>();
    held.set(ip, owner);
    this.#held.set(key, held);
  }

  #free(proto: string, ip: string): string {
    for (let tried = 0; tried <= LAST - FIRST; tried++) {
      const port = String(this.#next);
      this.#next = this.#next === LAST ? FIRST : this.#next + 1;
      if (!this.#conflicts(port, proto, ip)) return port;
    }
    throw new DockerError(500, "all ports are allocated");
  }

  /**
   * Binds what a container publishes, all or nothing. `endpoint` is for the message of a conflict: `name (id)`.
   * Throws 500 `… port is already allocated`.
   */
  bind(
    owner: string,
    wanted: PortMap,
    exposed: readonly string[],
    all: boolean,
    ipv6: boolean,
    endpoint: string,
  ): PortMap {
    const asked: PortMap = {};
    for (const port of exposed) asked[port] = all ? [{ HostIp: "", HostPort: "" }] : null;
    for (const [port, bindings] of Object.entries(wanted)) {
      asked[port.includes("/") ? port : `${port}/tcp`] = bindings?.length ? bindings : [{ HostIp: "", HostPort: "" }];
    }
    const out: PortMap = {};
    try {
      for (const [port, bindings] of Object.entries(asked)) {
        out[port] = bindings === null ? null : bindings.flatMap((b) => this.#bindOne(owner, port, b, ipv6, endpoint));
      }
    } catch (error) {
      this.release(owner);
      throw error;
    }
    return out;
  }

  #bindOne(owner: string, port: string, binding: Binding, ipv6: boolean, endpoint: string): Binding[] {
    const proto = port.split("/")[1] ?? "tcp";
    const addresses = binding.HostIp === "" ? (ipv6 ? ["0.0.0.0", "::"] : ["0.0.0.0"]) : [binding.HostIp];
    const hostPort =
      /^\d+$/.test(binding.HostPort) && binding.HostPort !== "0"
        ? binding.HostPort
        : this.#free(proto, addresses[0] ?? "0.0.0.0");
    for (const address of addresses) {
      if (this.#conflicts(hostPort, proto, address)) {
        throw new DockerError(
          500,
          `failed to set up container networking: driver failed programming external connectivity on endpoint ${endpoint}: Bind for ${address}:${hostPort} failed: port is already allocated`,
        );
      }
      this.#take(hostPort, proto, address, owner);
    }
    return addresses.map((HostIp) => ({ HostIp, HostPort: hostPort }));
  }

  release(owner: string): void {
    for (const [key, held] of this.#held) {
      for (const [ip, holder] of held) if (holder === owner) held.delete(ip);
      if (held.size === 0) this.#held.delete(key);
    }
  }
}

/** `HostConfig.PortBindings` as posted. */
export function postedBindings(value: unknown): PortMap {
  const out: PortMap = {};
  for (const [port, bindings] of Object.entries(obj(value))) {
    out[port] = list(bindings).map((item) => ({ HostIp: str(obj(item).HostIp), HostPort: str(obj(item).HostPort) }));
  }
  return out;
}
