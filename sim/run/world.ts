/**
 * One simulated world from its plan to its verdict: hosts, managers, clients, fates, witness. Owns how they are put
 * together and when each acts.
 */
import type { Api } from "../../src/api/api.ts";
import type { Cluster } from "../../src/cluster/cluster.ts";
import type { ClusterNode } from "../../src/cluster/node.ts";
import { Agents } from "./agents.ts";
import type { ApiAnswer } from "./api-call.ts";
import { callApi } from "./api-call.ts";
import { Brake } from "./brake.ts";
import { Client } from "./clients.ts";
import { befall, doElsewhere, type FateParts, furnish } from "./fates.ts";
import { History, type Made } from "./history.ts";
import { Host } from "./host.ts";
import { Managers } from "./managers.ts";
import type { Weakness } from "./open-cluster.ts";
import type { Outcome } from "./outcome.ts";
import { Overlaps } from "./overlaps.ts";
import {
  type ClientItem,
  type CutItem,
  type Item,
  type NodeItem,
  type OwnItem,
  type Plan,
  randomFor,
  type StoreItem,
} from "./plan.ts";
import { differences } from "./rest.ts";
import { Strays } from "./strays.ts";
import { Things } from "./things.ts";
import { VirtualTime } from "./time.ts";
import { Trace } from "./trace.ts";
import { checkObjectOwners, checkOwners, checkState } from "./within.ts";
import { Witness } from "./witness.ts";

/** After the last fault everything agrees within this: a comparison with every engine, and some tries. */
const REST_MS = 150_000;
/** A client waits this long for an answer. */
const PATIENCE_MS = 45_000;
/** After a restart what an earlier manager left unanswered is owned or gone within this. */
const OWNED_MS = 10_000;

export interface Violation {
  readonly rule: string;
  readonly what: string;
  /** Virtual milliseconds. */
  readonly at: number;
}

export interface Result {
  readonly violations: readonly Violation[];
  readonly hash: string;
  readonly lines: number;
  readonly virtualMs: number;
  /** Creates that were answered with success. */
  readonly created: number;
  /** Containers that were made on another node as well. */
  readonly moved: number;
  /** Networks and volumes that clients were told of. */
  readonly objects: number;
  readonly crashes: number;
  /** Leaderships of managers that share a store. */
  readonly terms: number;
  /** Containers that engines made for managers which led no more. */
  readonly strays: number;
}

export interface RunOptions {
  /** Takes each line of the trace. */
  readonly sink?: (line: string) => void;
  /** A protection switched off in every manager. */
  readonly weakness?: Weakness;
}

export class World {
  readonly plan: Plan;
  readonly time = new VirtualTime();
  readonly hosts: readonly Host[];
  readonly history = new History();
  readonly things = new Things();
  readonly witness: Witness;
  readonly trace: Trace;
  readonly managers: Managers;
  readonly violations: Violation[] = [];
  readonly #strays: Strays;
  readonly #overlaps: Overlaps;
  readonly #agents: Agents;
  readonly #brake: Brake;
  readonly #clients: Client[];
  readonly #network;
  readonly #committed: string[] = [];
  readonly #ends = new Set<() => void>();
  /** When a host last had a fault. */
  readonly #troubled = new Map<Host, number>();

