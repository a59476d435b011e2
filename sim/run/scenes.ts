/**
 * Plans for what the usual ones seldom come to, the same scene again and again with other luck. Must not know how any of
 * it is carried out.
 */
import { pick, type Random } from "../../src/kit/random.ts";
import type { ObjectCreateItem, ObjectKind } from "./object-items.ts";
import {
  type ChangeItem,
  type CreateItem,
  type Item,
  type NodeFault,
  type Plan,
  type ProjectPlan,
  randomFor,
} from "./plan.ts";
import { projectsOf } from "./projects.ts";

/** Each has its clients and its name. */
const ROUNDS = 6;
const ROUND_MS = 5_000;

interface Round {
  readonly random: Random;
  readonly nodes: number;
  readonly begin: number;
  readonly client: number;
}

/**
 * Containers move: created while all is well, started when their node takes nothing more, so that another one makes them
 * again, and managers die meanwhile.
 */
function moves(round: Round): Item[] {
  const { random, begin } = round;
  const start = begin + 1_000;
  return [
    createItem(round, begin),
    ...allButOne(round, begin + 500, "disk full", 2_000),
    // One that a death left unanswered is asked for again.
    ...[start, start + 1_000].map((at) => startItem(round, at)),
    ...(random.int(2) === 0 ? [crashItem(round, start, 10)] : []),
  ];
}

/** Creates are left open: a manager dies in one, its node is lost, and somebody wants the name. */
function openCreates(round: Round): Item[] {
  const { random, begin } = round;
  return [
    createItem(round, begin),
    crashItem(round, begin, 5),
    ...allButOne(round, begin + 5 + random.int(10), pick(random, ["partition", "power cycle"]), 2_000),
    createItem(round, begin + 1_000),
  ];
}

/**
 * Hosts are lost for so long that what ran there goes on elsewhere, or waits; some come back in the middle of that, and
 * managers die meanwhile, and clients work on.
 */
function lostHosts(round: Round): Item[] {
  const { random, begin, nodes, client } = round;
  const made: CreateItem = {
    ...createItem(round, begin),
    restart: pick(random, ["always", "unless-stopped", "no"]),
    mb: pick(random, [64, 700, 1500]),
    volume: pick(random, ["none", "none", "none", "anonymous"]),
    start: true,
  };
  const lostAt = begin + 1_000;
  const fault = pick<NodeFault>(random, ["power off", "power off", "partition", "hang"]);
  const forMs = pick(random, [11_000, 16_000, 30_000]);
  const what = pick<ChangeItem["do"]>(random, ["stop", "restart", "start", "kill", "inspect"]);
  const later = lostAt + 5_000 + random.int(20_000);
  return [
    made,
    { at: lostAt, do: "node", node: random.int(nodes), fault, forMs },
    { at: later, do: what, client, which: 0, by: pick(random, ["id", "name"]) },
    ...(random.int(3) === 0
      ? [{ at: later + 200, do: "remove", client, which: 0, by: "name", force: true, volumes: false } as const]
      : []),
    { at: later + 400, do: "list", client },
    ...(random.int(2) === 0 ? [crashItem(round, lostAt + 8_000 + random.int(6_000), 12)] : []),
  ];
}

const MANAGERS = 3;

/**
 * Three managers over one store, clients that talk to each of them in turn, and in every round the one that leads dies,
 * stands still in the middle of what it does, or is cut off; then somebody wants the name.
 */
function replicas(round: Round): Item[] {
  const { random, begin, nodes, client } = round;
  const made: CreateItem = {
    ...createItem(round, begin),
    restart: pick(random, ["always", "unless-stopped", "no"]),
    mb: pick(random, [64, 700]),
    port: random.int(3) === 0 ? 8000 : 0,
    start: random.int(3) > 0,
  };
  const rival = {
    ...made,
    at: begin + pick(random, [10, 3_000, 6_000]) + random.int(2_000),
    client: (client + 1) % ROUNDS,
  };
  const later = begin + 2_000 + random.int(9_000);
  const what = pick<ChangeItem["do"]>(random, ["stop", "restart", "start", "kill", "inspect"]);
  const change = (at: number): ChangeItem => ({ at, do: what, client, which: 0, by: pick(random, ["id", "name"]) });
  const remove = { client, which: 0, by: "name", force: true, volumes: false } as const;
  return [
    made,
    ...leaderTrouble(random, begin + random.int(400), nodes),
    ...(random.int(3) > 0 ? [rival] : []),
    ...(random.int(2) === 0 ? [change(begin + 100 + random.int(600))] : []),
    change(later),
    { at: later + 100 + random.int(1_000), do: "list", client: rival.client },
    ...(random.int(3) === 0 ? [{ at: later + 200, do: "remove", ...remove } as const] : []),
    { at: later + 400 + random.int(2_000), do: "list", client },
    ...(random.int(3) === 0 ? leaderTrouble(random, later, nodes) : []),
    ...(random.int(4) === 0
      ? [
          {
            at: begin + random.int(3_000),
            do: "node",
            node: random.int(nodes),
            fault: pick<NodeFault>(random, ["power off", "partition", "slow", "unstable", "power cycle"]),
            forMs: pick(random, [3_000, 12_000]),
          } as const,
        ]
      : []),
  ];
}

