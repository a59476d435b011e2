/**
 * What will be done and what will befall in one run: made from the seed before the run begins, as data, so that a failing
 * run is shrunk by leaving items out. Must not know how any of it is carried out.
 */
import { pick, type Random, seededRandom } from "../../src/kit/random.ts";
import type { ObjectItem } from "./object-items.ts";

export const MB = 1024 ** 2;

export interface NodePlan {
  readonly memoryMb: number;
  readonly cpus: number;
  /** Containers that were there before shoal came. */
  readonly foreign: number;
  /** Networks that it has addresses for; undefined: many. With it there are a network and a volume from before shoal. */
  readonly pools?: number;
}

/** How a client names a container. */
export type By = "id" | "short" | "name";

interface At {
  /** Milliseconds after the beginning. */
  readonly at: number;
}

/** What belongs together. */
export interface ProjectPlan {
  readonly name: string;
  readonly policy: "pack" | "pack-then-spill" | "spread";
}

/** On each object of a project. */
export function labelsOfProject({ name, policy }: ProjectPlan): Record<string, string> {
  return {
    "com.docker.compose.project": name,
    ...(policy !== "pack" && { "shoal.group.policy": policy }),
  };
}

export interface CreateItem extends At {
  readonly do: "create";
  readonly client: number;
  /** Of a small pool, so that clients contend; 0: shoal chooses. */
  readonly name: number;
  readonly mb: number;
  readonly cpus: number;
  /** Host port; 0: none. */
  readonly port: number;
  readonly restart: "no" | "always" | "unless-stopped";
  readonly volume: "none" | "named" | "anonymous";
  readonly start: boolean;
  /** From an image that somebody committed, if there is one. */
  readonly committed: boolean;
  readonly project?: ProjectPlan;
  /** Names of the networks that it joins; the first is its mode. */
  readonly networks?: readonly string[];
  /** Names of further volumes that it mounts. */
  readonly volumes?: readonly string[];
}

export interface ChangeItem extends At {
  readonly do: "start" | "stop" | "restart" | "kill" | "pause" | "unpause" | "inspect" | "commit";
  readonly client: number;
  /** Index into what this client knows of. */
  readonly which: number;
  readonly by: By;
}

export interface RemoveItem extends At {
  readonly do: "remove";
  readonly client: number;
  readonly which: number;
  readonly by: By;
  readonly force: boolean;
  readonly volumes: boolean;
  /** Only one of this project. */
  readonly project?: string;
}

export interface RenameItem extends At {
  readonly do: "rename";
  readonly client: number;
  readonly which: number;
  readonly by: By;
  readonly name: number;
}

export interface UpdateItem extends At {
  readonly do: "update";
  readonly client: number;
  readonly which: number;
  readonly by: By;
  readonly mb: number;
}

export interface PlainItem extends At {
  readonly do: "list" | "prune";
  readonly client: number;
}

export type ClientItem = CreateItem | ChangeItem | RemoveItem | RenameItem | UpdateItem | PlainItem | ObjectItem;

export type OwnWork =
  | "create"
  | "start"
  | "stop"
  | "remove"
  | "rename"
  | "run committed"
  | "create network"
  | "create volume"
  | "remove network"
  | "remove volume";

/** Done on an engine past shoal. */
export interface OwnItem extends At {
  readonly do: "own";
  readonly node: number;
  readonly what: OwnWork;
  readonly which: number;
  /** Only among what was made past shoal, or anything that is there. */
  readonly onlyOwn: boolean;
  readonly name: number;
}

export type NodeFault =
  | "power cycle"
  | "power off"
  | "hang"
  | "partition"
  | "unstable"
  | "slow"
  | "lost events"
  | "cut events"
  | "disk full"
  | "clock step";

export interface NodeItem extends At {
  readonly do: "node";
  readonly node: number;
  readonly fault: NodeFault;
  readonly forMs: number;
}

/** The manager dies at its `io`-th call to the outside after `at`; `sent`: that call still goes out. */
export interface CrashItem extends At {
  readonly do: "crash";
  /** Which of several; absent: the one that leads. */
  readonly who?: number;
  readonly io: number;
  readonly sent: boolean;
  readonly downMs: number;
}

