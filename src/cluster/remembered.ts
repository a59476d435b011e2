/**
 * What the store remembers of nodes and of the rows of their containers, so that a new manager knows also what lives on
 * a node that does not answer. Owns the form of these entries, and what waits for nodes that have not joined yet.
 */
import { fields } from "../docker/json-text.ts";
import type { EngineFacts } from "../engine/facts.ts";
import type { PortClaim } from "../scheduler/request.ts";
import type { Write } from "../store/store.ts";
import type { Cluster } from "./cluster.ts";
import { NODE_LABEL } from "./hint.ts";
import { settle } from "./holdings.ts";
import type { ListEntry } from "./list-entry.ts";
import type { ClusterNode } from "./node.ts";
import { blankRecord, type ContainerRecord, type ContainerState, type Needs, NO_NEEDS } from "./record.ts";

export const NODES = "nodes/";
export const ROWS = "rows/";

export const rowKey = (nodeId: string, engineId: string): string => `${ROWS}${nodeId}/${engineId}`;

/** The value of `nodes/<node ID>`. */
interface RememberedNode {
  readonly name: string;
  /** What its engine said of itself, but for the long tail of `/info`. */
  readonly facts: Omit<EngineFacts, "labels" | "info"> & { readonly labels: readonly (readonly [string, string])[] };
}

/** The value of `rows/<node ID>/<engine's container ID>`. */
interface RememberedRow {
  readonly id: string;
  readonly name: string;
  readonly state: ContainerState;
  /** The list entry, with an empty Status. */
  readonly row: string;
  readonly status: ListEntry["status"];
  readonly exitCode?: number | undefined;
  readonly since?: number | undefined;
  readonly published: readonly PortClaim[];
  readonly tty?: boolean | undefined;
  /** Made through shoal: its identity tells who it is, and while its create is not answered the intent does. */
  readonly ours?: true | undefined;
  /** Of what was not made through shoal. Absent while nobody knows. */
  readonly needs?: Needs | undefined;
}

/** The parts of the list entry that are acted on. */
interface RowFacts {
  readonly Names?: readonly string[];
  readonly State?: string;
  readonly Created: number;
  readonly Image: string;
  readonly ImageID: string;
  readonly Labels?: Readonly<Record<string, string>> | null;
}

export class Remembered {
  /** Told by the store, or left with their nodes. */
  readonly #nodes = new Map<string, RememberedNode>();
  readonly #rows = new Map<string, Map<string, RememberedRow>>();
  /** As last written, by node ID. */
  readonly #written = new Map<string, string>();

  /** One entry of the store; false when it cannot be read. */
  load(key: string, value: string): boolean {
    try {
      const parsed = JSON.parse(value) as RememberedNode & RememberedRow;
      const [node = "", container = ""] = key.slice(key.indexOf("/") + 1).split("/");
      if (key.startsWith(NODES)) {
        if (typeof parsed.name !== "string" || typeof parsed.facts.engineId !== "string") return false;
        this.#nodes.set(node, parsed);
        this.#written.set(node, value);
      } else {
        if (typeof parsed.id !== "string" || typeof parsed.row !== "string") return false;
        this.#park(node, container, parsed);
      }
      return true;
    } catch {
      return false;
    }
  }

  /** Of a node that is not in the cluster now. */
  nameOf(nodeId: string): string | undefined {
    return this.#nodes.get(nodeId)?.name;
  }

  /** A node that leaves: what is known of it waits for its return. */
  park(node: ClusterNode): void {
    if (node.facts) this.#nodes.set(node.id, rememberedNode(node, node.facts));
    for (const record of node.containers.values()) {
      const row = rememberedRow(record);
      if (row) this.#park(node.id, record.engineId, row);
    }
  }