  constructor(plan: Plan, options: RunOptions = {}) {
    this.plan = plan;
    this.trace = new Trace(this.time, options.sink);
    this.#network = randomFor(plan.seed, "network of the clients");
    const isStray = (nonce: string | undefined): boolean => this.managers.shared.isStray(nonce);
    this.witness = new Witness(this.history, this.things, this.time, this.#complain, isStray);
    this.#strays = new Strays(this.history, this.#complain);
    this.hosts = plan.nodes.map((node, i) => {
      const host = new Host(this.time, plan.seed, i, node, () => {});
      furnish(host, node);
      this.witness.watch(host);
      return host;
    });
    this.#clients = Array.from({ length: plan.clients }, (_, number) => {
      const { time, history, things, trace } = this;
      return new Client(
        {
          time,
          history,
          things,
          trace,
          complain: this.#complain,
          committed: this.#committed,
          ask: this.#ask,
          troubled: (made) => this.#isTroubled(made),
          knows: (host) => this.#nodeOf(host)?.known === true,
          mayLackLeader: plan.managers !== undefined,
        },
        number,
      );
    });
    const { time, hosts, trace } = this;
    const weakness = options.weakness ?? {};
    this.managers = new Managers({
      plan,
      time,
      hosts,
      trace,
      weakness,
      complain: this.#complain,
      began: (cluster) => this.#checkLater(cluster),
    });
    const { network, shared } = this.managers;
    this.#agents = new Agents({ plan, time, hosts, network, shared, idle: weakness.idleAgents === true });
    const { history } = this;
    this.#brake = new Brake(hosts, history, time, this.#complain);
    this.#overlaps = new Overlaps({ history, hosts, agents: this.#agents.byHost, time, complain: this.#complain });
  }

  readonly #complain = (rule: string, what: string): void => {
    this.trace.add("CHECK", `${rule}: ${what}`);
    this.violations.push({ rule, what, at: Math.round(this.time.now) });
  };

  #isTroubled(made: Made): boolean {
    return made.living().some(({ host }) => this.time.now - (this.#troubled.get(host) ?? -Infinity) < 30_000);
  }

  #nodeOf({ entry }: Host): ClusterNode | undefined {
    const nodes = this.managers.leading?.cluster.nodes.values() ?? [];
    return [...nodes].find(({ address }) => address === entry);
  }

  /** What an earlier manager left is looked at some time after a cluster began. */
  #checkLater(cluster: Cluster): void {
    const { time, history, things } = this;
    const began = time.now;
    time.after(OWNED_MS, () => {
      if (this.managers.leading?.cluster !== cluster) return;
      const well = this.hosts.filter((host) => host.well && (this.#troubled.get(host) ?? -Infinity) < began);
      checkOwners(cluster, history, well, began, this.#complain);
      checkObjectOwners(cluster, things, well, began, this.#complain);
    });
  }

  /** Plays the plan to its end and waits until everything has come to rest. */
  async run(): Promise<Result> {
    const { plan, time, trace } = this;
    this.#agents.begin();
    this.managers.begin();
    const working = this.#clients.map((client, number) => client.run(plan.items.filter(isOf(number))));
    for (const item of plan.items) if (!isClients(item)) time.after(item.at, () => this.#befall(item));
    this.#look();
    await time.run(plan.endMs);
    await this.#calm();
    let idle = false;
    void Promise.all(working).then(() => {
      idle = true;
    });
    await this.#rest(() => idle);
    for (const { life } of this.managers.processes) life.end();
    const { history, things, violations } = this;
    return {
      violations,
      lines: trace.lines,
      hash: trace.digest(),
      virtualMs: Math.round(time.now),
      objects: things.all.filter(({ toldAt }) => toldAt < Number.POSITIVE_INFINITY).length,
      created: history.made.filter(({ id }) => id !== undefined).length,
      moved: history.made.filter(({ copies }) => copies.length > 1).length,
      crashes: this.managers.restarts,
      terms: this.managers.shared.term,
      strays: this.#strays.found,
    };
  }

  /** All faults end. */
  async #calm(): Promise<void> {
    this.trace.add("world", "calm");
    for (const end of [...this.#ends]) end();
    // A manager that is doomed dies at its next calls; one that is dead is started in a moment.
    await this.time.run(this.time.now + 4_000);
  }

  async #rest(idle: () => boolean): Promise<void> {
    const { time } = this;
    const end = time.now + REST_MS;
    let found: string[] = [];
    while (time.now < end) {
      await time.run(time.now + 1_000);
      found = await this.#unrest(idle);
      if (found.length === 0) return;
    }
    for (const what of found) this.#complain("rest", what);
  }

  async #unrest(idle: () => boolean): Promise<string[]> {
    const busy = this.#clients.flatMap((client) => (client.busy === undefined ? [] : [`no answer to ${client.busy}`]));
    if (!idle()) return busy.length > 0 ? busy : ["a client has not done yet"];
    const { leading, processes } = this.managers;
    if (!leading) return ["no manager"];
    const found: string[] = this.#agents.differences();
    found.push(...(this.managers.audienceOf(leading.cluster)?.differences() ?? []));
    for (const { name, api } of processes) {
      const list = api && (await this.#listOf(api));
      if (list?.status !== 200) return [`${name} does not answer a list`];
      if (list.warned) return [`${name} does not know who leads`];
      found.push(...differences(this, leading.cluster, list.text));
    }
    return found;
  }

  async #listOf(api: Api): Promise<ApiAnswer | undefined> {
    const list = { method: "GET", target: "/containers/json?all=1", client: "rest" };
    let answer: ApiAnswer | undefined;
    void callApi(api, { ...list, signal: new AbortController().signal }).then((given) => {
      answer = given;
    });
    await this.time.run(this.time.now + 30_000, () => answer !== undefined);
    return answer;
  }

  #befall(item: Exclude<Item, ClientItem>): void {
    if (item.do === "crash") this.managers.crash(item);
    else if (item.do === "stall") this.managers.stall(item);
    else if (item.do === "cut") this.#cut(item);
    else if (item.do === "store") this.#befallStore(item);
    else this.#befallNode(item);
  }

  #befallNode(item: OwnItem | NodeItem): void {
    const { time, history, witness, trace } = this;
    const host = this.hosts[item.node % this.hosts.length];
    if (!host) return;
    const parts: FateParts = { history, witness, trace, committed: this.#committed };
    if (item.do === "own") {
      doElsewhere(parts, host, item);
      return;
    }
    this.#troubled.set(host, time.now);
    const finish = this.#agents.share(host, item, befall(parts, host, item));
    this.#endLater(item.forMs, () => {
      this.#troubled.set(host, time.now);
      finish();
    });
  }

  #befallStore({ fault, forMs }: StoreItem): void {
    const { disk } = this.managers;
    this.trace.add("store", `${fault} for ${forMs} ms`);
    if (fault === "slow") disk.slowMs = 2_000;
    else disk.full = true;
    this.#endLater(forMs, () => {
      if (fault === "slow") disk.slowMs = 0;
      else disk.full = false;
      this.trace.add("store", `${fault} is over`);
    });
  }

  /** At its time, or when all faults end; once. */
  #endLater(ms: number, work: () => void): void {
    const end = (): void => {
      if (this.#ends.delete(end)) work();
    };
    this.#ends.add(end);
    this.time.after(ms, end);
  }

  #cut({ between, forMs }: CutItem): void {
    const { managers, trace, hosts, time } = this;
    for (const pair of between) {
      const [one = "", other = ""] = pair.map((name) => managers.machine(name));
      const heal = managers.network.between(one, other).cut();
      const host = hosts.find(({ name }) => name === other);
      const troubled = (): void => void (host && this.#troubled.set(host, time.now));
      trace.add("network", `nothing between ${one} and ${other} for ${forMs} ms`);
      troubled();
      this.#endLater(forMs, () => {
        trace.add("network", `${one} and ${other} hear each other`);
        troubled();
        heal();
      });
    }
  }

  /** Looks into the manager now and then. */
  #look(): void {
    this.time.after(500, () => {
      const cluster = this.managers.leading?.cluster;
      if (cluster) checkState(cluster, this.witness, this.hosts, this.#complain);
      this.#strays.look(cluster, this.time.now);
      this.#overlaps.look(cluster);
      this.#brake.look();
      this.#look();
    });
  }

  /** One call of a client, over its own network. */
  readonly #ask = (client: number, method: string, target: string, body?: unknown): Promise<Outcome> => {
    const { time, trace } = this;
    const who = `client ${client}`;
    return new Promise((resolve) => {
      const delay = (): number => 0.1 + this.#network.int(2_000) / 1_000;
      const gone = new AbortController();
      let over = false;
      const end = (outcome: Outcome): void => {
        if (over) return;
        over = true;
        patience.cancel();
        unhook();
        const said = typeof outcome === "object" ? `${outcome.status} ${shorten(outcome)}` : outcome;
        trace.add(who, `${method} ${target.replace(/([0-9a-f]{12})[0-9a-f]{52}/g, "$1")}: ${said}`);
        resolve(outcome);
      };
      let unhook = (): void => {};
      const patience = time.after(PATIENCE_MS, () => {
        end("no answer");
        gone.abort(new Error("the client went away"));
      });
      trace.add(who, `${method} ${target.replace(/([0-9a-f]{12})[0-9a-f]{52}/g, "$1")}`);
      const { managers } = this;
      const { name } = managers.next();
      const path = managers.network.between(name, "clients");
      time.after(delay(), () =>
        path.whenWhole(() => {
          const process = managers.processes.find((one) => one.name === name);
          const api = process?.api;
          if (!process?.life.alive || !api) {
            end("refused");
            return;
          }
          const { life } = process;
          unhook = life.onEnd(() => time.after(0, () => end("no answer")));
          life.whenAwake(
            () =>
              void callApi(api, { method, target, body, client: who, signal: gone.signal }).then((answer) => {
                // What a dead process says reaches nobody.
                if (life.alive) time.after(delay(), () => path.whenWhole(() => end(answer ?? "no answer")));
              }),
          );
        }),
      );
    });
  };
}

const isClients = (item: Item): item is ClientItem => "client" in item;
const isOf =
  (client: number) =>
  (item: Item): item is ClientItem =>
    isClients(item) && item.client === client;

function shorten({ status, text }: ApiAnswer): string {
  return status >= 400 ? text.trim().slice(0, 160) : text.slice(0, 60).trim();
}

/** Plays a plan. The same plan gives the same result. */
export function play(plan: Plan, options: RunOptions = {}): Promise<Result> {
  return new World(plan, options).run();
}
