/**
 * A whole cluster in one process: simulated engines behind their in-memory wires, the real virtual engine over them, and
 * what a test does with both. Owns the wiring and its end; must not know what is tested.
 */

import { bringing, broughtByPull } from "../../src/cluster/brought-images.ts";
import { changed } from "../../src/cluster/changed.ts";
import { Cluster, type ClusterOptions } from "../../src/cluster/cluster.ts";
import { type CreateAnswer, createContainer } from "../../src/cluster/create.ts";
import { forgetAnswered } from "../../src/cluster/forget.ts";
import { clusterInfo, type HostFacts } from "../../src/cluster/info.ts";
import { type ListQuery, listContainers } from "../../src/cluster/list-containers.ts";
import { requireContainer } from "../../src/cluster/lookup.ts";
import { leaveAll, setEntries } from "../../src/cluster/membership.ts";
import type { ClusterNode } from "../../src/cluster/node.ts";
import { nodesForPull } from "../../src/cluster/pull.ts";
import type { ContainerRecord } from "../../src/cluster/record.ts";
import { renameContainer } from "../../src/cluster/rename.ts";
import { restore } from "../../src/cluster/restore.ts";
import { startContainer, whileStarting } from "../../src/cluster/start.ts";
import { clusterInspect, engineRef } from "../../src/cluster/translate.ts";
import { updateContainer } from "../../src/cluster/update.ts";
import type { Entry } from "../../src/discovery/discovery.ts";
import { DockerError } from "../../src/docker/errors.ts";
import { Engine } from "../../src/engine/engine.ts";
import type { EngineTiming } from "../../src/engine/timing.ts";
import type { EngineWire } from "../../src/engine/wire/wire.ts";
import { systemClock } from "../../src/kit/clock.ts";
import { Limit } from "../../src/kit/limit.ts";
import { type Logger, silentLog } from "../../src/kit/log.ts";
import { seededRandom } from "../../src/kit/random.ts";
import { filtersByName } from "../../src/scheduler/filters/index.ts";
import { DEFAULT_GROUPS } from "../../src/scheduler/group.ts";
import { strategyByName } from "../../src/scheduler/strategies/index.ts";
import { MemoryStore, MemoryStoreData } from "../../src/store/drivers/memory.ts";
import { SimEngine, type SimEngineOptions } from "../engine/engine.ts";
import { Meddler } from "./meddler.ts";
import { Life, mortalStore, mortalWire } from "./mortal.ts";
import { TestClock } from "./test-clock.ts";

export const MB = 1024 ** 2;
export const GB = 1024 ** 3;

/** Fast enough that trouble is noticed within a test, slow enough for a busy machine. */
const TIMING: Partial<EngineTiming> = {
  pingMs: 1_000,
  pingEveryMs: 100,
  missEveryMs: 60,
  misses: 3,
  verdictMs: 150,
  verdictTryMs: 40,
  shortSessionMs: 1,
  reconnect: { first: 10, longest: 50 },
};

export interface WorldOptions extends Partial<Omit<ClusterOptions, "openEngine" | "strategy" | "filters" | "clock">> {
  /** How many engines `node-1` …, or what each is like. */
  readonly nodes?: number | readonly Partial<SimEngineOptions>[];
  readonly strategy?: string;
  readonly timing?: Partial<EngineTiming>;
  readonly seed?: number;
  /** Puts something between the manager and each engine. */
  readonly wrapWire?: (wire: EngineWire, engine: SimEngine) => EngineWire;
}

/** A row of `GET /containers/json`, as far as tests look at it. */
export interface Row {
  readonly Id: string;
  readonly Names: readonly string[];
  readonly Image: string;
  readonly State: string;
  readonly Status: string;
  readonly Created: number;
  readonly Labels: Readonly<Record<string, string>>;
  readonly Ports: readonly { IP?: string; PrivatePort: number; PublicPort?: number; Type: string }[];
  readonly HostConfig: { readonly NetworkMode?: string };
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, { NetworkID: string }>> };
  readonly SizeRootFs?: number;
}

