/**
 * Reads changed containers, images, networks and volumes back from their engines: changes are collected for a moment, then
 * one list call of a kind brings all of a node's. Whoever needs to read its own writes asks for them at once. Owns the
 * marks and the timers.
 */

import type { Timer } from "../kit/clock.ts";
import { ENGINE_CALL_MS, REFRESH_DELAY_MS, REFRESH_RETRY_MS, REFRESH_TRIES } from "../kit/limits.ts";
import { absorbAll, absorbSome } from "./absorb.ts";
import type { Cluster } from "./cluster.ts";
import { readList } from "./list-entry.ts";
import { measure } from "./measure.ts";
import { takeNetworks } from "./networks/take.ts";
import type { ClusterNode } from "./node.ts";
import { takeImages } from "./own-images.ts";
import type { ContainerRecord } from "./record.ts";
import { takeVolumes } from "./volumes/volume.ts";

/** Above this many changed containers the whole list is cheaper, and fits a request line. */
const SOME = 100;

/** Lists that are read whole: where each comes from, and what takes it in. */
const LISTS = {
  images: { path: "/images/json", take: takeImages },
  networks: { path: "/networks", take: takeNetworks },
  volumes: { path: "/volumes", take: takeVolumes },
} as const;

/** What a node has besides containers. */
export type ListKind = keyof typeof LISTS;

interface Marks {
  readonly containers: Set<string>;
  /** Changed by a client of ours: a list waits for these. */
  awaited: boolean;
  /** The reading under way brings such changes. */
  bringing: boolean;
  /** A reading that brought such changes was overtaken. */
  again: boolean;
  /** A reading that was to bring such changes failed, and is tried again. */
  owes: boolean;
  readonly lists: Set<ListKind>;
  /** The whole list is wanted: it decides about creates that broke off. */
  whole: boolean;
  timer: Timer | undefined;
  running: Promise<void> | undefined;
  /** Ends the reading under way. */
  stop: AbortController | undefined;
}

export class Refresher {
  readonly #cluster: Cluster;
  readonly #marks = new Map<string, Marks>();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** @param awaited true when a client changed it through us, so that the next list must show it */
  mark(record: ContainerRecord, awaited: boolean): void {
    if (record.engineId !== "") this.markId(record.node, record.engineId, awaited);
  }

  /** The same for a container that may not be in the inventory yet. */
  markId(node: ClusterNode, engineId: string, awaited = false): void {
    this.#cluster.changes.note({ node: node.id, what: "containers", id: engineId });
    const marks = this.#of(node);
    marks.containers.add(engineId);
    if (awaited) marks.awaited = true;
    this.#schedule(node, marks);
  }

  /** The reading under way did not tell for certain: whoever waits for it waits for another one. */
  again(record: ContainerRecord): void {
    const marks = this.#of(record.node);
    if (marks.bringing) marks.again = true;
    this.mark(record, marks.bringing);
  }

  /** Everything that the node has may have changed. @param awaited as for a list */
  markAll(node: ClusterNode, awaited = false): void {
    this.#cluster.changes.note({ node: node.id, what: "containers" });
    const marks = this.#of(node);
    marks.whole = true;
    if (awaited) marks.awaited = true;
    this.#schedule(node, marks);
  }

  /** @param awaited true when a client changed it through us, so that the next list must show it */
  markList(node: ClusterNode, kind: ListKind, awaited = false): void {
    this.#cluster.changes.note({ node: node.id, what: kind });
    const marks = this.#of(node);
    marks.lists.add(kind);
    if (awaited) marks.awaited = true;
    this.#schedule(node, marks);
  }

  /** Resolves when every change that clients of ours made is in the cache (or its engine cannot tell). */
  async settled(): Promise<void> {
    let waits = this.#flushWhere(({ awaited, bringing }) => awaited || bringing);
    for (let tries = 1; waits.length > 0; tries++) {
      await Promise.all(waits);
      waits = tries < REFRESH_TRIES ? this.#flushWhere(({ again }) => again) : [];
    }
  }

