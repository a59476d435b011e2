/**
 * A manager that is alone, for one life: the real store, cluster, engines' code and API above the wire. Owns how they are
 * put together; must not know clients, faults or checkers.
 */
import { type Api, createApi } from "../../src/api/api.ts";
import type { Cluster } from "../../src/cluster/cluster.ts";
import { setEntries } from "../../src/cluster/membership.ts";
import { restore } from "../../src/cluster/restore.ts";
import { FileStore } from "../../src/store/drivers/file/file-store.ts";
import { type ManagerDisk, STORE_DIRECTORY } from "./disk.ts";
import type { Host } from "./host.ts";
import { Life } from "./life.ts";
import { Link } from "./link.ts";
import { HOST, logOf, openCluster, type Weakness } from "./open-cluster.ts";
import { type Plan, randomFor } from "./plan.ts";
import { MachineClock, type VirtualTime } from "./time.ts";
import type { Trace } from "./trace.ts";

/** A manager process, whether it is alone or one of several, for one life. */
export interface Process {
  /** Of where it runs: the same over all its lives. */
  readonly name: string;
  readonly life: Life;
  /** What answers clients; undefined until it does. */
  readonly api: Api | undefined;
  /** While it is alone, or leads. */
  readonly cluster: Cluster | undefined;
  /** Never rejects. */
  start(): Promise<void>;
}

export interface ProcessParts {
  readonly plan: Plan;
  readonly time: VirtualTime;
  readonly hosts: readonly Host[];
  readonly trace: Trace;
  /** Which of all lives it is, from 0. */
  readonly number: number;
  /** An error was logged: shoal's own, never an engine's. */
  readonly onError: (message: string) => void;
  readonly weakness: Weakness;
  /** It has a cluster from now on. */
  readonly leads: (cluster: Cluster, life: Life) => void;
}

export class Manager implements Process {
  readonly name = "manager";
  readonly life = new Life();
  readonly #parts: ProcessParts;
  readonly #disk: ManagerDisk;
  api: Api | undefined;
  cluster: Cluster | undefined;

  constructor(parts: ProcessParts, disk: ManagerDisk) {
    this.#parts = parts;
    this.#disk = disk;
  }

  /** As `shoal manage` does it: the store first, then what it tells, then the nodes, then clients. */
  async start(): Promise<void> {
    const { plan, time, hosts, weakness, trace, number, onError, leads } = this.#parts;
    const { life } = this;
    const clock = new MachineClock(time, 0, (fn) => life.whenAwake(fn, true));
    const log = logOf("manager", trace, onError, () => life.alive);
    const random = randomFor(plan.seed, `manager ${number}`);
    try {
      const store = await FileStore.open(STORE_DIRECTORY, { clock, log, disk: this.#disk.forLife(life) });
      const wireTo = (host: Host): Link => new Link({ time, host, life, trace });
      const cluster = openCluster({ plan, hosts, weakness, store, clock, random, log, wireTo });
      await restore(cluster);
      setEntries(
        cluster,
        hosts.map(({ entry }) => ({ address: entry })),
      );
      this.cluster = cluster;
      this.api = createApi(cluster, HOST, new AbortController().signal);
      leads(cluster, life);
    } catch (error) {
      trace.add("manager", `cannot start: ${String(error)}`);
      life.end();
    }
  }
}
