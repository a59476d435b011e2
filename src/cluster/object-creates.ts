/**
 * Creates of networks and volumes that an engine was asked for: name and group stay there until it is known whether it
 * made them, over an answer that was lost and over the manager's end. Owns these creates, in memory and in the store.
 */
import type { Clock, Timer } from "../kit/clock.ts";
import { OUTCOME_MS } from "../kit/limits.ts";
import type { Write } from "../store/store.ts";
import type { Cluster } from "./cluster.ts";
import { isUncertain } from "./exchange.ts";
import { leftGroup } from "./groups/standing.ts";
import type { ClusterNode } from "./node.ts";
import type { StoreWriter } from "./store-writer.ts";

export const MAKING = "making/";

export interface ObjectCreate {
  readonly kind: "networks" | "volumes";
  readonly nonce: string;
  readonly name: string;
  /** Node ID. */
  readonly node: string;
  /** Key of its group. */
  readonly group?: string | undefined;
}

interface Open {
  readonly create: ObjectCreate;
  /** Monotonic milliseconds when its answer was lost: lists of its node begun later decide. */
  since: number | undefined;
  waiting?: Timer;
}

export class ObjectCreates {
  readonly #clock: Clock;
  readonly #writer: StoreWriter;
  readonly #open = new Map<string, Open>();

  constructor({ clock, writer }: { readonly clock: Clock; readonly writer: StoreWriter }) {
    this.#clock = clock;
    this.#writer = writer;
  }

  *all(): IterableIterator<ObjectCreate> {
    for (const { create } of this.#open.values()) yield create;
  }

  /** IDs of the nodes on which one of this name is being made, or may have been. */
  nodesOf(kind: ObjectCreate["kind"], name: string): Set<string> {
    const nodes = new Set<string>();
    for (const { create } of this.#open.values())
      if (create.kind === kind && create.name === name) nodes.add(create.node);
    return nodes;
  }

  /** Its name is taken at once. Resolves when that is durable; rejects with DockerError 503, and it is not. */
  async begin(create: ObjectCreate): Promise<void> {
    this.#open.set(keyOf(create), { create, since: undefined });
    try {
      await this.#writer.write([{ key: keyOf(create), value: JSON.stringify(create) }]);
    } catch (error) {
      this.end(create);
      throw error;
    }
  }

  /** It is known what became of it. @param made what the store has to hold of it before its client is told */
  async made(create: ObjectCreate, made: Write): Promise<void> {
    this.#forget(create);
    await this.#writer.write([made, { key: keyOf(create), value: undefined }]);
  }

  /** It was not made, or the engines show it. */
  end(create: ObjectCreate): void {
    this.#forget(create);
    this.#writer.later([{ key: keyOf(create), value: undefined }]);
  }

  /**
   * Nobody knows whether it was made: lists of its node begun after `since` (monotonic milliseconds) decide. A node that
   * does not come back holds the name for a bounded time.
   *
   * @param given called when that is over
   */
  await(create: ObjectCreate, since: number, given: () => void): void {
    const waiting = this.#clock.after(OUTCOME_MS, given, { background: true });
    this.#open.set(keyOf(create), { create, since, waiting });
  }

  /** Those that a list decides. @param startedAt monotonic milliseconds when it was begun */
  decidedBy(kind: ObjectCreate["kind"], node: string, startedAt: number): ObjectCreate[] {
    const decided: ObjectCreate[] = [];
    for (const { create, since = Infinity } of this.#open.values()) {
      if (create.kind === kind && create.node === node && since < startedAt) decided.push(create);
    }
    return decided;
  }

  /** Into a store that lost them. */
  writeAgain(): void {
    this.#writer.later([...this.all()].map((create) => ({ key: keyOf(create), value: JSON.stringify(create) })));
  }

  #forget(create: ObjectCreate): void {
    this.#open.get(keyOf(create))?.waiting?.cancel();
    this.#open.delete(keyOf(create));
  }
}

const keyOf = ({ nonce, node }: ObjectCreate): string => `${MAKING}${nonce}/${node}`;

/** Asks the node's engine for it. Rejects with 503 when the store does not take that, and as `ask` does. */
export async function whileCreating<T>(
  cluster: Cluster,
  node: ClusterNode,
  create: ObjectCreate,
  ask: () => Promise<T>,
): Promise<T> {
  const { objectCreates } = cluster;
  await objectCreates.begin(create);
  try {
    return await ask();
  } catch (error) {
    if (isUncertain(error)) {
      awaitOutcome(cluster, create, cluster.clock.monotonic());
      cluster.refresher.markList(node, create.kind);
    } else objectCreates.end(create);
    throw error;
  }
}

function awaitOutcome(cluster: Cluster, create: ObjectCreate, since: number): void {
  cluster.objectCreates.await(create, since, () => settle(cluster, create));
}

function settle(cluster: Cluster, create: ObjectCreate): void {
  cluster.objectCreates.end(create);
  leftGroup(cluster, create.group);
}

/** A node's list was taken in. @param startedAt monotonic milliseconds when it was begun */
export function decideCreates(
  cluster: Cluster,
  node: ClusterNode,
  kind: ObjectCreate["kind"],
  startedAt: number,
): void {
  for (const create of cluster.objectCreates.decidedBy(kind, node.id, startedAt)) settle(cluster, create);
}

/** Takes in an entry of the store: a create that the manager before left open. @returns false when it is none of these */
export function restoreCreate(cluster: Cluster, key: string, value: string): boolean {
  if (!key.startsWith(MAKING)) return false;
  const create = JSON.parse(value) as ObjectCreate;
  if (typeof create.name !== "string" || typeof create.node !== "string") return false;
  awaitOutcome(cluster, create, Number.NEGATIVE_INFINITY);
  return true;
}

/** What may have been made is looked for before anybody is told that it is there, or not. */
export async function settleCreates(cluster: Cluster, kind: ObjectCreate["kind"], name: string): Promise<void> {
  for (const id of cluster.objectCreates.nodesOf(kind, name)) {
    const node = cluster.nodes.get(id);
    if (!node?.reachable) continue;
    cluster.refresher.markList(node, kind);
    await cluster.refresher.settledOn(node);
  }
}