  /** Of what `settled` waited for some could not be read back, and the cache does not show it. */
  get owes(): boolean {
    return [...this.#marks.values()].some(({ owes, again }) => owes || again);
  }

  #flushWhere(wanted: (marks: Marks) => boolean): Promise<void>[] {
    const waits: Promise<void>[] = [];
    for (const [nodeId, marks] of this.#marks) {
      const node = this.#cluster.nodes.get(nodeId);
      if (node?.reachable && wanted(marks)) waits.push(this.#flush(node, marks));
    }
    return waits;
  }

  /** Resolves when the marks of one node are read back. */
  async settledOn(node: ClusterNode): Promise<void> {
    const marks = this.#marks.get(node.id);
    if (marks && node.reachable) await this.#flush(node, marks);
  }

  /** Its engine does not answer: nobody waits for it any longer. Its next connection brings the whole lists. */
  giveUp(node: ClusterNode): void {
    this.#marks.get(node.id)?.stop?.abort(new Error(`node ${node.name} does not answer`));
  }

  /** A node left, or was read whole. */
  drop(node: ClusterNode): void {
    const marks = this.#marks.get(node.id);
    marks?.timer?.cancel();
    this.#marks.delete(node.id);
  }

  #of(node: ClusterNode): Marks {
    let marks = this.#marks.get(node.id);
    if (!marks) {
      marks = {
        containers: new Set(),
        awaited: false,
        bringing: false,
        again: false,
        owes: false,
        lists: new Set(),
        whole: false,
        timer: undefined,
        running: undefined,
        stop: undefined,
      };
      this.#marks.set(node.id, marks);
    }
    return marks;
  }

  #schedule(node: ClusterNode, marks: Marks, ms = REFRESH_DELAY_MS): void {
    if (marks.timer) return;
    marks.timer = this.#cluster.clock.after(
      ms,
      () => {
        marks.timer = undefined;
        // Its next connection brings the whole lists, in their order: containers are told ours by images that are known.
        if (node.reachable) void this.#flush(node, marks);
      },
      { background: true },
    );
  }

  /** One reading at a time for a node; a change during a reading is in the next one. */
  async #flush(node: ClusterNode, marks: Marks): Promise<void> {
    while (marks.running) await marks.running;
    marks.timer?.cancel();
    marks.timer = undefined;
    if (marks.containers.size === 0 && marks.lists.size === 0 && !marks.whole) return;
    marks.running = this.#read(node, marks).finally(() => {
      marks.running = undefined;
    });
    await marks.running;
  }

  async #read(node: ClusterNode, marks: Marks): Promise<void> {
    const asked = [...marks.containers];
    const lists = [...marks.lists];
    const { whole } = marks;
    const stop = new AbortController();
    marks.stop = stop;
    marks.containers.clear();
    marks.bringing = marks.awaited || marks.owes;
    marks.awaited = false;
    marks.owes = false;
    marks.again = false;
    marks.lists.clear();
    marks.whole = false;
    // An engine that is in trouble as a whole brings its whole lists with its next connection.
    const trouble = (error: unknown): void => {
      this.#cluster.log.debug("changes could not be read back", { node: node.name, error: String(error) });
      // What clients were told counts, and their rows are older.
      for (const id of asked) this.#reshow(node.containers.get(id));
      if (!node.reachable || this.#marks.get(node.id) !== marks) return;
      for (const id of asked) marks.containers.add(id);
      marks.whole ||= whole;
      marks.owes ||= marks.bringing;
      for (const kind of lists) marks.lists.add(kind);
      this.#schedule(node, marks, REFRESH_RETRY_MS);
    };
    await Promise.all([
      whole || asked.length > 0 ? this.#readContainers(node, asked, whole, stop.signal).catch(trouble) : undefined,
      ...lists.map((kind) => this.#readListOf(node, kind, stop.signal).catch(trouble)),
    ]);
    marks.stop = undefined;
    marks.bringing = false;
  }

  #reshow(record: ContainerRecord | undefined): void {
    if (record) this.#cluster.inventory.reshow(record);
  }

  async #readContainers(
    node: ClusterNode,
    asked: readonly string[],
    whole: boolean,
    signal: AbortSignal,
  ): Promise<void> {
    const startedAt = this.#cluster.clock.monotonic();
    const some = !whole && asked.length <= SOME;
    const filter = some ? `&filters=${encodeURIComponent(JSON.stringify({ id: asked }))}` : "";
    const text = await node.engine.text("GET", `/containers/json?all=1${filter}`, undefined, {
      deadlineMs: ENGINE_CALL_MS,
      signal,
    });
    const rows = readList(text);
    if (some) absorbSome(this.#cluster, node, rows, asked, startedAt);
    else absorbAll(this.#cluster, node, rows, startedAt);
    measure(this.#cluster, node);
  }

  async #readListOf(node: ClusterNode, kind: ListKind, signal: AbortSignal): Promise<void> {
    const startedAt = this.#cluster.clock.monotonic();
    const { path, take } = LISTS[kind];
    const text = await node.engine.text("GET", path, undefined, { deadlineMs: ENGINE_CALL_MS, signal });
    take(this.#cluster, node, text, startedAt);
  }
}
