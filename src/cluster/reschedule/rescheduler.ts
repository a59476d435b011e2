/**
 * What runs on a node that is lost goes on elsewhere: such containers become pending, and each is made on another node
 * as soon as one has room, the most important first. Owns the order and the pace; how a container gets from one state to
 * the next is known beside it.
 */
import { DockerError } from "../../docker/errors.ts";
import type { Timer } from "../../kit/clock.ts";
import { mapAtMost } from "../../kit/limit.ts";
import { RESCHEDULE_EVERY_MS, RESCHEDULES_AT_ONCE } from "../../kit/limits.ts";
import { STATES_AT_REST } from "../at-rest.ts";
import type { Cluster } from "../cluster.ts";
import type { ListedContainer } from "../list-entry.ts";
import { publishOwn } from "../missed-events.ts";
import type { ClusterNode } from "../node.ts";
import type { ContainerRecord } from "../record.ts";
import { startContainer } from "../start.ts";
import { isAside, type Tombstone } from "../tombstones.ts";
import { bringBack } from "./bring-back.ts";
import { Drainer } from "./drainer.ts";
import { type HeldRoom, hasRoom } from "./held-room.ts";
import { byImportance } from "./importance.ts";
import { Losses } from "./losses.ts";
import { moveOn } from "./move-on.ts";
import { releaseNetwork } from "./networks.ts";
import { release, takeBack } from "./pending.ts";
import { leavingOf, unitsOn } from "./units.ts";

