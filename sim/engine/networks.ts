/** The networks of one engine: the three that each engine makes for itself, with IDs of its own, and made ones. */
import { badRequest, conflict, DockerError, notFound } from "../../src/docker/errors.ts";
import type { Clock } from "../../src/kit/clock.ts";
import type { Random } from "../../src/kit/random.ts";
import type { Events } from "./events.ts";
import { goTime, type Json, obj, stringMap } from "./json.ts";

export interface SimNetwork {
  readonly id: string;
  readonly name: string;
  readonly driver: string;
  readonly created: number;
  readonly labels: Record<string, string>;
  readonly posted: Json;
  /** Its addresses are the engine's own. */
  readonly pooled: boolean;
  /** Second and third part of its /16 subnet's addresses. */
  readonly subnet: number;
  /** Running containers: ID → address. */
  readonly attached: Map<string, { name: string; address: string; mac: string; endpoint: string }>;
  next: number;
}

const BUILT_IN = ["bridge", "host", "none"];

export class Networks {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #events: Events;
  readonly #byName = new Map<string, SimNetwork>();
  /** Networks that the engine has addresses for. */
  pools = 30;

  constructor(clock: Clock, random: Random, events: Events) {
    this.#clock = clock;
    this.#random = random;
    this.#events = events;
    for (const name of BUILT_IN) this.#add(name, name === "none" ? "null" : name, {});
  }

  #add(name: string, driver: string, posted: Json): SimNetwork {
    const network: SimNetwork = {
      id: this.#random.hex(32),
      name,
      driver,
      created: this.#clock.now(),
      labels: stringMap(posted.Labels),
      posted,
      pooled: !BUILT_IN.includes(name) && !hasSubnet(posted),
      subnet: 17 + this.#byName.size,
      attached: new Map(),
      next: 2,
    };
    this.#byName.set(name, network);
    return network;
  }

  all(): SimNetwork[] {
    return [...this.#byName.values()];
  }

  find(reference: string): SimNetwork | undefined {
    const named = this.#byName.get(reference === "default" ? "bridge" : reference);
    return named ?? this.all().find((network) => reference !== "" && network.id.startsWith(reference));
  }

  get(reference: string): SimNetwork {
    const network = this.find(reference);
    if (!network) throw notFound(`network ${reference} not found`);
    return network;
  }

  create(posted: Json): SimNetwork {
    const name = String(posted.Name ?? "");
    if (BUILT_IN.includes(name)) {
      throw new DockerError(403, `operation is not permitted on predefined ${name} network`);
    }
    if (this.#byName.has(name)) throw conflict(`network with name ${name} already exists`);
    if (!hasSubnet(posted) && this.all().filter(({ pooled }) => pooled).length >= this.pools) {
      throw badRequest("all predefined address pools have been fully subnetted");
    }
    const network = this.#add(name, String(posted.Driver ?? "") || "bridge", posted);
    this.#events.emit("network", "create", network.id, { name, type: network.driver });
    return network;
  }

  remove(reference: string): void {
    const network = this.get(reference);
    if (BUILT_IN.includes(network.name)) {
      throw new DockerError(403, `${network.name} is a pre-defined network and cannot be removed`);
    }
    if (network.attached.size > 0) {
      const who = [...network.attached.values()].map(
        ({ name, endpoint }) => `name:"${name}" id:"${endpoint.slice(0, 12)}"`,
      );
      throw new DockerError(
        403,
        `error while removing network: network ${network.name} has active endpoints (${who.join(", ")})`,
      );
    }
    this.#byName.delete(network.name);
    this.#events.emit("network", "destroy", network.id, { name: network.name, type: network.driver });
  }

  /** Gives a running container an address; emits `connect`. Answers its endpoint's inspect form. */
  connect(network: SimNetwork, container: { id: string; name: string }, posted: Json): Json {
    const last = network.next++;
    const address = network.driver === "bridge" ? `172.${network.subnet}.${(last >> 8) & 255}.${last & 255}` : "";
    const mac = `02:42:ac:${[network.subnet, (last >> 8) & 255, last & 255].map((part) => part.toString(16).padStart(2, "0")).join(":")}`;
    const endpoint = this.#random.hex(32);
    network.attached.set(container.id, { name: container.name, address, mac, endpoint });
    this.#events.emit("network", "connect", network.id, {
      container: container.id,
      name: network.name,
      type: network.driver,
    });
    return endpointForm(network, posted, { address, mac: address === "" ? "" : mac, endpoint });
  }

  disconnect(network: SimNetwork, container: string): void {
    if (!network.attached.delete(container)) return;
    this.#events.emit("network", "disconnect", network.id, {
      container,
      name: network.name,
      type: network.driver,
    });
  }
}

function hasSubnet({ IPAM }: Json): boolean {
  const config = obj(IPAM).Config;
  return Array.isArray(config) && config.some((part) => Boolean(obj(part).Subnet));
}

/** An endpoint as container inspect shows it; without an address while the container does not run. */
export function endpointForm(
  network: SimNetwork | undefined,
  posted: Json,
  live: { address: string; mac: string; endpoint: string } = { address: "", mac: "", endpoint: "" },
): Json {
  const on = live.address !== "";
  return {
    IPAMConfig: posted.IPAMConfig ?? null,
    Links: posted.Links ?? null,
    Aliases: posted.Aliases ?? null,
    MacAddress: live.mac,
    DriverOpts: posted.DriverOpts ?? null,
    GwPriority: 0,
    NetworkID: live.endpoint === "" ? "" : (network?.id ?? ""),
    EndpointID: live.endpoint,
    Gateway: on ? `172.${network?.subnet ?? 17}.0.1` : "",
    IPAddress: live.address,
    IPPrefixLen: on ? 16 : 0,
    IPv6Gateway: "",
    GlobalIPv6Address: "",
    GlobalIPv6PrefixLen: 0,
    DNSNames: null,
  };
}

export function networkForm(network: SimNetwork, withContainers: boolean): Json {
  const containers: Json = {};
  if (withContainers) {
    for (const [id, { name, address, mac, endpoint }] of network.attached) {
      const v4 = address === "" ? "" : `${address}/16`;
      containers[id] = { Name: name, EndpointID: endpoint, MacAddress: mac, IPv4Address: v4, IPv6Address: "" };
    }
  }
  const bridge = network.driver === "bridge";
  const config = bridge ? [{ Subnet: `172.${network.subnet}.0.0/16`, Gateway: `172.${network.subnet}.0.1` }] : null;
  return {
    Name: network.name,
    Id: network.id,
    Created: goTime(network.created),
    Scope: network.driver === "overlay" ? "swarm" : "local",
    Driver: network.driver,
    EnableIPv4: true,
    EnableIPv6: false,
    IPAM: { Driver: "default", Options: null, Config: obj(network.posted.IPAM).Config ?? config },
    Internal: network.posted.Internal === true,
    Attachable: network.posted.Attachable === true,
    Ingress: false,
    ConfigFrom: { Network: "" },
    ConfigOnly: false,
    Containers: containers,
    Options: obj(network.posted.Options),
    Labels: network.labels,
  };
}
