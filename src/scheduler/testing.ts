/** Nodes, requests and surroundings for the scheduler's tests. Not part of the program: only tests import it. */
import { seededRandom } from "../kit/random.ts";
import { DEFAULT_FILTERS } from "./filters/index.ts";
import { DEFAULT_GROUPS, type GroupAsk, groupKey } from "./group.ts";
import { Ledger } from "./ledger.ts";
import type { GroupStanding, NodeView, Surroundings } from "./node-view.ts";
import { type Decision, type PlaceContext, place } from "./place.ts";
import { type Request, readRequest } from "./request.ts";
import { strategyByName } from "./strategies/index.ts";

export const GIB = 2 ** 30;

export interface NodeOptions extends Partial<Omit<NodeView, "labels" | "standard" | "nanoCpus">> {
  readonly labels?: Readonly<Record<string, string>>;
  readonly standard?: Readonly<Record<string, string>>;
  readonly cpus?: number;
}

/** A healthy node of 1 CPU and 2 GiB, ID `id-<name>`. */
export function nodeView(name: string, options: NodeOptions = {}): NodeView {
  const { labels, standard, cpus, ...rest } = options;
  return {
    id: `id-${name}`,
    name,
    healthy: true,
    cordoned: false,
    distressed: false,
    apiVersion: "1.51",
    minApiVersion: "1.24",
    memory: 2 * GIB,
    ...rest,
    nanoCpus: (cpus ?? 1) * 1e9,
    labels: new Map(Object.entries(labels ?? {})),
    standard: new Map(Object.entries({ ostype: "linux", architecture: "x86_64", ...standard })),
  };
}

/** A request from a create body. */
export function request(body: object = {}, name = "c", platform?: string): Request {
  return readRequest(body, name, { platform }, { cpuShares: "cpus", groups: DEFAULT_GROUPS });
}

export interface TestContainer {
  readonly id: string;
  readonly node: string;
  readonly name: string;
  readonly image: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** A small cluster: places and books, as the real one does, with plain scans for the surroundings. */
export class TestCluster {
  nodes: NodeView[];
  readonly ledger = new Ledger();
  readonly containers: TestContainer[] = [];
  readonly volumes = new Map<string, readonly string[]>();
  /** Image → node IDs. */
  readonly images = new Map<string, readonly string[]>();
  readonly caches = new Map<string, readonly string[]>();
  readonly networks = new Map<string, readonly string[]>();
  /** By key: policy and home. */
  readonly groups = new Map<string, GroupStanding>();
  readonly #strategy: string | undefined;
  #made = 0;

  constructor(nodes: readonly NodeView[], strategy?: string) {
    this.nodes = [...nodes];
    this.#strategy = strategy;
    for (const node of nodes) this.ledger.setNode(node.id, node);
  }

  place(asked: Request, context: Partial<PlaceContext> = {}): Decision {
    return place(asked, this.nodes, {
      ledger: this.ledger,
      surroundings: this.surroundings,
      strategy: strategyByName(this.#strategy),
      filters: DEFAULT_FILTERS,
      overcommit: 0.05,
      random: seededRandom(1),
      ...context,
    });
  }

  /** Places and books; the node's name, or the refusal. */
  run(asked: Request, context: Partial<PlaceContext> = {}): string {
    const decision = this.place(asked, context);
    const [node] = decision.ranked;
    if (node === undefined) return decision.refusal ?? "";
    const id = `c${++this.#made}`;
    const { nanoCpus, memory, ports, succeeds, group } = asked;
    if (group !== undefined) this.#settle(group, node.id);
    const tied = group === undefined ? succeeds : { ...succeeds, group: group.key };
    this.ledger.reserve({ id, node: node.id, nanoCpus, memory, ports, ...tied });
    this.containers.push({ id, node: node.id, name: asked.name, image: asked.image, labels: asked.labels });
    return node.name;
  }

  /** The first object's node is the home, and what it asks to reserve is reserved there. */
  #settle(ask: GroupAsk, node: string): void {
    const { policy, home } = this.surroundings.groupOf(ask);
    if (home !== undefined || policy === "spread") return;
    this.groups.set(ask.key, { policy, home: { node, members: () => "" } });
    if (ask.reserve !== undefined) this.ledger.reserveGroup(ask.key, { node, ...ask.reserve });
  }

  remove(id: string): void {
    this.ledger.release(id);
    const at = this.containers.findIndex((container) => container.id === id);
    if (at >= 0) this.containers.splice(at, 1);
  }

  get surroundings(): Surroundings {
    const where = (test: (container: TestContainer) => boolean): ReadonlySet<string> =>
      new Set(this.containers.filter(test).map((container) => container.node));
    return {
      nodesOfContainer: (ref) => where((container) => container.name === ref || container.id === ref),
      nodesWithContainer: (matcher) => where((container) => matcher.test(container.name) || matcher.test(container.id)),
      nodesWithContainerLabel: (key, matcher) =>
        where((container) => container.labels[key] !== undefined && matcher.test(container.labels[key] ?? "")),
      nodesWithImage: (matcher) => where((container) => matcher.test(container.image)),
      holdersOfImage: (ref) => new Set(this.images.get(ref) ?? []),
      placesOfVolume: (ref) => {
        const [node, name] = ref.includes("/") ? ref.split("/") : [undefined, ref];
        if (node !== undefined) return { kept: new Set([`id-${node}`]), caches: new Set(), named: true };
        const places = (of: Map<string, readonly string[]>) => new Set(of.get(name ?? "") ?? []);
        return { kept: places(this.volumes), caches: places(this.caches), named: false };
      },
      nodesOfNetwork: (name) => new Set(this.networks.get(name) ?? []),
      containersOn: (node) => {
        const all = this.containers.filter((container) => container.node === node).length;
        return { all, running: all };
      },
      groupOf: ({ key, policy }) => {
        const known = this.groups.get(key);
        return { policy: policy ?? known?.policy ?? "pack", home: known?.home };
      },
      groupsExpectedOn: (node) => {
        const begun = new Set(this.containers.map(({ labels }) => groupKey(labels, DEFAULT_GROUPS)));
        return [...this.groups].filter(([key, { home }]) => home?.node === node && !begun.has(key)).length;
      },
      networksOn: (node) => [...this.networks.values()].filter((nodes) => nodes.includes(node)).length,
    };
  }
}
