/**
 * Starting a container: what it released when it ended is booked again first. One that has never run, and whose node
 * cannot start it for a reason of the node's own, is made on the next node under the same identity.
 */
import { conflict, DockerError, noSuchContainer } from "../docker/errors.ts";
import { decodeJson } from "../docker/json-text.ts";
import { isNodesOwnFault } from "../engine/quirks.ts";
import { readRequest } from "../scheduler/request.ts";
import type { Cluster } from "./cluster.ts";
import { removeCopy } from "./copies.ts";
import { placeOrder } from "./create.ts";
import { nodeFailure, statusOfCall } from "./exchange.ts";
import { drop } from "./forget.ts";
import { groupOfRecord, rebuildGroup } from "./groups/standing.ts";
import { reservationOf, settle } from "./holdings.ts";
import { FAILED } from "./home.ts";
import { type ContainerRecord, holds } from "./record.ts";
import { recipeWrite } from "./reschedule/recipes.ts";
import { NO_ROOM, whyNoRoom } from "./room.ts";
import { clusterText, engineRef } from "./translate.ts";

/** @returns true when it was started, false when it ran already. Throws DockerError. */
export async function startContainer(
  cluster: Cluster,
  record: ContainerRecord,
  typed: string,
  query: string,
  version: string | undefined,
): Promise<boolean> {
  bookAgain(cluster, record);
  const { node } = record;
  const askedAt = cluster.clock.monotonic();
  const path = `/containers/${encodeURIComponent(engineRef(record, typed))}/start${query}`;
  record.starting++;
  try {
    const status = await statusOfCall(cluster, node, "POST", path, version).finally(() => record.starting--);
    started(cluster, record, askedAt);
    return status !== 304;
  } catch (error) {
    settle(cluster, record);
    cluster.refresher.mark(record, true);
    if (error instanceof DockerError && isNodesOwnFault(error.status, error.message) && canMove(record)) {
      return moveAndStart(cluster, record, error, query, version);
    }
    throw nodeFailure(cluster, node, error);
  }
}

/** Books what the container will hold for as long as `work` (a restart) starts it. Throws 409 when there is no room. */
export async function whileStarting<T>(cluster: Cluster, record: ContainerRecord, work: () => Promise<T>): Promise<T> {
  bookAgain(cluster, record);
  record.starting++;
  const over = (): void => {
    record.starting--;
    settle(cluster, record);
  };
  try {
    const done = await work();
    // The event of its end may be the last that has come, or still come: until it is read back it counts as running.
    cluster.refresher.mark(record, true);
    void cluster.refresher.settledOn(record.node).finally(over);
    return done;
  } catch (error) {
    over();
    throw error;
  }
}

/** An ended container gave back what it held: its node must have room again. Held from now on, whatever is read meanwhile. */
function bookAgain(cluster: Cluster, record: ContainerRecord): void {
  if (holds(record)) return;
  const wanted = reservationOf(cluster, record);
  const why = whyNoRoom(cluster, wanted);
  if (why !== undefined) throw conflict(`${NO_ROOM}\n${record.node.name}: ${why}`);
  cluster.ledger.reserve(wanted);
}

/** @param askedAt monotonic milliseconds: events that came since then know more than the answer (it may have ended) */
function started(cluster: Cluster, record: ContainerRecord, askedAt: number): void {
  record.recipe = undefined;
  if (record.removed) return;
  if (record.touchedAt < askedAt) {
    record.since = cluster.clock.now();
    record.touchedAt = cluster.clock.monotonic();
    cluster.inventory.setState(record, "running");
  }
  settle(cluster, record);
  cluster.refresher.mark(record, true);
}

/** Never ran, nobody is attached, its name is certain, and we still know how it was asked for. */
function canMove(record: ContainerRecord): boolean {
  return record.state === "created" && record.recipe !== undefined && record.streams === 0 && record.renames.size === 0;
}

async function moveAndStart(
  cluster: Cluster,
  record: ContainerRecord,
  cause: DockerError,
  query: string,
  version: string | undefined,
): Promise<boolean> {
  const { recipe, node } = record;
  if (!recipe) throw cause;
  cluster.log.warn("a node could not start a container for its own reason: another node takes it", {
    node: node.name,
    container: record.name,
    error: cause.message,
  });
  const body = decodeJson(recipe.text);
  const request = readRequest(body, record.name, recipe, cluster.options);
  const first = new FirstCopy(cluster, record);
  const successor = {
    id: record.id,
    epoch: record.epoch + 1,
    startsAgain: record.startsAgain,
    giveWay: () => first.giveWay(),
    takeBack: () => first.takeBack(),
    made: () => void first.end(),
  };
  const order = { recipe, body, name: record.name, request, successor };
  let moved: ContainerRecord;
  try {
    moved = (await placeOrder(cluster, order, new Map([[node.id, FAILED]]))).record;
  } catch {
    // Nowhere else: the first node's own words say why.
    throw new DockerError(cause.status, clusterText(cluster, node, cause.message));
  }
  await first.end();
  return startContainer(cluster, moved, record.name, query, version);
}

/** The copy that its node could not start: it stays until the second is there, and no list or event brings it back meanwhile. */
class FirstCopy {
  readonly #cluster: Cluster;
  #record: ContainerRecord;

  constructor(cluster: Cluster, record: ContainerRecord) {
    this.#cluster = cluster;
    this.#record = record;
  }

  /** Throws 404 when it was removed since it was taken back. */
  giveWay(): void {
    const { node, engineId, name, removed } = this.#record;
    if (removed) throw noSuchContainer(name);
    node.ignored.add(engineId);
    const held = reservationOf(this.#cluster, this.#record);
    drop(this.#cluster, this.#record);
    // It may have to stay after all, and what it holds must be there then.
    this.#cluster.ledger.reserve({ ...held, id: movingId(this.#record) });
  }

  takeBack(): void {
    const { nodes, ledger, inventory, registry, refresher, writer } = this.#cluster;
    const { node, engineId, id, moves, recipe } = this.#record;
    ledger.release(movingId(this.#record));
    if (nodes.get(node.id) !== node) return;
    node.ignored.delete(engineId);
    node.gone.delete(engineId);
    const same: ContainerRecord = { ...this.#record, removed: false };
    this.#record = same;
    inventory.add(same);
    // Undoing the second copy may have taken both out of the store.
    registry.remember(same);
    const kept = moves === undefined || !recipe ? undefined : recipeWrite(id, recipe);
    if (kept) writer.later([kept]);
    settle(this.#cluster, same);
    rebuildGroup(this.#cluster, groupOfRecord(this.#cluster, same));
    refresher.mark(same, true);
  }

  /** The second copy is the container now. Never rejects. */
  async end(): Promise<void> {
    const { node, engineId } = this.#record;
    await removeCopy(this.#cluster, node, engineId);
    this.#cluster.ledger.release(movingId(this.#record));
  }
}

/** What the ledger knows the first copy by while the second is made. */
function movingId({ node, engineId }: ContainerRecord): string {
  return `${node.id} ${engineId} moving`;
}