export type Body = Readonly<Record<string, unknown>>;
const toEntry = (entry: string | Entry): Entry => (typeof entry === "string" ? { address: entry } : entry);

export const entryOf = (index: number): string => `10.0.0.${index}:2375`;

export class World {
  readonly clock = new TestClock(systemClock);
  readonly engines: SimEngine[] = [];
  /** Outlives managers. */
  readonly storeData = new MemoryStoreData();
  readonly store = new MemoryStore(this.storeData);
  cluster: Cluster;
  readonly warnings: string[] = [];
  /** Between the manager and each engine. */
  readonly #meddlers = new Map<SimEngine, Meddler>();
  readonly #addresses = new Map<string, SimEngine>();
  readonly #options: WorldOptions;
  readonly #random;
  /** Of the manager of now. */
  #life = new Life();

  private constructor(options: WorldOptions) {
    this.#options = options;
    this.#random = seededRandom(options.seed ?? 1);
    const nodes =
      typeof options.nodes === "object" ? options.nodes : Array.from({ length: options.nodes ?? 3 }, () => ({}));
    for (const node of nodes) this.addEngine(node);
    this.cluster = this.#makeCluster({});
  }

  /** Resolves when every engine is read. */
  static async open(options: WorldOptions = {}): Promise<World> {
    const world = new World(options);
    await restore(world.cluster);
    world.join();
    await world.healthy();
    return world;
  }

  /** Engines without anybody connected to them: `join` does that. */
  static prepare(options: WorldOptions = {}): World {
    return new World(options);
  }

