/**
 * Empties nodes: wholes leave in the order of their importance, a few at a time. What has lost its node does not wait for
 * it. Owns the pace, and who is being worked on; how a whole leaves is known beside it.
 */
import { Limit } from "../../kit/limit.ts";
import { DRAIN_REST_MS, DRAINS_AT_ONCE, DRAINS_WAITING } from "../../kit/limits.ts";
import type { Cluster } from "../cluster.ts";
import { isForeign } from "../foreign.ts";
import type { ClusterNode } from "../node.ts";
import type { ContainerRecord } from "../record.ts";
import { leaveNode, NoRoom, stopThere } from "./drain.ts";
import type { HeldRoom } from "./held-room.ts";
import { byImportance } from "./importance.ts";
import { asksStartFirst, whyStopFirst } from "./leaving-order.ts";
import { mayLeave, runs } from "./may-leave.ts";
import { startFirst } from "./start-first.ts";
import { leavingOf, type Unit, unitsOn, whyUnitStays } from "./units.ts";

/** What follows once they have left: the rescheduler's. Neither rejects. */
export interface Sequel {
  readonly place: (pending: ContainerRecord, room: HeldRoom) => Promise<void>;
  readonly stays: (record: ContainerRecord, error: unknown) => void;
}

interface Leaving {
  readonly node: ClusterNode;
  readonly unit: Unit;
  /** The most important first. */
  readonly going: readonly [ContainerRecord, ...ContainerRecord[]];
}

export class Drainer {
  readonly #cluster: Cluster;
  readonly #sequel: Sequel;
  /** Cluster IDs of those that are leaving, or about to be placed where room is held for them: nobody else's business. */
  readonly busy = new Set<string>();
  /** Cluster ID of the first of a whole that could not leave after all → monotonic milliseconds of that. */
  readonly #restsSince = new Map<string, number>();
  readonly #limit = new Limit(DRAINS_AT_ONCE, DRAINS_WAITING);

  constructor(cluster: Cluster, sequel: Sequel) {
    this.#cluster = cluster;
    this.#sequel = sequel;
  }

  /** Returns at once. */
  look(): void {
    const nodes = [...this.#cluster.nodes.values()].filter(({ draining }) => draining);
    if (nodes.length === 0) this.#restsSince.clear();
    const asked = nodes.filter(({ reachable }) => reachable);
    const leaving = asked.flatMap((node) => this.#leavingFrom(node));
    const stopped = asked.filter(({ forced }) => forced).flatMap((node) => this.#toBeStopped(node));
    leaving.sort((a, b) => byImportance(a.going[0], b.going[0]));
    for (const one of leaving) this.#begin(one.going, () => this.#leave(one));
    for (const one of stopped) this.#begin([one], () => this.#stop(one));
  }

  /** @param work never rejects */
  #begin(records: readonly ContainerRecord[], work: () => Promise<void>): void {
    for (const { id } of records) this.busy.add(id);
    const end = (): void => {
      for (const { id } of records) this.busy.delete(id);
      this.#cluster.rescheduler.wake();
    };
    // Where too many wait, the next look begins it.
    void this.#limit.run(work).then(end, end);
  }

  #leavingFrom(node: ClusterNode): readonly Leaving[] {
    return unitsOn(this.#cluster, node).flatMap((unit) => {
      const [first, ...others] = [...leavingOf(unit)].sort(byImportance);
      if (unit.containers.some(({ id }) => this.busy.has(id))) return [];
      return first && !this.#isResting(first) ? [{ node, unit, going: [first, ...others] as const }] : [];
    });
  }

  /** What was made past shoal is not ours to stop. */
  #toBeStopped(node: ClusterNode): readonly ContainerRecord[] {
    return unitsOn(this.#cluster, node)
      .filter((unit) => whyUnitStays(unit) !== undefined)
      .flatMap(({ containers }) => containers)
      .filter((record) => runs(record) && !isForeign(record) && !this.busy.has(record.id) && !this.#isResting(record));
  }

  /** Never rejects. */
  async #stop(record: ContainerRecord): Promise<void> {
    try {
      if (record.node.forced && runs(record)) await stopThere(this.#cluster, record);
    } catch (error) {
      this.#failed([record], error);
    }
  }

  #failed(records: readonly [ContainerRecord, ...ContainerRecord[]], error: unknown): void {
    for (const record of records) this.#sequel.stays(record, error);
    if (!(error instanceof NoRoom)) this.#restsSince.set(records[0].id, this.#cluster.clock.monotonic());
  }

  #isResting({ id }: ContainerRecord): boolean {
    const since = this.#restsSince.get(id) ?? Number.NEGATIVE_INFINITY;
    return this.#cluster.clock.monotonic() - since < DRAIN_REST_MS;
  }

  /** Never rejects. */
  async #leave({ node, unit, going }: Leaving): Promise<void> {
    try {
      // It had to wait for its turn.
      if (!this.#cluster.leads || !node.draining || !node.reachable) return;
      if (!going.every((record) => record.node === node && mayLeave(record))) return;
      const [first] = going;
      if (asksStartFirst(first) && whyStopFirst(this.#cluster, unit, first) === undefined) {
        await startFirst(this.#cluster, node, unit, first);
        return;
      }
      const room = await leaveNode(this.#cluster, node, unit, going);
      for (const id of room?.ids ?? []) {
        const pending = this.#cluster.limbo.containers.get(id);
        if (pending && room) await this.#sequel.place(pending, room);
      }
      room?.end();
    } catch (error) {
      this.#failed(going, error);
    }
  }
}
