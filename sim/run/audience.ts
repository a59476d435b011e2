/**
 * Whoever reads the events of one manager, for its life: nothing twice, each engine's in its order, and of each container,
 * network and volume a story that could have happened and that ends with what is there. Must not know clients or engines.
 */
import type { Cluster } from "../../src/cluster/cluster.ts";
import type { ClusterEvent } from "../../src/cluster/event-hub.ts";
import type { Life } from "./life.ts";
import { type Complain, OWN_LABEL } from "./witness.ts";

type State = "ended" | "runs" | "gone";

/** From which states an action leads to which; from one that nobody told of, any may. */
const STEPS: Readonly<Record<string, { readonly from: readonly State[]; readonly to: State }>> = {
  // Twice when a node could not start it, and another one made it.
  create: { from: ["gone", "ended"], to: "ended" },
  start: { from: ["ended"], to: "runs" },
  die: { from: ["runs"], to: "ended" },
  destroy: { from: ["ended"], to: "gone" },
};

/** What the cluster itself tells, by the manager's clock. */
const OWN = new Set(["pending", "reschedule", "kept"]);

export class Audience {
  readonly #cluster: Cluster;
  readonly #complain: Complain;
  readonly #states = new Map<string, State>();
  readonly #words = new Map<string, string[]>();
  readonly #seen = new Set<string>();
  /** Node → the time of its engine's last event. */
  readonly #last = new Map<string, bigint>();

  constructor(cluster: Cluster, life: Life, complain: Complain) {
    this.#cluster = cluster;
    this.#complain = complain;
    const reader = cluster.events.subscribe();
    life.onEnd(() => reader.close());
    void (async () => {
      for (let some = await reader.next(); some && life.alive; some = await reader.next()) {
        for (const event of some) this.#read(event);
      }
    })();
  }

  #read(event: ClusterEvent): void {
    const { type, action, actorId, timeNano, attributes } = event;
    const node = attributes["node.name"] ?? "";
    const words = `${node}: ${action} of ${type} ${actorId.slice(0, 12)} at ${timeNano}`;
    const identity = `${timeNano} ${type} ${action} ${actorId} ${node}`;
    if (this.#seen.has(identity)) this.#complain("events", `told twice: ${words}`);
    this.#seen.add(identity);
    if (attributes["shoal.missed"] === undefined && !OWN.has(action)) {
      const last = this.#last.get(node) ?? 0n;
      if (timeNano < last) this.#complain("events", `told after one of ${last}: ${words}`);
      this.#last.set(node, timeNano);
    }
    if (type === "container" && !this.#hasTwoIds(event)) this.#step(actorId, action, event);
    else if (type === "volume" || type === "network") this.#step(`${type} ${node}/${actorId}`, action, event);
  }

  /** Made past shoal: its first events carry the engine's ID, which is the cluster's as well unless those are minted. */
  #hasTwoIds({ attributes }: ClusterEvent): boolean {
    return this.#cluster.options.mintIds && attributes[OWN_LABEL] !== undefined;
  }

  #step(what: string, action: string, { attributes }: ClusterEvent): void {
    const step = STEPS[action];
    if (!step) return;
    const story = this.#words.get(what) ?? [];
    this.#words.set(what, story);
    story.push(attributes["shoal.missed"] === undefined ? action : `${action}*`);
    const before = this.#states.get(what);
    if (before && !step.from.includes(before)) {
      this.#complain("events", `${action} of what ${before}: ${what.slice(0, 12)} (${story.join(" ")})`);
    }
    this.#states.set(what, step.to);
  }

  /** What the stories end with, where that is not so. */
  differences(): string[] {
    const { inventory } = this.#cluster;
    return [...this.#states].flatMap(([what, told]) => {
      if (what.includes("/")) return this.#objectDifference(what, told);
      const state = inventory.byId(what)?.state;
      const now: State = state === undefined ? "gone" : state === "running" || state === "paused" ? "runs" : "ended";
      if (now === told) return [];
      const story = this.#words.get(what)?.join(" ");
      return [`events of ${what.slice(0, 12)} end with ${told} (${story}), and it is ${state ?? "gone"}`];
    });
  }

  #objectDifference(what: string, told: State): string[] {
    const [, type = "", nodeName = "", key = ""] = /^(\S+) ([^/]*)\/(.*)$/.exec(what) ?? [];
    const { networks, volumes } = this.#cluster;
    const nodeId = this.#cluster.nodeByName(nodeName)?.id ?? "";
    const there = type === "volume" ? volumes.get(nodeId, key) : networks.byKey(key)?.on.get(nodeId);
    if ((there !== undefined) === (told !== "gone")) return [];
    return [`events of ${what} end with ${told} (${this.#words.get(what)?.join(" ")}), and it is not so`];
  }
}
