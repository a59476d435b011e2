/**
 * The scene «projects»: clients that work as Compose does, each project with networks, volumes and containers of its own,
 * beside others that make, join, remove and prune networks and volumes, on few names so that they contend. Owns what is
 * drawn; must not know how it is carried out.
 */
import { pick, type Random } from "../../src/kit/random.ts";
import type { ObjectItem } from "./object-items.ts";
import {
  type ChangeItem,
  type ClientItem,
  type CreateItem,
  chance,
  type Item,
  moment,
  type NodePlan,
  type OwnWork,
  type Plan,
  type ProjectPlan,
  randomFor,
  temperOf,
  troubles,
} from "./plan.ts";

const PROJECTS: readonly ProjectPlan[] = [
  { name: "p1", policy: "pack" },
  { name: "p2", policy: "pack" },
  { name: "p3", policy: "pack-then-spill" },
  { name: "p4", policy: "spread" },
];

/** Made past shoal on every node before it came. */
export const OLD_NETWORK = "old-net";
export const OLD_VOLUME = "old-vol";

/** Nobody's in particular. */
const NETWORKS = ["n1", "n2", "n3", OLD_NETWORK];
const VOLUMES = ["v1", "v2", "v3", OLD_VOLUME];

const OWN_WORK: readonly OwnWork[] = [
  "create",
  "stop",
  "remove",
  "create network",
  "create volume",
  "remove network",
  "remove volume",
];

interface Draw {
  readonly random: Random;
  readonly at: number;
  readonly client: number;
}

export function projectsOf(seed: number): Plan {
  const random = randomFor(seed, "projects");
  const temper = temperOf(random);
  const count = pick(random, [2, 3, 3, 4]);
  const clients = pick(random, [1, 2, 3, 4]);
  const endMs = pick(random, [15_000, 25_000]);
  const items: Item[] = [];
  for (let made = pick(random, [8, 15, 25]); made > 0; made--) {
    const at = moment(random, endMs, temper.rush);
    items.push(...workOf({ random, at, client: random.int(clients) }));
  }
  items.push(...troubles(random, temper, count, endMs, OWN_WORK));
  return {
    seed,
    nodes: Array.from({ length: count }, () => nodePlan(random)),
    clients,
    mintIds: chance(random, 30),
    endMs,
    // What one client does at one moment stays in its order.
    items: items.sort((a, b) => a.at - b.at),
  };
}

function nodePlan(random: Random): NodePlan {
  return {
    memoryMb: pick(random, [1024, 2048]),
    cpus: pick(random, [2, 4]),
    foreign: random.int(2),
    pools: pick(random, [2, 4, 30]),
  };
}

function workOf(draw: Draw): ClientItem[] {
  const kind = draw.random.int(100);
  if (kind < 25) return up(draw);
  if (kind < 33) return down(draw);
  if (kind < 40) return [createItem(draw, { networks: some(draw, NETWORKS), volumes: some(draw, VOLUMES) })];
  if (kind < 90) return [objectItem(draw)];
  return [otherItem(draw)];
}

/** As `docker compose up` does it: networks, volumes, containers, one after the other. */
function up(draw: Draw): ClientItem[] {
  const { random, at, client } = draw;
  const project = pick(random, PROJECTS);
  const { name } = project;
  const withVolume = chance(random, 50);
  const networks = [`${name}_default`, ...(chance(random, 30) ? [`${name}_back`] : [])];
  const items: ClientItem[] = networks.map((network) => ({
    at,
    do: "object create",
    client,
    kind: "network",
    name: network,
    project,
    perNode: false,
  }));
  if (withVolume) {
    items.push({ at, do: "object create", client, kind: "volume", name: `${name}_data`, project, perNode: false });
  }
  for (let services = 1 + random.int(3); services > 0; services--) {
    items.push(createItem(draw, { project, networks, volumes: withVolume ? [`${name}_data`] : [] }));
  }
  return items;
}

/** As `docker compose down` does it, with `-v` or without. */
function down({ random, at, client }: Draw): ClientItem[] {
  const { name: project } = pick(random, PROJECTS);
  const items: ClientItem[] = [];
  for (let left = 3; left > 0; left--) {
    const which = random.int(1000);
    items.push({ at, do: "remove", client, which, by: "id", force: true, volumes: false, project });
  }
  const remove = (kind: "network" | "volume", name: string): void => {
    items.push({ at, do: "object remove", client, kind, name, byId: false });
  };
  remove("network", `${project}_default`);
  remove("network", `${project}_back`);
  if (chance(random, 50)) remove("volume", `${project}_data`);
  return items;
}

function some({ random }: Draw, names: readonly string[]): string[] {
  return chance(random, 60) ? [pick(random, names)] : [];
}

function objectItem(draw: Draw): ObjectItem {
  const { random, at, client } = draw;
  const network = chance(random, 60);
  const kind = network ? "network" : "volume";
  const ofProject = chance(random, 30);
  const project = pick(random, PROJECTS);
  const name = ofProject
    ? `${project.name}_${network ? "default" : "data"}`
    : pick(random, network ? NETWORKS : VOLUMES);
  const byId = chance(random, 40);
  const work = random.int(100);
  if (work < 35) {
    const perNode = network && !ofProject && chance(random, 20);
    return { at, do: "object create", client, kind, name, project: ofProject ? project : undefined, perNode };
  }
  if (work < 55) return { at, do: "object remove", client, kind, name, byId };
  if (work < 65) return { at, do: "object inspect", client, kind, name, byId };
  if (work < 80) return { at, do: "object list", client, kind };
  if (work < 85) return { at, do: "object prune", client, kind };
  const action = work < 95 ? "connect" : "disconnect";
  const which = random.int(1000);
  return { at, do: action, client, kind: "network", name: network ? name : pick(random, NETWORKS), which };
}

function otherItem({ random, at, client }: Draw): ClientItem {
  const which = random.int(1000);
  const work = random.int(100);
  if (work < 30) return { at, do: "list", client };
  if (work < 60) return { at, do: "remove", client, which, by: "name", force: true, volumes: chance(random, 30) };
  const what = pick(random, ["start", "stop", "restart", "inspect"]);
  return { at, do: what as ChangeItem["do"], client, which, by: "id" };
}

function createItem(
  { random, at, client }: Draw,
  parts: {
    readonly project?: ProjectPlan;
    readonly networks: readonly string[];
    readonly volumes: readonly string[];
  },
): CreateItem {
  return {
    at,
    do: "create",
    client,
    name: 1 + random.int(9),
    mb: pick(random, [0, 64, 200]),
    cpus: 0,
    port: 0,
    restart: pick(random, ["no", "no", "always"]),
    volume: pick(random, ["none", "none", "anonymous"]),
    start: chance(random, 70),
    committed: false,
    ...parts,
  };
}