function leaderTrouble(random: Random, at: number, nodes: number): Item[] {
  const forMs = pick(random, [1_000, 2_500, 5_000, 12_000]);
  const timersFirst = random.int(2) === 0;
  const node = `node-${1 + random.int(nodes)}`;
  const cut = (...between: readonly (readonly [string, string])[]): Item => ({ at, do: "cut", between, forMs });
  switch (random.int(9)) {
    case 0:
    case 1:
    case 2:
      return [{ at, do: "stall", io: random.int(4), forMs: pick(random, [4_000, 8_000, 20_000]), timersFirst }];
    case 3:
      return [{ at, do: "stall", forMs, timersFirst }];
    case 4:
      return [{ at, do: "crash", io: random.int(25), sent: random.int(2) === 0, downMs: pick(random, [10, 4_000]) }];
    case 5:
      return [cut(["leader", "store"])];
    case 6:
      return [cut(["leader", node])];
    case 7: {
      const others = Array.from({ length: MANAGERS }, (_, n) => ["leader", `manager-${n + 1}`] as const);
      return random.int(2) === 0 ? [cut(["leader", "store"], ["leader", "clients"], ...others)] : [cut(...others)];
    }
    default:
      return [cut(...Array.from({ length: MANAGERS }, (_, n) => [`manager-${n + 1}`, "store"] as const))];
  }
}

/**
 * The same of lost hosts where each node has an agent with a fence, under several managers: what is cut off is cut off from
 * the store, too, or from it alone, or from the manager that leads.
 */
function fences(round: Round): Item[] {
  const { random, begin, nodes, client } = round;
  const made: CreateItem = {
    ...createItem(round, begin),
    restart: pick(random, ["always", "unless-stopped"]),
    volume: "none",
    start: true,
  };
  const at = begin + 1_000;
  const forMs = pick(random, [4_000, 11_000, 25_000]);
  const which = random.int(nodes);
  const node = `node-${1 + which}`;
  const cut = (...between: readonly (readonly [string, string])[]): Item => ({ at, do: "cut", between, forMs });
  const fromManagers = Array.from({ length: MANAGERS }, (_, n) => [`manager-${n + 1}`, node] as const);
  const lost = pick<() => Item>(random, [
    ...(["power off", "power cycle", "partition", "hang"] as const).map(
      (fault) => (): Item => ({ at, do: "node", node: which, fault, forMs }),
    ),
    () => cut([node, "store"]),
    () => cut(...fromManagers),
    () => cut(["leader", node]),
  ])();
  const what = pick<ChangeItem["do"]>(random, ["stop", "restart", "start", "kill", "inspect"]);
  return [
    made,
    lost,
    ...(random.int(2) === 0 ? leaderTrouble(random, at + random.int(12_000), nodes) : []),
    { at: at + 3_000 + random.int(9_000), do: what, client, which: 0, by: pick(random, ["id", "name"]) },
    { at: at + 4_000 + random.int(9_000), do: "list", client },
  ];
}

/**
 * The one that leads stands still when it is about to send a create; the next one gives that up, somebody takes the name,
 * and others lead when the create arrives after all.
 */
function givenUp(round: Round): Item[] {
  const { random, begin, client } = round;
  const made = createItem(round, begin);
  // One of them asks a manager that does not stand still.
  const rivals = [1, 2].map((n) => ({ ...made, at: begin + 6_000 + n * 500, client: (client + n) % ROUNDS }));
  return [
    { at: begin, do: "stall", io: 0, forMs: pick(random, [14_000, 16_000]), timersFirst: random.int(2) === 0 },
    made,
    ...allButOne(round, begin + 5_500, "disk full", 3_000),
    ...rivals,
    crashItem(round, begin + 9_000 + random.int(500), 3),
    { at: begin + 17_000, do: "list", client },
  ];
}

const BLACKOUT_NODES = 20;

/** Most of many nodes vanish at the same moment, for as long as would do to make everything elsewhere; a manager may die. */
function blackouts(seed: number): Plan {
  const random = randomFor(seed, "blackouts");
  const items: Item[] = [];
  for (let client = 0; client < ROUNDS; client++) {
    for (const at of [300, 2_000]) {
      const round = { random, nodes: BLACKOUT_NODES, begin: at, client };
      items.push({
        ...createItem(round, at + random.int(1_000)),
        name: 0,
        restart: "always",
        volume: "none",
        start: true,
      });
    }
  }
  const at = 6_000 + random.int(3_000);
  const fault = pick<NodeFault>(random, ["power off", "partition"]);
  const away = 14 + random.int(5);
  for (let node = 0; node < away; node++) {
    items.push({ at: at + random.int(300), do: "node", node, fault, forMs: pick(random, [25_000, 30_000]) });
  }
  const round = { random, nodes: BLACKOUT_NODES, begin: at, client: 0 };
  if (random.int(2) === 0) items.push(crashItem(round, at + random.int(20_000), 12));
  for (const later of [8_000, 16_000, 24_000]) items.push({ at: at + later, do: "list", client: random.int(ROUNDS) });
  return {
    seed,
    nodes: Array.from({ length: BLACKOUT_NODES }, () => ({ memoryMb: 2048, cpus: 4, foreign: 0 })),
    clients: ROUNDS,
    mintIds: random.int(2) === 0,
    endMs: at + 35_000,
    items: items.sort((a, b) => a.at - b.at),
  };
}

