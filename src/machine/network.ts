/**
 * The network of one cluster: a bridge in a network namespace of its own, joined to the host by one veth pair. Because the
 * bridge is not in the host's namespace, bridged frames never cross the host's iptables and no rule or sysctl of the host
 * is touched. Must not know engines.
 */
import { readFile, rm, writeFile } from "node:fs/promises";
import { attempt, run } from "./command.ts";
import { failed, MachineError, unfit } from "./errors.ts";
import type { ClusterRecord } from "./records.ts";
import { gatewayOf, overlaps, parseSubnet, takenSubnets } from "./subnet.ts";

const BRIDGE = "br0";
const UPLINK = "up0";

export class ClusterNetwork {
  readonly #file: string;
  readonly #cluster: ClusterRecord;

  /** @param file where the namespace is kept mounted */
  constructor(file: string, cluster: ClusterRecord) {
    this.#file = file;
    this.#cluster = cluster;
  }

  /** The host's end: the route to the machines. */
  get hostLink(): string {
    return `shoal${this.#cluster.id}`;
  }

  #port(host: number): string {
    return `m${host}`;
  }

  /** Makes the network where it is missing or broken. The caller holds the cluster's lock. */
  async ensure(): Promise<void> {
    if (await this.#whole()) return;
    await this.remove();
    const taken = await takenOnHost();
    const own = parseSubnet(this.#cluster.subnet);
    const clash = taken.find((text) => {
      const other = parseSubnet(text);
      return own && other && overlaps(own, other);
    });
    if (clash)
      throw failed(`this cluster's subnet ${this.#cluster.subnet} is now used on this host (${clash}); free it`);
    await writeFile(this.#file, "");
    await explain(() => run(["unshare", `--net=${this.#file}`, "true"]));
    const gateway = gatewayOf(this.#cluster.subnet);
    await explain(() => this.#inside([`link add ${BRIDGE} type bridge`, `link set ${BRIDGE} up`]));
    await explain(() =>
      run(["ip", "link", "add", this.hostLink, "type", "veth", "peer", "name", UPLINK, "netns", this.#file]),
    );
    await this.#inside([`link set ${UPLINK} master ${BRIDGE} up`, "link set lo up"]);
    await run(["ip", "address", "add", `${gateway}/24`, "dev", this.hostLink]);
    await run(["ip", "link", "set", this.hostLink, "up"]);
  }

  async #whole(): Promise<boolean> {
    if (!(await this.#mounted())) return false;
    const link = await attempt(["ip", "-4", "-o", "address", "show", "dev", this.hostLink, "up"]);
    return link.code === 0 && link.stdout.includes(` ${gatewayOf(this.#cluster.subnet)}/24 `);
  }

  async #mounted(): Promise<boolean> {
    const mounts = await readFile("/proc/self/mounts", "utf8");
    return mounts.split("\n").some((line) => line.startsWith("nsfs ") && line.split(" ")[1] === this.#file);
  }

  /** Removes all of it; what is not there is no error. Removing the file also unmounts it wherever it was inherited. */
  async remove(): Promise<void> {
    await attempt(["ip", "link", "del", this.hostLink]);
    while (await this.#mounted()) await run(["umount", this.#file]);
    await rm(this.#file, { force: true });
  }

  /** Plugs a machine in: a veth pair from the bridge to `eth0` in the network namespace of process `pid`. */
  async plug(host: number, mac: string, pid: number): Promise<void> {
    const port = this.#port(host);
    await this.unplug(host);
    await explain(() =>
      this.#inside([
        `link add ${port} type veth peer name eth0 address ${mac} netns ${pid}`,
        `link set ${port} master ${BRIDGE} up`,
      ]),
    );
  }

  /** Removes a machine's port; none is no error. */
  async unplug(host: number): Promise<void> {
    if (await this.#mounted()) await attempt(this.#enter(["ip", "link", "del", this.#port(host)]));
  }

  /** Pulls the cable (false) or puts it back (true). */
  async setLink(host: number, up: boolean): Promise<void> {
    await this.#inside([`link set ${this.#port(host)} ${up ? "up" : "down"}`]);
  }

  #enter(argv: string[]): string[] {
    return ["nsenter", `--net=${this.#file}`, "--", ...argv];
  }

  async #inside(lines: string[]): Promise<void> {
    await run(this.#enter(["ip", "-batch", "-"]), { input: `${lines.join("\n")}\n` });
  }
}

/** Subnets that this host routes or has addresses in. */
export async function takenOnHost(): Promise<string[]> {
  const [routes, addresses] = await Promise.all([
    run(["ip", "-4", "route", "show", "table", "all"]),
    run(["ip", "-4", "-o", "address"]),
  ]);
  return takenSubnets(routes, addresses);
}

/** Says what the kernel lacks when it refuses. */
async function explain<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof MachineError)) throw error;
    if (/Unknown device type|not supported/i.test(error.message))
      throw unfit(`this kernel has no bridge or no veth devices (modprobe bridge veth): ${error.message}`);
    if (/not permitted|denied/i.test(error.message))
      throw unfit(`this system forbids new namespaces (a container needs --privileged): ${error.message}`);
    throw error;
  }
}
