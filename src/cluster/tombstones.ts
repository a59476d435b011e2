/**
 * Copies that the cluster goes on without while their node is lost: a client removed the container, or it runs elsewhere
 * now. They are kept aside when the node is back with them: under another name, stopped, and never started again by its
 * engine. Nothing here deletes one.
 */
import { unavailable } from "../docker/errors.ts";
import { CREATE_MS, EVENTS_LATE_MS, TOMBSTONES_KEPT } from "../kit/limits.ts";
import type { Write } from "../store/store.ts";
import { STATES_AT_REST } from "./at-rest.ts";
import type { Cluster } from "./cluster.ts";
import { drop } from "./forget.ts";
import type { ListedContainer } from "./list-entry.ts";
import { publishOwn } from "./missed-events.ts";
import type { ClusterNode } from "./node.ts";
import { blankRecord, type ContainerRecord } from "./record.ts";
import { IDENTITIES } from "./registry.ts";
import { rowKey } from "./remembered.ts";

export const TOMBSTONES = "tombstones/";

/** The value of `tombstones/<node ID>/<engine's container ID>`. */
export interface Tombstone {
  /** Node ID. */
  readonly node: string;
  /** The container's ID on its engine, and that engine's own ID: both may turn up at another address. */
  readonly container: string;
  readonly engine: string;
  readonly name: string;
  /** Cluster ID of the container that goes on elsewhere; absent: a client removed it. */
  readonly replacedBy?: string;
}

export class Tombstones {
  readonly #byContainer = new Map<string, Tombstone>();
  /** Being put aside now. */
  readonly #underWay = new Set<string>();

  get size(): number {
    return this.#byContainer.size;
  }

  /** @returns false for undefined */
  add(tombstone: Tombstone | undefined): boolean {
    if (!tombstone) return false;
    this.#byContainer.set(keyOf(tombstone), tombstone);
    return true;
  }

  has(tombstone: Tombstone): boolean {
    return this.#byContainer.has(keyOf(tombstone));
  }

  delete(tombstone: Tombstone): void {
    this.#byContainer.delete(keyOf(tombstone));
  }

  all(): Iterable<Tombstone> {
    return this.#byContainer.values();
  }

