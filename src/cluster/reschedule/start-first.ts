/**
 * A container leaves a drained node without a gap: its next copy is made and started on another node, and takes over when
 * it runs well. One transaction decides: before it the present copy is the container and the next one nobody's, after it
 * the next one is, and the other is kept aside. Owns these steps, and what the cluster tells of them.
 */
import { isNodesOwnFault } from "../../engine/quirks.ts";
import {
  CREATE_MS,
  ENGINE_CALL_MS,
  REPLACEMENT_HEALTHY_MS,
  REPLACEMENT_LOOK_MS,
  REPLACEMENT_STEADY_MS,
} from "../../kit/limits.ts";
import type { Write } from "../../store/store.ts";
import { askEngine, connectOthers, engineAsk } from "../ask-engine.ts";
import type { Cluster } from "../cluster.ts";
import type { Asked } from "../create.ts";
import { failedForItself } from "../distress.ts";
import { nodeFailure } from "../exchange.ts";
import { drop } from "../forget.ts";
import { groupOfRecord, joinGroup, rebuildGroup } from "../groups/standing.ts";
import { settle } from "../holdings.ts";
import { publishOwn } from "../missed-events.ts";
import type { ClusterNode } from "../node.ts";
import type { ContainerRecord } from "../record.ts";
import { IDENTITIES } from "../registry.ts";
import { rowKey, rowWrites } from "../remembered.ts";
import { requireTombstone, tombstoneOf, tombstoneWrite } from "../tombstones.ts";
import { NoRoom, roomFor } from "./drain.ts";
import type { HeldRoom } from "./held-room.ts";
import { haveImage } from "./move-on.ts";
import type { Replacement } from "./replacements.ts";
import type { Unit } from "./units.ts";
import { wholeOf } from "./whole.ts";

/** Rejects with why it stays where it is, running as before. */
export async function startFirst(
  cluster: Cluster,
  node: ClusterNode,
  unit: Unit,
  record: ContainerRecord,
): Promise<void> {
  await cluster.replacements.clear(record.id);
  const whole = await wholeOf(cluster, node, unit, [record]);
  const [asked] = whole.orders;
  const room = await roomFor(cluster, whole);
  if (!asked || !room) throw new NoRoom("no node has room for it");
  try {
    await haveImage(cluster, room.to, asked.request.image);
    const move = new Move(cluster, record, room, asked);
    await move.make();
  } finally {
    room.end();
  }
}

/** From one copy to the next. */
class Move {
  readonly #cluster: Cluster;
  readonly #record: ContainerRecord;
  readonly #from: ClusterNode;
  readonly #room: HeldRoom;
  readonly #asked: Asked;
  /** What the next copy is made of: a change of it meanwhile is not in that copy. */
  readonly #made: string;

  constructor(cluster: Cluster, record: ContainerRecord, room: HeldRoom, asked: Asked) {
    this.#cluster = cluster;
    this.#record = record;
    this.#from = record.node;
    this.#room = room;
    this.#asked = asked;
    this.#made = essence(record);
  }