  addEngine(options: Partial<SimEngineOptions>): SimEngine {
    const name = `node-${this.engines.length + 1}`;
    const engine = new SimEngine({ clock: this.clock, random: this.#random, name, pullable: "any", ...options });
    this.engines.push(engine);
    this.#meddlers.set(engine, new Meddler());
    this.#addresses.set(entryOf(this.engines.length), engine);
    return engine;
  }

  /** Of the manager of now. */
  get life(): Life {
    return this.#life;
  }

  /** What discovery lists from now on: every engine at its own address unless said otherwise. */
  join(entries: readonly (string | Entry)[] = [...this.#addresses.keys()]): void {
    setEntries(this.cluster, entries.map(toEntry));
  }

  /** Another address of an engine. */
  address(entry: string, engine: SimEngine): void {
    this.#addresses.set(entry, engine);
  }

  #makeCluster(changed: WorldOptions): Cluster {
    const life = new Life();
    this.#life = life;
    const { strategy, timing, wrapWire, nodes: _nodes, seed: _seed, ...rest } = { ...this.#options, ...changed };
    const reading = new Limit(64, 10_000);
    const { clock } = this;
    const random = this.#random;
    const log: Logger = { ...silentLog, warn: (message) => this.warnings.push(message), with: () => log };
    return new Cluster({
      overcommit: 0.05,
      cpuShares: "cpus",
      pullTo: "one",
      groups: DEFAULT_GROUPS,
      nodeNames: false,
      foreign: undefined,
      mintIds: false,
      random,
      log,
      store: mortalStore(this.store, life),
      ...rest,
      strategy: strategyByName(strategy),
      filters: filtersByName([]),
      clock,
      openEngine: (entry, observer) => {
        const engine = this.#addresses.get(entry);
        if (!engine) throw new Error(`no engine at ${entry}`);
        return new Engine({
          wire: mortalWire(
            this.meddle(engine.name).wrap(wrapWire?.(engine.wire(entry), engine) ?? engine.wire(entry)),
            life,
          ),
          clock,
          random,
          log,
          observer,
          reading,
          timing: { ...TIMING, ...timing },
        });
      },
    });
  }

  /** Of another manager, which changes nothing; nothing is known to it yet. */
  makeFollower(): Cluster {
    const life = this.#life;
    const follower = this.#makeCluster({ follows: true });
    this.#life = life;
    return follower;
  }

  /** Another manager's cluster, which follows this one's. Resolves when every engine is read. */
  async follow(): Promise<Cluster> {
    const follower = this.makeFollower();
    await restore(follower);
    setEntries(follower, this.#entries());
    await this.until("all nodes read", () =>
      [...follower.nodes.values()].every((node) => node.reachable && node.known),
    );
    return follower;
  }

  /** The manager ends, and another one starts over the same engines (or those of other entries). */
  async restartManager(changed: WorldOptions = {}, entries = this.#entries()): Promise<void> {
    await leaveAll(this.cluster);
    await this.cluster.writer.idle();
    await this.#startManager(entries, changed);
    await this.healthy();
  }

  /**
   * The manager dies where it stands: nothing that it still had to do happens, in the store or on an engine; and another
   * one starts. Nobody waits until it has read its engines.
   */
  async crashManager(changed: WorldOptions = {}): Promise<void> {
    this.#life.alive = false;
    await leaveAll(this.cluster);
    await this.#startManager(this.#entries(), changed);
  }

  #entries(): readonly Entry[] {
    return [...this.cluster.nodes.values()].map(({ entry }) => entry);
  }

  async #startManager(entries: readonly Entry[], changed: WorldOptions): Promise<void> {
    this.cluster.events.close();
    this.cluster = this.#makeCluster(changed);
    await restore(this.cluster);
    setEntries(this.cluster, entries);
  }

  /** Every node that may serve is read and measured. */
  healthy(): Promise<void> {
    return this.until("all nodes healthy", () =>
      [...this.cluster.nodes.values()].every((node) => node.reachable && node.known && node.unmeasured === 0),
    );
  }

  /** Waits for a condition, at most ten seconds. */
  async until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    const end = systemClock.monotonic() + 10_000;
    while (!(await holds())) {
      if (systemClock.monotonic() > end) throw new Error(`waited in vain: ${what}`);
      await systemClock.sleep(2);
    }
  }

  engine(name: string): SimEngine {
    const engine = this.engines.find((candidate) => candidate.name === name);
    if (!engine) throw new Error(`no engine ${name}`);
    return engine;
  }

  /** What stands between the manager and an engine. */
  meddle(name: string): Meddler {
    const meddler = this.#meddlers.get(this.engine(name));
    if (!meddler) throw new Error(`no engine ${name}`);
    return meddler;
  }

  node(name: string): ClusterNode {
    const node = this.cluster.nodeByName(name);
    if (!node) throw new Error(`no node ${name}`);
    return node;
  }

  record(ref: string): ContainerRecord {
    return requireContainer(this.cluster, ref);
  }

  create(
    name: string,
    body: Body | string = {},
    more: { version?: string; client?: string } = {},
  ): Promise<CreateAnswer> {
    const text =
      typeof body === "string" ? body : JSON.stringify({ Image: "busybox", Cmd: ["sleep", "infinity"], ...body });
    return createContainer(this.cluster, name, {
      text,
      version: more.version,
      platform: undefined,
      client: more.client ?? "test",
    });
  }

  async start(ref: string): Promise<boolean> {
    return startContainer(this.cluster, this.record(ref), ref, "", undefined);
  }

  async run(name: string, body: Body = {}): Promise<ContainerRecord> {
    const { record } = await this.create(name, body);
    await this.start(record.id);
    return this.record(record.id);
  }

  async rename(ref: string, to: string): Promise<void> {
    return renameContainer(this.cluster, this.record(ref), ref, to, undefined);
  }

  async update(ref: string, body: Body | string): Promise<string> {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    return updateContainer(this.cluster, this.record(ref), ref, text, undefined);
  }

  /** stop, kill, pause, unpause or restart, as the API does them. */
  async change(ref: string, action: string): Promise<void> {
    const record = this.record(ref);
    const askedAt = this.clock.monotonic();
    const work = () => record.node.engine.text("POST", `/containers/${engineRef(record, ref)}/${action}`);
    await (action === "restart" ? whileStarting(this.cluster, record, work) : work());
    changed(this.cluster, record, action, askedAt);
  }

  stop(ref: string): Promise<void> {
    return this.change(ref, "stop");
  }

  /** `rm -f`, as the API does it. */
  async remove(ref: string): Promise<void> {
    const record = this.record(ref);
    await record.node.engine.text("DELETE", `/containers/${engineRef(record, ref)}?force=1`);
    await forgetAnswered(this.cluster, record);
  }

  async list(
    query: Partial<Omit<ListQuery, "filters">> & { filters?: Record<string, readonly string[]> } = {},
  ): Promise<Row[]> {
    const filters = query.filters ? JSON.stringify(query.filters) : null;
    const pieces = await listContainers(this.cluster, { all: true, limit: 0, size: false, ...query, filters });
    return JSON.parse(Buffer.concat(pieces).toString()) as Row[];
  }

  /** First names of the list, newest first, without the slash. */
  async names(filters?: Record<string, readonly string[]>, all = true): Promise<string[]> {
    const rows = await this.list(filters ? { filters, all } : { all });
    return rows.map(({ Names }) => (Names[0] ?? "").slice(1));
  }

  async inspect(ref: string): Promise<Record<string, never> & { Id: string; Name: string; [key: string]: unknown }> {
    const record = this.record(ref);
    const text = await record.node.engine.text("GET", `/containers/${engineRef(record, ref)}/json`);
    return JSON.parse(clusterInspect(this.cluster, record, text));
  }

  /** Pulls as the API does: where the cluster says. @returns names of the nodes */
  async pull(image: string, client = "test"): Promise<string[]> {
    const nodes = nodesForPull(this.cluster, client, image);
    const pulled = await bringing(this.cluster, nodes, broughtByPull(image));
    const path = `/images/create?fromImage=${encodeURIComponent(image)}`;
    await Promise.all(nodes.map((node) => node.engine.text("POST", path)));
    await pulled(false);
    return nodes.map(({ name }) => name);
  }

  /** The pairs of `docker info`'s block, by node: name → key → value. */
  info(): { readonly whole: Record<string, unknown>; readonly nodes: Record<string, Record<string, string>> } {
    const whole = clusterInfo(this.cluster, HOST);
    const nodes: Record<string, Record<string, string>> = {};
    let current: Record<string, string> = {};
    for (const [key, value] of (whole.SystemStatus as [string, string][]).slice(4)) {
      if (key.startsWith("  └ ")) current[key.slice(4)] = value;
      else if (key.startsWith(" ")) {
        current = { Address: value };
        nodes[key.trim()] = current;
      }
    }
    return { whole, nodes };
  }

  /** Ends everything and sees to it that nothing is left: streams, timers. */
  async close(): Promise<void> {
    this.cluster.events.close();
    for (const engine of this.engines) engine.faults.clear();
    await leaveAll(this.cluster);
    await Promise.all(this.engines.map((engine) => engine.close()));
    for (const engine of this.engines) {
      await this.until(`no event stream left on ${engine.name}`, () => engine.daemon.events.readers === 0);
    }
    await this.until("no timer left", () => this.clock.foreground === 0);
  }
}

/** A manager's host, for what shows one. */
export const HOST: HostFacts = {
  id: "test",
  hostName: "manager",
  version: "0",
  kernel: "",
  apiVersion: "1.51",
  goArchitecture: "amd64",
  runtime: "",
  operatingSystem: "",
  architecture: "x86_64",
  warnings: [],
  debug: false,
  experimental: false,
  openStreams: () => 0,
};

/** What a call was refused with. Throws when it was not. */
export async function refusal(work: Promise<unknown>): Promise<{ status: number; message: string }> {
  try {
    await work;
  } catch (error) {
    if (error instanceof DockerError) return { status: error.status, message: error.message };
    throw error;
  }
  throw new Error("it was not refused");
}