  *of(node: string): IterableIterator<Tombstone> {
    for (const tombstone of this.#byContainer.values()) if (tombstone.node === node) yield tombstone;
  }

  /** Those of one engine, whatever its address was. */
  *ofEngine(engine: string): IterableIterator<Tombstone> {
    for (const tombstone of this.#byContainer.values()) if (tombstone.engine === engine) yield tombstone;
  }

  /** Does the work unless it is under way already. */
  async once(tombstone: Tombstone, work: () => Promise<void>): Promise<void> {
    const key = keyOf(tombstone);
    if (this.#underWay.has(key)) return;
    this.#underWay.add(key);
    await work().finally(() => this.#underWay.delete(key));
  }
}

function keyOf({ node, container }: Tombstone): string {
  return `${TOMBSTONES}${node}/${container}`;
}

export function tombstoneWrite(tombstone: Tombstone): Write {
  return { key: keyOf(tombstone), value: JSON.stringify(tombstone) };
}

export function tombstoneOf({ id, name, node, engineId }: ContainerRecord, replaced: boolean): Tombstone {
  const engine = node.facts?.engineId ?? "";
  return { node: node.id, container: engineId, engine, name, ...(replaced && { replacedBy: id }) };
}

/** Throws 503 when so many are kept that no more may be added. */
export function requireTombstone({ tombstones }: Cluster): void {
  if (tombstones.size < TOMBSTONES_KEPT) return;
  throw unavailable(
    `${TOMBSTONES_KEPT} containers were removed from lost nodes or replaced: bring some of these nodes back first`,
  );
}

/** Undefined when the text is not a tombstone. */
export function decodeTombstone(text: string): Tombstone | undefined {
  try {
    const value = JSON.parse(text) as Partial<Tombstone> | null;
    const { node, container, engine, name } = value ?? {};
    const all = [node, container, engine, name].every((part) => typeof part === "string");
    return all ? (value as Tombstone) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Removes a container of a node that does not answer: name, ID and reservation are free when this resolves, and stay so
 * over a crash. Resolves with what the client is told. Rejects with DockerError 503 when the store does not take it.
 */
export async function removeLost(cluster: Cluster, record: ContainerRecord): Promise<string> {
  const { node, engineId, id, name } = record;
  const { tombstones, writer, log } = cluster;
  // Before the store answers the node may be back.
  const { whyUnreachable } = node;
  requireTombstone(cluster);
  const tombstone = tombstoneOf(record, false);
  const writes: Write[] = [tombstoneWrite(tombstone), { key: rowKey(node.id, engineId), value: undefined }];
  if (record.nonce !== undefined) writes.push({ key: IDENTITIES + id, value: undefined });
  await writer.write(writes);
  if (record.removed || record.node !== node) {
    writer.later([{ key: keyOf(tombstone), value: undefined }]);
    if (record.removed) return `container ${name} was removed meanwhile`;
    cluster.registry.remember(record);
    throw unavailable(`container ${name} moved to node ${record.node.name} meanwhile. Try again`);
  }
  tombstones.add(tombstone);
  node.ignored.add(engineId);
  drop(cluster, record);
  node.told.removed(cluster, node, record);
  // It may be back already: its next list puts the copy aside.
  cluster.refresher.markAll(node);
  const told = `node ${node.name} cannot be reached (${whyUnreachable}): container ${name} is removed from the cluster; the node's own copy is stopped and kept aside there when it returns, its volumes too`;
  log.warn(told, { node: node.name, container: id });
  return told;
}

/** Its engine was asked to remove it, and refuses everything else that is asked of it. */
const GOING: ReadonlySet<string> = new Set(["removing", "dead"]);

/** To be called with each whole list of a node, before it is taken in: what was removed while it was lost is kept aside. */
export function keepAside(cluster: Cluster, node: ClusterNode, rows: readonly ListedContainer[]): void {
  const { tombstones } = cluster;
  if (tombstones.size === 0 || !cluster.leads) return;
  followEngine(cluster, node, rows);
  for (const tombstone of [...tombstones.of(node.id)]) {
    const row = rows.find(({ engineId }) => engineId === tombstone.container);
    if (!row) endLate(cluster, node, tombstone);
    else if (GOING.has(row.state)) continue;
    else if (cluster.rescheduler.takesBack(node, tombstone, row)) continue;
    else if (!isAside(row, tombstone)) void tombstones.once(tombstone, () => putAside(cluster, node, tombstone, row));
  }
}

/** The engine of a tombstone answers at another address now: so does what it keeps. */
function followEngine(cluster: Cluster, node: ClusterNode, rows: readonly ListedContainer[]): void {
  const { tombstones, nodes, writer } = cluster;
  for (const tombstone of [...tombstones.ofEngine(node.facts?.engineId ?? "")]) {
    if (tombstone.node === node.id || nodes.get(tombstone.node)?.reachable === true) continue;
    const { container } = tombstone;
    if (node.containers.has(container) || !rows.some(({ engineId }) => engineId === container)) continue;
    const moved = { ...tombstone, node: node.id };
    tombstones.delete(tombstone);
    tombstones.add(moved);
    node.ignored.add(container);
    writer.later([
      { key: keyOf(tombstone), value: undefined },
      { key: keyOf(moved), value: JSON.stringify(moved) },
    ]);
  }
}

/** The engine no longer has it, or it is a container of the cluster again. */
export function endTombstone(cluster: Cluster, tombstone: Tombstone): void {
  cluster.tombstones.delete(tombstone);
  cluster.nodes.get(tombstone.node)?.ignored.delete(tombstone.container);
  cluster.writer.later([{ key: keyOf(tombstone), value: undefined }]);
}

/** The engine no longer has it, and may still tell of an end that was told when the cluster went on without it. */
function endLate(cluster: Cluster, { ignored }: ClusterNode, tombstone: Tombstone): void {
  const { tombstones, clock } = cluster;
  endTombstone(cluster, tombstone);
  ignored.add(tombstone.container);
  const forget = (): void => {
    if (!tombstones.has(tombstone)) ignored.delete(tombstone.container);
  };
  clock.after(EVENTS_LATE_MS, forget, { background: true });
}

const asideName = ({ name, container, replacedBy }: Tombstone): string =>
  `${name}.${replacedBy === undefined ? "removed" : "kept"}-${container.slice(0, 12)}`;

export function isAside(row: ListedContainer, tombstone: Tombstone): boolean {
  return row.name === asideName(tombstone) && STATES_AT_REST.has(row.state);
}

/** Never rejects: what did not work is tried again after the node's next list. */
async function putAside(
  cluster: Cluster,
  node: ClusterNode,
  tombstone: Tombstone,
  row: ListedContainer,
): Promise<void> {
  const { container, name } = tombstone;
  const ask = (path: string, body?: object): Promise<string> =>
    node.engine.text("POST", `/containers/${container}${path}`, body, { deadlineMs: CREATE_MS });
  const fields = { node: node.name, container, name, aside: asideName(tombstone) };
  try {
    await ask("/update", { RestartPolicy: { Name: "no" } });
    // Before the stop, which takes its time: somebody may want the name on this very engine.
    if (row.name !== asideName(tombstone)) await ask(`/rename?name=${asideName(tombstone)}`);
    if (!STATES_AT_REST.has(row.state)) await ask("/stop");
    cluster.log.info("a copy that the cluster went on without is stopped and kept aside", fields);
    publishOwn(cluster, node, { type: "container", record: keptFor(cluster, node, tombstone) }, "kept", {
      kept: container,
    });
    // A network that it was the last to be in can go now.
    if (cluster.leftNetworks.on(node.id).length > 0) cluster.refresher.markList(node, "networks");
  } catch (error) {
    cluster.log.warn("a copy that the cluster went on without could not be put aside", {
      ...fields,
      error: String(error),
    });
  }
}

/** The container whose copy it is; of one that is gone, what is known still. */
function keptFor(
  { inventory }: Cluster,
  node: ClusterNode,
  { container, name, replacedBy }: Tombstone,
): ContainerRecord {
  const goesOn = inventory.byId(replacedBy ?? "");
  return goesOn ?? blankRecord(node, { id: replacedBy || container, name, epoch: 1 }, "exited");
}