  async make(): Promise<void> {
    const { replacements } = this.#cluster;
    this.#requireLeaving();
    const next = await replacements.begin(this.#room.to.id, this.#record.id);
    try {
      await this.#start(next);
      await this.#untilWell(next);
      await this.#takeOver(next);
    } catch (error) {
      await replacements.giveUp(next);
      throw error;
    }
  }

  async #start(next: Replacement): Promise<void> {
    const { to } = this.#room;
    try {
      const { id, epoch, needs, cpuShares, moves } = this.#record;
      const copy = { id, nonce: next.nonce, epoch: epoch + 1, needs, cpuShares, moves, hasId: true };
      const ask = await engineAsk(this.#cluster, to, this.#asked, copy);
      next.engineId = (await askEngine(to, ask)).engineId;
      to.ignored.add(next.engineId);
      await connectOthers(to, next.engineId, ask);
      await to.engine.text("POST", `/containers/${next.engineId}/start`, undefined, { deadlineMs: CREATE_MS });
    } catch (error) {
      const failure = nodeFailure(this.#cluster, to, error);
      if (isNodesOwnFault(failure.status, failure.message)) failedForItself(this.#cluster, to, failure.message);
      throw this.#stays(`could not be started: ${failure.message}`);
    }
  }

  /** It runs, and is healthy where it says how that is found out. Rejects when it is not, or not in time. */
  async #untilWell({ engineId }: Replacement): Promise<void> {
    const { clock } = this.#cluster;
    const { to } = this.#room;
    const end = clock.monotonic() + REPLACEMENT_HEALTHY_MS;
    await clock.sleep(REPLACEMENT_STEADY_MS);
    for (;;) {
      this.#requireLeaving();
      const { State } = await to.engine
        .json<Inspect>("GET", `/containers/${engineId}/json`, undefined, { deadlineMs: ENGINE_CALL_MS })
        .catch((error: unknown) => Promise.reject(nodeFailure(this.#cluster, to, error)));
      if (!State.Running || State.Restarting) throw this.#stays(`ended with exit code ${State.ExitCode}`);
      switch (State.Health?.Status) {
        case "starting":
          break;
        case "unhealthy":
          throw this.#stays("is unhealthy");
        default:
          return;
      }
      if (clock.monotonic() >= end)
        throw this.#stays(`was not healthy within ${REPLACEMENT_HEALTHY_MS / 60_000} minutes`);
      await clock.sleep(REPLACEMENT_LOOK_MS);
    }
  }

  #stays(why: string): Error {
    return new Error(`its next copy on ${this.#room.to.name} ${why}`);
  }

  /** Throws when the present copy is not what leaves its node any more. */
  #requireLeaving(): void {
    const { node, state, removed, renames } = this.#record;
    if (removed || node !== this.#from) throw new Error("it is no longer on the node that it was to leave");
    const { to } = this.#room;
    if (!this.#cluster.leads) throw new Error("this manager does not lead any more");
    if (this.#cluster.nodes.get(to.id) !== to || !to.reachable) throw this.#stays("cannot be asked any more");
    if (!node.draining) throw new Error("its node is not drained any more");
    if (!node.reachable) throw new Error(`its node cannot be reached (${node.whyUnreachable})`);
    if (state !== "running") throw new Error(`it is ${state}`);
    if (renames.size > 0 || essence(this.#record) !== this.#made) throw new Error("it was changed meanwhile");
  }

  async #takeOver(next: Replacement): Promise<void> {
    const { registry, writer, replacements } = this.#cluster;
    const record = this.#record;
    requireTombstone(this.#cluster);
    this.#requireLeaving();
    const left = tombstoneOf(record, true);
    const successor = this.#successor(next);
    try {
      await writer.write([
        tombstoneWrite(left),
        ...registry.identityWrites(successor),
        { key: rowKey(record.node.id, record.engineId), value: undefined },
      ]);
      this.#requireLeaving();
    } catch (error) {
      // The store has taken it, or may have.
      next.mend = () => [{ ...tombstoneWrite(left), value: undefined }, ...this.#presentWrites()];
      writer.later(next.mend());
      throw error;
    }
    this.#cluster.tombstones.add(left);
    this.#change(successor);
    replacements.end(next);
  }

  /** The same container, on the node that has made its next copy. */
  #successor({ nonce, engineId }: Replacement): ContainerRecord {
    const record = this.#record;
    const { clock } = this.#cluster;
    return {
      ...record,
      nonce,
      epoch: record.epoch + 1,
      node: this.#room.to,
      engineId,
      engineName: record.name,
      since: clock.now(),
      published: [],
      entry: undefined,
      touchedAt: clock.monotonic(),
      renames: new Set(),
      starting: 0,
      streams: 0,
      ties: [],
      recipe: undefined,
      startsAgain: false,
    };
  }

  /** What the store says while the present copy goes on; or nothing of it, when a client has removed that. */
  #presentWrites(): readonly Write[] {
    const { registry, nodes } = this.#cluster;
    const record = this.#record;
    const isGone = record.removed && nodes.get(this.#from.id) === this.#from;
    if (isGone) return [{ key: IDENTITIES + record.id, value: undefined }];
    return [...registry.identityWrites(record), ...rowWrites(record)];
  }

  /** Synchronous: at no moment are there none or two. Told as a restart would be. */
  #change(successor: ContainerRecord): void {
    const { inventory, refresher, decisions, clock, log } = this.#cluster;
    const record = this.#record;
    const { to, decision } = this.#room;
    const { id, name } = record;
    this.#from.told.left(this.#cluster, this.#from, record);
    this.#from.ignored.add(record.engineId);
    drop(this.#cluster, record);
    this.#room.end();
    to.ignored.delete(successor.engineId);
    joinGroup(this.#cluster, this.#asked.request.group, to);
    inventory.add(successor);
    settle(this.#cluster, successor);
    rebuildGroup(this.#cluster, groupOfRecord(this.#cluster, successor));
    to.told.came(this.#cluster, to, successor);
    publishOwn(this.#cluster, to, { type: "container", record: successor }, "reschedule");
    refresher.mark(successor, true);
    // Its list puts the copy that was left aside.
    refresher.markAll(this.#from);
    decisions.keep({ name, id, time: clock.now(), node: to.name, decision });
    log.info("a container goes on", { node: to.name, container: name });
  }
}

/** The part of an inspect that tells whether it runs well. */
interface Inspect {
  readonly State: {
    readonly Running: boolean;
    readonly Restarting: boolean;
    readonly ExitCode: number;
    readonly Health?: { readonly Status: string };
  };
}

/** What a copy takes along of what can change: its name, what it needs, and whether it moves at all. */
function essence({ name, engineId, needs, moves }: ContainerRecord): string {
  return JSON.stringify([name, engineId, needs, moves]);
}