  /** What waited for a node; it is the caller's now. */
  unpark(nodeId: string): {
    readonly node: RememberedNode | undefined;
    readonly rows: ReadonlyMap<string, RememberedRow>;
  } {
    const parked = { node: this.#nodes.get(nodeId), rows: this.#rows.get(nodeId) ?? new Map() };
    this.#nodes.delete(nodeId);
    this.#rows.delete(nodeId);
    return parked;
  }

  /** True when this is news. */
  changed(nodeId: string, value: string): boolean {
    if (this.#written.get(nodeId) === value) return false;
    this.#written.set(nodeId, value);
    return true;
  }

  #park(node: string, container: string, row: RememberedRow): void {
    let rows = this.#rows.get(node);
    if (!rows) {
      rows = new Map();
      this.#rows.set(node, rows);
    }
    rows.set(container, row);
  }
}

/** Its engine said what it is. */
export function rememberNode(cluster: Cluster, node: ClusterNode, facts: EngineFacts): void {
  const value = JSON.stringify(rememberedNode(node, facts));
  if (cluster.remembered.changed(node.id, value)) cluster.writer.later([{ key: NODES + node.id, value }]);
}

function rememberedNode({ name }: ClusterNode, { info: _info, labels, ...facts }: EngineFacts): RememberedNode {
  return { name, facts: { ...facts, labels: [...labels] } };
}

/** Its row, or what it needs, is another than before. */
export function rememberRow(cluster: Cluster, record: ContainerRecord): void {
  cluster.writer.later(rowWrites(record));
}

/** None while its node has not listed it. */
export function rowWrites(record: ContainerRecord): readonly Write[] {
  const row = rememberedRow(record);
  return row ? [{ key: rowKey(record.node.id, record.engineId), value: JSON.stringify(row) }] : [];
}

/** It is gone, or another copy of it goes on. */
export function forgetRow(cluster: Cluster, { id: nodeId }: ClusterNode, engineId: string): void {
  if (engineId !== "") cluster.writer.later([{ key: rowKey(nodeId, engineId), value: undefined }]);
}

function rememberedRow(record: ContainerRecord): RememberedRow | undefined {
  const { id, name, state, entry, exitCode, since, published, tty, nonce, needs, needsKnown } = record;
  if (!entry || record.removed) return undefined;
  const row = Buffer.concat([entry.head, EMPTY, entry.tail]).toString();
  const shown = { id, name, state, row, status: entry.status, exitCode, since, published, tty };
  return nonce === undefined ? { ...shown, needs: needsKnown ? needs : undefined } : { ...shown, ours: true };
}

const EMPTY = Buffer.from('""');

/** A node that joins is shown as it was last known until its engine answers. To be called after its identities are there. */
export function recallNode(cluster: Cluster, node: ClusterNode): void {
  const { node: known, rows } = cluster.remembered.unpark(node.id);
  if (known) {
    const { labels, ...facts } = known.facts;
    node.facts = { ...facts, labels: new Map(labels), info: {} };
    node.name = known.name;
    node.known = true;
    cluster.ledger.setNode(node.id, { nanoCpus: facts.cpus * 1e9, memory: facts.memory });
    node.touch();
  }
  for (const [engineId, row] of rows) recallRow(cluster, node, engineId, row);
}

function recallRow(cluster: Cluster, node: ClusterNode, engineId: string, row: RememberedRow): void {
  const { inventory } = cluster;
  if (node.ignored.has(engineId)) return;
  const told = JSON.parse(row.row) as RowFacts;
  const known = node.containers.get(engineId);
  if (!known && row.ours) {
    // The row came into the store, and the manager died before the identity did: its node's list tells who it is.
    forgetRow(cluster, node, engineId);
    return;
  }
  const record = known ?? stranger(cluster, node, engineId, row, told);
  if (!record) return;
  inventory.setState(record, row.state);
  const { [NODE_LABEL]: _node, ...labels } = told.Labels ?? {};
  inventory.setLabels(record, labels);
  record.image = told.Image;
  record.imageId = told.ImageID;
  record.exitCode = row.exitCode;
  record.since = row.since;
  record.published = row.published;
  record.tty = row.tty;
  record.entry = entryOf(row);
  // A change may have been told, and its node lost before the row could be read again.
  if (told.Names?.[0] !== `/${record.name}` || told.State !== row.state) inventory.reshow(record);
  settle(cluster, record);
}

function entryOf({ row, status }: RememberedRow): ListEntry | undefined {
  const span = fields(row).get("Status");
  if (!span) return undefined;
  return { head: Buffer.from(row.slice(0, span.start)), tail: Buffer.from(row.slice(span.end)), status };
}

/** One that was not made through shoal; undefined when its ID is another's by now. */
function stranger(
  cluster: Cluster,
  node: ClusterNode,
  engineId: string,
  { id, name, state, needs }: RememberedRow,
  told: RowFacts,
): ContainerRecord | undefined {
  const { inventory } = cluster;
  if (inventory.byId(id)) return undefined;
  const record: ContainerRecord = {
    ...blankRecord(node, { id, name, epoch: 1 }, state),
    engineId,
    created: told.Created,
    sequence: inventory.nextSequence(),
    image: told.Image,
    imageId: told.ImageID,
    needs: needs ?? NO_NEEDS,
    needsKnown: needs !== undefined,
  };
  if (record.needsKnown) node.unconfirmed.add(record);
  else node.unmeasured++;
  inventory.add(record);
  return record;
}