/**
 * A manager of several stands still: at once, or when it is about to send its `io`-th change of an engine after `at`,
 * between the decision to send it and the sending.
 */
export interface StallItem extends At {
  readonly do: "stall";
  readonly who?: number;
  readonly io?: number;
  readonly forMs: number;
  /** When it goes on: before what came over the network meanwhile. */
  readonly timersFirst: boolean;
}

/** Nothing gets through between two machines: `manager-1`, `leader`, `store`, `node-1`, `clients`. */
export interface CutItem extends At {
  readonly do: "cut";
  readonly between: readonly (readonly [string, string])[];
  readonly forMs: number;
}

/** The manager's own disk is slow, or takes nothing. */
export interface StoreItem extends At {
  readonly do: "store";
  readonly fault: "slow" | "full";
  readonly forMs: number;
}

export type Item = ClientItem | OwnItem | NodeItem | CrashItem | StallItem | CutItem | StoreItem;

export interface Plan {
  readonly seed: number;
  readonly nodes: readonly NodePlan[];
  readonly clients: number;
  /** Several over one store; absent: one with a store of its own. */
  readonly managers?: number;
  /** Every node has an agent with a fence; with several managers only. */
  readonly fenced?: true;
  readonly mintIds: boolean;
  /** Clients and faults end here; then everything has to come to rest. */
  readonly endMs: number;
  /** By `at`. */
  readonly items: readonly Item[];
}

/** A random source for one purpose of one seed: what is drawn for one thing does not shift what is drawn for another. */
export function randomFor(seed: number, purpose: string): Random {
  let hash = 2166136261;
  for (const char of `${seed} ${purpose}`) hash = Math.imul(hash ^ char.charCodeAt(0), 16777619);
  return seededRandom(hash);
}

export const chance = (random: Random, percent: number): boolean => random.int(100) < percent;

/** Which troubles a seed has: most have a few, some none and some all, so that each is also seen alone. */
export interface Temper {
  readonly crashes: number;
  readonly own: number;
  readonly faults: readonly NodeFault[];
  readonly faultCount: number;
  readonly storeFaults: number;
  readonly rush: boolean;
}

const FAULTS: readonly NodeFault[] = [
  "power cycle",
  "hang",
  "partition",
  "unstable",
  "slow",
  "lost events",
  "cut events",
  "disk full",
  "clock step",
];

export function temperOf(random: Random): Temper {
  const calm = chance(random, 10);
  const faults = FAULTS.filter(() => chance(random, 35));
  return {
    crashes: calm ? 0 : pick(random, [0, 0, 1, 1, 2, 3]),
    own: calm ? 0 : pick(random, [0, 0, 4, 8]),
    faults: calm ? [] : faults,
    faultCount: faults.length === 0 || calm ? 0 : pick(random, [1, 2, 4, 6]),
    storeFaults: calm ? 0 : pick(random, [0, 0, 0, 1, 2]),
    rush: chance(random, 30),
  };
}

/** @param nodes as many nodes instead of a few */
export function planOf(seed: number, nodes?: number): Plan {
  const random = randomFor(seed, "plan");
  const temper = temperOf(random);
  const count = nodes ?? pick(random, [2, 3, 3, 3, 4, 5]);
  const clients = nodes === undefined ? pick(random, [1, 2, 3, 4]) : 8;
  const endMs = pick(random, [15_000, 25_000, 40_000]);
  const ops = nodes === undefined ? pick(random, [15, 30, 50]) : 3 * nodes;
  const items: Item[] = [];
  for (let made = 0; made < ops; made++) items.push(clientItem(random, clients, endMs, temper.rush));
  items.push(...troubles(random, temper, count, endMs));
  items.sort((a, b) => a.at - b.at);
  return {
    seed,
    nodes: Array.from({ length: count }, () => nodePlan(random)),
    clients,
    mintIds: chance(random, 30),
    endMs,
    items,
  };
}