const OTHER: Readonly<Record<ObjectKind, ObjectKind>> = { network: "volume", volume: "network" };

/**
 * The same of networks and volumes, by themselves, of a project, and made on the way by a container: a manager dies in the
 * create, or its answer is lost, and somebody wants the name again while the node is away.
 */
function openObjects(round: Round): Item[] {
  const { random, begin, client } = round;
  const kind = pick<ObjectKind>(random, ["network", "volume"]);
  const project: ProjectPlan | undefined =
    random.int(2) === 0 ? { name: `project-${client}`, policy: "pack" } : undefined;
  const name = `object-${client}`;
  const make = (at: number): ObjectCreateItem => ({
    at,
    do: "object create",
    client,
    kind,
    name,
    project,
    perNode: false,
  });
  const use = (at: number): Item => ({
    ...createItem(round, at),
    ...(project && { project }),
    ...(kind === "network" ? { networks: [name] } : { volumes: [name] }),
  });
  const dies = random.int(3) > 0;
  // Another client comes at the same moment, for the same or for something else of the project.
  const rival = { ...make(begin + random.int(4)), client: (client + 1) % ROUNDS };
  const other = project && random.int(2) === 0 ? { ...rival, kind: OTHER[kind] } : rival;
  return [
    ...(random.int(2) === 0 ? [other] : []),
    kind === "volume" && random.int(2) === 0 ? use(begin) : make(begin),
    ...(dies ? [crashItem(round, begin, 6)] : []),
    ...allButOne(round, begin + 2 + random.int(12), pick(random, ["partition", "power cycle", "unstable"]), 2_000),
    make(begin + 700),
    use(begin + 1_000),
    { at: begin + 3_500, do: "object list", client, kind },
  ];
}

/** By name: what a seed makes of it. */
export const SCENES: Readonly<Record<string, (seed: number) => Plan>> = {
  moves: (seed) => planOf(randomFor(seed, "moves"), seed, moves),
  "open creates": (seed) => planOf(randomFor(seed, "open creates"), seed, openCreates),
  projects: projectsOf,
  "open objects": (seed) => planOf(randomFor(seed, "open objects"), seed, openObjects),
  "lost hosts": (seed) => planOf(randomFor(seed, "lost hosts"), seed, lostHosts, LOST_ROUND_MS),
  replicas: (seed) => ({
    ...planOf(randomFor(seed, "replicas"), seed, replicas, LOST_ROUND_MS),
    managers: MANAGERS,
  }),
  blackouts,
  fences: (seed) => ({
    ...planOf(randomFor(seed, "fences"), seed, fences, LOST_ROUND_MS),
    managers: MANAGERS,
    fenced: true,
  }),
  "given up": (seed) => ({
    ...planOf(randomFor(seed, "given up"), seed, givenUp, GIVEN_UP_ROUND_MS),
    managers: MANAGERS,
  }),
};

/** Lost hosts take their time. */
const LOST_ROUND_MS = 12_000;
const GIVEN_UP_ROUND_MS = 20_000;

function planOf(random: Random, seed: number, scene: (round: Round) => Item[], roundMs = ROUND_MS): Plan {
  const nodes = pick(random, [2, 3]);
  const items: Item[] = [];
  for (let client = 0; client < ROUNDS; client++) {
    items.push(...scene({ random, nodes, begin: 500 + client * roundMs, client }));
  }
  return {
    seed,
    nodes: Array.from({ length: nodes }, () => ({ memoryMb: 2048, cpus: 4, foreign: random.int(2) })),
    clients: ROUNDS,
    mintIds: random.int(2) === 0,
    endMs: ROUNDS * roundMs,
    items: items.sort((a, b) => a.at - b.at),
  };
}

function createItem({ random, client }: Round, at: number): CreateItem {
  return {
    at,
    do: "create",
    client,
    name: client + 1,
    mb: pick(random, [64, 200]),
    cpus: 0,
    port: 0,
    restart: pick(random, ["no", "always"]),
    volume: pick(random, ["none", "anonymous"]),
    start: false,
    committed: false,
  };
}

function startItem({ random, client }: Round, at: number): ChangeItem {
  return { at, do: "start", client, which: 0, by: pick(random, ["id", "name"]) };
}

function crashItem({ random }: Round, at: number, calls: number): Item {
  return { at, do: "crash", io: random.int(calls), sent: random.int(2) === 0, downMs: pick(random, [10, 500]) };
}

function allButOne({ random, nodes }: Round, at: number, fault: NodeFault, forMs: number): Item[] {
  const free = random.int(nodes);
  const items: Item[] = [];
  for (let node = 0; node < nodes; node++) if (node !== free) items.push({ at, do: "node", node, fault, forMs });
  return items;
}
