/**
 * Plans in which containers move: created while all is well, started when their node takes nothing more, so that another
 * one makes them again, and managers that die meanwhile. The usual plans seldom come to that. Must not know how any of it
 * is carried out.
 */
import { pick, type Random } from "../../src/kit/random.ts";
import { type ChangeItem, type CreateItem, type Item, type Plan, randomFor } from "./plan.ts";

/** One container comes, and is started, in each. */
const ROUNDS = 6;
const ROUND_MS = 4_000;
/** A start that a death left unanswered is asked for again. */
const AGAIN_MS = 1_000;

export function movesOf(seed: number): Plan {
  const random = randomFor(seed, "moves");
  const count = pick(random, [2, 3]);
  const items: Item[] = [];
  for (let round = 0; round < ROUNDS; round++) items.push(...roundOf(random, round, count));
  return {
    seed,
    nodes: Array.from({ length: count }, () => ({ memoryMb: 2048, cpus: 4, foreign: random.int(2) })),
    clients: ROUNDS,
    mintIds: random.int(2) === 0,
    endMs: (ROUNDS + 1) * ROUND_MS,
    items: items.sort((a, b) => a.at - b.at),
  };
}

/** A client for each, so that what it starts is its own. All nodes but one are full. */
function roundOf(random: Random, round: number, nodes: number): Item[] {
  const begin = 500 + round * ROUND_MS;
  const start = begin + 1_000;
  const items: Item[] = [
    createItem(random, begin, round, round + 1),
    ...[start, start + AGAIN_MS].map((at) => startItem(random, at, round)),
  ];
  const free = random.int(nodes);
  for (let node = 0; node < nodes; node++) {
    if (node !== free) items.push({ at: begin + 500, do: "node", node, fault: "disk full", forMs: 2_000 });
  }
  if (random.int(2) === 0) {
    const downMs = pick(random, [10, 500]);
    items.push({ at: start, do: "crash", io: random.int(10), sent: random.int(2) === 0, downMs });
  }
  return items;
}

function createItem(random: Random, at: number, client: number, name: number): CreateItem {
  return {
    at,
    do: "create",
    client,
    name,
    mb: pick(random, [64, 200]),
    cpus: 0,
    port: 0,
    restart: pick(random, ["no", "always"]),
    volume: pick(random, ["none", "anonymous"]),
    start: false,
    committed: false,
  };
}

function startItem(random: Random, at: number, client: number): ChangeItem {
  return { at, do: "start", client, which: 0, by: pick(random, ["id", "name"]) };
}