/** What befalls nodes, managers and their disks, and what somebody does past shoal. */
export function troubles(
  random: Random,
  temper: Temper,
  count: number,
  endMs: number,
  work: readonly OwnWork[] = OWN_WORK,
): Item[] {
  const items: Item[] = [];
  for (let made = 0; made < temper.own; made++) items.push(ownItem(random, count, endMs, work));
  for (let made = 0; made < temper.faultCount; made++) items.push(nodeItem(random, count, endMs, temper.faults));
  for (let made = 0; made < temper.crashes; made++) {
    const downMs = pick(random, [10, 500, 3_000]);
    items.push({
      at: 500 + random.int(endMs - 500),
      do: "crash",
      io: random.int(12),
      sent: chance(random, 50),
      downMs,
    });
  }
  for (let made = 0; made < temper.storeFaults; made++) {
    const fault = chance(random, 70) ? "slow" : "full";
    items.push({ at: 500 + random.int(endMs - 500), do: "store", fault, forMs: pick(random, [500, 3_000, 8_000]) });
  }
  return items;
}

const OWN_WORK: readonly OwnWork[] = ["create", "start", "stop", "remove", "rename", "run committed"];

function nodePlan(random: Random): NodePlan {
  return { memoryMb: pick(random, [512, 1024, 1024, 2048]), cpus: pick(random, [1, 2, 4]), foreign: random.int(3) };
}

/** In a rush everything happens within moments, in bursts. */
export function moment(random: Random, endMs: number, rush: boolean): number {
  if (!rush) return 100 + random.int(endMs - 100);
  const burst = 1 + random.int(4);
  return Math.min(endMs - 1, (burst * endMs) / 5 + random.int(pick(random, [4, 300])));
}

function clientItem(random: Random, clients: number, endMs: number, rush: boolean): ClientItem {
  const at = moment(random, endMs, rush);
  const client = random.int(clients);
  const which = random.int(1000);
  const by = pick<By>(random, ["id", "id", "short", "name", "name"]);
  const kind = random.int(100);
  if (kind < 34) return createItem(random, at, client);
  if (kind < 64) {
    const what = pick(random, ["start", "start", "stop", "restart", "kill", "pause", "unpause", "inspect", "commit"]);
    return { at, do: what as ChangeItem["do"], client, which, by };
  }
  if (kind < 76) {
    return { at, do: "remove", client, which, by, force: chance(random, 70), volumes: chance(random, 30) };
  }
  if (kind < 83) return { at, do: "rename", client, which, by, name: 1 + random.int(8) };
  if (kind < 88) return { at, do: "update", client, which, by, mb: pick(random, [64, 200, 500]) };
  if (kind < 98) return { at, do: "list", client };
  return { at, do: "prune", client };
}

function createItem(random: Random, at: number, client: number): CreateItem {
  return {
    at,
    do: "create",
    client,
    name: chance(random, 20) ? 0 : 1 + random.int(8),
    mb: pick(random, [0, 0, 64, 200, 400, 700]),
    cpus: pick(random, [0, 0, 0, 1, 2]),
    port: chance(random, 30) ? 8000 + random.int(3) : 0,
    restart: pick(random, ["no", "no", "always", "unless-stopped"]),
    volume: pick(random, ["none", "none", "named", "anonymous"]),
    start: chance(random, 60),
    committed: chance(random, 10),
  };
}

function ownItem(random: Random, nodes: number, endMs: number, work: readonly OwnWork[]): OwnItem {
  return {
    at: 100 + random.int(endMs - 100),
    do: "own",
    node: random.int(nodes),
    what: pick(random, work),
    which: random.int(1000),
    onlyOwn: chance(random, 60),
    name: random.int(8),
  };
}

function nodeItem(random: Random, nodes: number, endMs: number, faults: readonly NodeFault[]): NodeItem {
  return {
    at: 500 + random.int(endMs - 500),
    do: "node",
    node: random.int(nodes),
    fault: pick(random, faults),
    forMs: pick(random, [200, 1_000, 4_000, 9_000, 15_000]),
  };
}