export class Rescheduler {
  readonly #cluster: Cluster;
  readonly losses: Losses;
  /** Cluster ID → why it is still pending. */
  readonly #reasons = new Map<string, string>();
  /** On a node again, and not started yet. */
  readonly #unstarted = new Set<ContainerRecord>();
  readonly #drainer: Drainer;
  #timer: Timer | undefined;
  #looking = false;
  #said = 0;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    this.losses = new Losses(cluster.clock);
    this.#drainer = new Drainer(cluster, {
      place: (pending, room) => this.#place(pending, room),
      stays: (record, error) => this.#waits(record, "cannot leave its node", error),
    });
  }

  /** Why a container is pending, or still on a node that is drained; undefined while a node is looked for. */
  reasonOf({ id }: ContainerRecord): string | undefined {
    return this.#reasons.get(id);
  }

  /** On a node again, or about to be, and still to be started. */
  get unstarted(): ReadonlySet<ContainerRecord> {
    return this.#unstarted;
  }

  /** A node's state has changed. */
  nodeChanged(): void {
    if (!this.#cluster.leads) return;
    this.losses.note(this.#cluster.nodes);
    const { size } = this.losses.doubted;
    if (size > 0 && size !== this.#said) {
      this.#cluster.log.warn(
        "many nodes vanished at once: nothing is rescheduled until they are back, or `shoal reschedule --resume` is run",
        { nodes: size, of: this.#cluster.nodes.size },
      );
    }
    this.#said = size;
    this.#schedule();
  }

  /** An operator says that the nodes are lost indeed. @returns how many are */
  resume(): number {
    const { size } = this.losses.doubted;
    this.losses.believe();
    this.#said = 0;
    this.#schedule();
    return size;
  }

  /** A container entered the inventory that may have to be placed or started. */
  restored(record: ContainerRecord): void {
    if (record.startsAgain && record.state !== "pending") this.#unstarted.add(record);
    if (record.startsAgain) this.#schedule();
  }

  /**
   * A node lists a copy that it kept while it was lost. True when the container is still pending, so that it goes on
   * with that copy: one that still runs takes its room anyway. To be called before the list is taken in.
   */
  takesBack(node: ClusterNode, tombstone: Tombstone, row: ListedContainer): boolean {
    const pending = this.#cluster.limbo.containers.get(tombstone.replacedBy ?? "");
    if (!pending || node.draining || hasLostNetworks(this.#cluster, node, row)) return false;
    if (STATES_AT_REST.has(row.state) && !hasRoom(this.#cluster, node, pending)) return false;
    if (!isAside(row, tombstone)) takeBack(this.#cluster, node, tombstone, row);
    else void this.#cluster.tombstones.once(tombstone, () => bringBack(this.#cluster, node, tombstone, pending));
    return true;
  }

  /** Its manager leads no more. */
  rest(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Something may have to be done. */
  wake(): void {
    this.#schedule();
  }

  get #hasWork(): boolean {
    const { limbo, nodes } = this.#cluster;
    if (this.losses.any || this.#unstarted.size > 0 || limbo.containers.size > 0) return true;
    for (const node of nodes.values()) if (node.draining) return true;
    return false;
  }

  #schedule(): void {
    if (this.#timer || this.#looking || !this.#cluster.leads || !this.#hasWork) return;
    this.#timer = this.#cluster.clock.after(
      RESCHEDULE_EVERY_MS,
      () => {
        this.#timer = undefined;
        void this.#look();
      },
      { background: true },
    );
  }

  /** Never rejects. */
  async #look(): Promise<void> {
    this.#looking = true;
    try {
      if (!this.#cluster.leads) return;
      await this.#releaseLost();
      this.#drainer.look();
      await Promise.all([this.#startAll(), this.#placeAll()]);
    } catch (error) {
      this.#cluster.log.error("rescheduling failed", { error: String(error) });
    } finally {
      this.#looking = false;
      this.#schedule();
    }
  }

  async #releaseLost(): Promise<void> {
    const leaving: ContainerRecord[] = [];
    for (const node of this.#cluster.nodes.values()) {
      if (!this.losses.isLost(node)) continue;
      const units = unitsOn(this.#cluster, node).filter((unit) => leavingOf(unit).length > 0);
      if (units.length === 0 || !this.#cluster.fences.isClear(node)) continue;
      for (const unit of units) {
        const containers = leavingOf(unit);
        if (containers.some((record) => this.#isDrainers(record))) continue;
        // First: where a container goes, its networks are made.
        for (const network of unit.networks) await releaseNetwork(this.#cluster, node, network);
        leaving.push(...containers);
      }
    }
    await mapAtMost(RESCHEDULES_AT_ONCE, leaving, (record) =>
      this.#tried(record, "could not be made pending", () => release(this.#cluster, record, "lost")),
    );
  }

  async #placeAll(): Promise<void> {
    const { containers } = this.#cluster.limbo;
    for (const id of this.#reasons.keys()) if (!this.#isWaiting(id)) this.#reasons.delete(id);
    const waiting = [...containers.values()].filter((pending) => !this.#isDrainers(pending)).sort(byImportance);
    await mapAtMost(RESCHEDULES_AT_ONCE, waiting, (pending) => this.#place(pending));
  }

  /** Never rejects. */
  async #place(pending: ContainerRecord, room?: HeldRoom): Promise<void> {
    try {
      const record = await moveOn(this.#cluster, pending, room);
      this.#unstarted.add(record);
      await this.#start(record);
    } catch (error) {
      this.#waits(pending, "has no node yet", error);
    }
  }

  #isDrainers({ id }: ContainerRecord): boolean {
    return this.#drainer.busy.has(id);
  }

  /** Said once, until it is another reason. */
  #waits({ id, name }: ContainerRecord, what: string, error: unknown): void {
    const why = error instanceof Error ? error.message : String(error);
    if (this.#reasons.get(id) === why) return;
    this.#reasons.set(id, why);
    this.#cluster.log.warn(`a container ${what}`, { container: name, error: why });
  }

  #isWaiting(id: string): boolean {
    const record = this.#cluster.inventory.byId(id);
    return record !== undefined && (record.state === "pending" || record.node.draining);
  }

  async #startAll(): Promise<void> {
    const unstarted = [...this.#unstarted].filter((record) => !this.#isDrainers(record));
    await mapAtMost(RESCHEDULES_AT_ONCE, unstarted, (record) => this.#start(record));
  }

  async #start(record: ContainerRecord): Promise<void> {
    const { inventory, log } = this.#cluster;
    const { id, name, state, node, engineId } = record;
    if (record.removed || !(state === "created" || state === "exited")) {
      this.#over(record);
      return;
    }
    if (!node.reachable || node.fenceOn || node.forced || engineId === "") return;
    try {
      await startContainer(this.#cluster, record, name, "", undefined);
    } catch (error) {
      log.warn("a container of a lost node could not be started", {
        container: name,
        node: node.name,
        error: String(error),
      });
      // What its engine refuses is refused the next time, too; without an answer it is tried again.
      if (error instanceof DockerError && error.status < 502) this.#over(record);
      return;
    }
    // Its node may have handed it over to the next.
    const running = inventory.byId(id) ?? record;
    this.#unstarted.delete(record);
    this.#over(running);
    publishOwn(this.#cluster, running.node, { type: "container", record: running }, "reschedule");
    log.info("a container goes on", { node: running.node.name, container: name });
  }

  /** Nothing is left to be done for it. */
  #over(record: ContainerRecord): void {
    this.#unstarted.delete(record);
    if (record.removed || !record.startsAgain) return;
    record.startsAgain = false;
    this.#cluster.registry.remember(record);
  }

  async #tried(record: ContainerRecord, what: string, work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      const fields = { container: record.name, node: record.node.name, error: String(error) };
      this.#cluster.log.warn(`a container of a lost node ${what}`, fields);
      return false;
    }
  }
}

/** Its networks have gone elsewhere meanwhile, with others that are in them. */
function hasLostNetworks({ leftNetworks }: Cluster, node: ClusterNode, { networks }: ListedContainer): boolean {
  return Object.values(networks).some((one) => leftNetworks.get(node.id, one?.NetworkID ?? "") !== undefined);
}
