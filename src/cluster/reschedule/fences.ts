/**
 * The manager's half of fences. What may be moved off a node with an agent is moved when nothing of it runs there any more:
 * the agent says so, or was ordered to stop it and could not renew its fence since for the fence's whole time, by this
 * manager's monotonic clock. When the node is back the fence is lifted, and what was stopped without being moved goes on.
 * Owns what is known of fences; which nodes are lost is judged elsewhere.
 */
import type { FenceBoard, FenceEntry, FenceRecord } from "../../discovery/fences.ts";
import { FENCE_LOOK_MS, LAG_MS } from "../../kit/limits.ts";
import { STATES_AT_REST } from "../at-rest.ts";
import type { Cluster } from "../cluster.ts";
import type { ClusterNode } from "../node.ts";
import type { ContainerRecord } from "../record.ts";

/**
 * `fenced`: its agent would stop what may be moved before that runs elsewhere; `stopped`: it has done so, or is about to;
 * `unfenced`: nobody would.
 */
export type FenceState = "fenced" | "stopped" | "unfenced";

interface Known {
  version: string;
  record: FenceRecord;
  /** Monotonic milliseconds until when containers may run there under what the agent was granted. */
  heldUntil: number;
  /** Monotonic milliseconds when its record was seen to change. */
  changedAt: number;
  /** Being written by us. */
  writing: boolean;
}

export class Fences {
  readonly #cluster: Cluster;
  /** What this manager orders begins with it: another one's order may be lifted by that one. */
  #by = "";
  /** By node ID. */
  readonly #known = new Map<string, Known>();
  #board: FenceBoard | undefined;
  #signal: AbortSignal | undefined;
  #read = false;
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** Follows the board until the signal aborts. Never rejects. */
  async follow(board: FenceBoard, signal: AbortSignal): Promise<void> {
    const { clock, random, log } = this.#cluster;
    this.#by = `${random.hex(6)}-`;
    this.#board = board;
    this.#signal = signal;
    let failed = false;
    while (!signal.aborted) {
      try {
        const begun = clock.monotonic();
        const entries = await board.list(signal);
        if (signal.aborted) return;
        this.#take(entries, begun);
        failed = false;
      } catch (error) {
        if (signal.aborted) return;
        if (!failed) log.error("fences could not be read: what they protect does not move", { error: words(error) });
        failed = true;
      }
      await clock.sleep(FENCE_LOOK_MS, signal).catch(() => undefined);
    }
  }

  stateOf(node: ClusterNode): FenceState {
    const known = this.#of(node);
    if (!known || known.record.left || this.#isStale(known)) return "unfenced";
    return isOn(known.record) ? "stopped" : "fenced";
  }

  /** It had a fence once, and its agent gives no sign. */
  isDead(node: ClusterNode): boolean {
    const known = this.#of(node);
    return known !== undefined && !known.record.left && this.#isStale(known);
  }

  /** Its agent stops what may be moved as soon as it starts. */
  isOn(node: ClusterNode): boolean {
    const known = this.#of(node);
    return known !== undefined && isOn(known.record) && !this.#isStale(known);
  }

  /** Whether nothing runs on this lost node that may be moved, as far as a fence can tell; otherwise that is seen to. */
  isClear(node: ClusterNode): boolean {
    if (!this.#board) return true;
    if (!this.#read) return false;
    const known = this.#of(node);
    if (!known) return true;
    const { fence } = known.record;
    if (fence?.id.startsWith(this.#by)) {
      return fence.still === true || this.#cluster.clock.monotonic() >= known.heldUntil;
    }
    const { lifted: _lifted, ...rest } = known.record;
    const id = this.#by + this.#cluster.random.hex(4);
    this.#cluster.log.warn("a lost node's agent is to stop what may run elsewhere", { node: node.name });
    void this.#write(node.id, known, { ...rest, fence: { id } });
    return false;
  }

  /** Undefined also for a record of another address: of the node before it moved, or of a clone. */
  #of(node: ClusterNode): Known | undefined {
    const known = this.#known.get(node.id);
    return known?.record.address === node.address ? known : undefined;
  }

  /** @param begun when they were asked for, at the earliest: what was written since is newer */
  #take(entries: readonly FenceEntry[], begun: number): void {
    const now = this.#cluster.clock.monotonic();
    // What could not be read meanwhile says nothing about agents.
    const late = now - this.#lookedAt > FENCE_LOOK_MS + LAG_MS;
    this.#lookedAt = now;
    this.#read = true;
    const there = new Set(entries.map(({ node }) => node));
    for (const [id, { changedAt }] of this.#known) if (!there.has(id) && changedAt < begun) this.#known.delete(id);
    for (const { node, version, record } of entries) {
      const known = this.#known.get(node);
      if (known && known.changedAt >= begun) continue;
      if (known?.version !== version) this.#learn(node, version, record);
      else if (late) known.changedAt = now;
    }
    for (const node of this.#cluster.nodes.values()) this.#apply(node);
  }

  /** Whoever wrote it did so before now. */
  #learn(node: string, version: string, record: FenceRecord): void {
    const known = this.#known.get(node);
    const now = this.#cluster.clock.monotonic();
    // Under a fence nothing is granted. What was granted before a fence that is new to us, nobody knows.
    const grants = !record.fence || !known;
    const heldUntil = record.left ? now : grants ? now + record.ttlMs : known.heldUntil;
    this.#known.set(node, { version, record, heldUntil, changedAt: now, writing: known?.writing ?? false });
  }

  #isStale({ changedAt, record }: Known): boolean {
    return this.#cluster.clock.monotonic() - changedAt >= record.ttlMs;
  }

  #apply(node: ClusterNode): void {
    const on = this.isOn(node);
    if (node.fenceOn !== on) {
      node.fenceOn = on;
      node.touch();
      if (!on) this.#cluster.rescheduler.wake();
    }
    const known = this.#of(node);
    if (!known?.record.fence || known.writing || !node.reachable) return;
    if (known.record.fence.stopped || this.#isStale(known)) void this.#lift(node, known);
  }

  /** What it stopped is started again once the agent has seen that. Never rejects. */
  async #lift(node: ClusterNode, known: Known): Promise<void> {
    const { registry, rescheduler, refresher, log } = this.#cluster;
    const { fence, ...record } = known.record;
    const goOn = stoppedOn(node, fence?.stopped ?? []);
    if (goOn.some(({ state }) => !STATES_AT_REST.has(state))) {
      // Its end has not come through yet.
      refresher.markAll(node);
      return;
    }
    for (const one of goOn) one.startsAgain = true;
    try {
      // More than one transaction holds may have been stopped, and each for itself is right.
      await Promise.all(goOn.map((one) => registry.own(one)));
    } catch (error) {
      log.warn("a fence is not lifted yet", { node: node.name, error: words(error) });
      return;
    }
    for (const one of goOn) rescheduler.restored(one);
    if (!node.reachable || !(await this.#write(node.id, known, { ...record, lifted: fence?.id }))) return;
    log.info("the fence is lifted: its node is back", { node: node.name, stopped: goOn.length });
  }

  /** @returns whether it was taken. Never rejects. */
  async #write(node: string, known: Known, record: FenceRecord): Promise<boolean> {
    if (known.writing || !this.#board) return false;
    known.writing = true;
    try {
      const version = await this.#board.write(node, record, known.version, this.#signal);
      if (version === undefined || this.#known.get(node) !== known) return false;
      this.#learn(node, version, record);
      return true;
    } catch (error) {
      this.#cluster.log.warn("a fence's record could not be written", { error: words(error) });
      return false;
    } finally {
      for (const one of [known, this.#known.get(node)]) if (one) one.writing = false;
    }
  }
}

const isOn = ({ fence, lifted }: FenceRecord): boolean => fence !== undefined || lifted !== undefined;

/** Of the cluster, by the beginnings of their engine IDs. */
function stoppedOn({ containers }: ClusterNode, stopped: readonly string[]): readonly ContainerRecord[] {
  if (stopped.length === 0) return [];
  const chars = stopped[0]?.length ?? 0;
  const ids = new Set(stopped);
  return [...containers.values()].filter(
    ({ engineId, nonce, removed }) => nonce !== undefined && !removed && ids.has(engineId.slice(0, chars)),
  );
}

const words = (error: unknown): string => (error instanceof Error ? error.message : String(error));
