/**
 * Who the containers are that were made through shoal, in the store: one entry for each, one for each create under way.
 * Owns these entries' form, and what the store told at the start of nodes that are not in the cluster yet; must not know
 * engines.
 */

import { type GroupOptions, groupLabel } from "../scheduler/group.ts";
import type { Write } from "../store/store.ts";
import type { Placement } from "./placements.ts";
import { type ContainerRecord, type Needs, namesOf } from "./record.ts";
import type { Moves } from "./reschedule/policy.ts";
import { RECIPES } from "./reschedule/recipes.ts";
import type { StoreWriter } from "./store-writer.ts";

export const IDENTITIES = "containers/";
export const INTENTS = "intents/";

/** What outlives the manager of a container. */
export interface Identity {
  /** Cluster ID; the key's last part. */
  readonly id: string;
  readonly name: string;
  /** What its engine may call it as well: a rename is under way, or was not answered. */
  readonly otherNames?: readonly string[] | undefined;
  readonly epoch: number;
  readonly nonce: string;
  /** Node ID. */
  readonly node: string;
  readonly engineId: string;
  /** Seconds since the Unix epoch, and the order of those of one second. */
  readonly created: number;
  readonly sequence: number;
  readonly image: string;
  readonly needs: Needs;
  readonly cpuShares?: number | undefined;
  readonly moves?: Moves | undefined;
  readonly startsAgain?: true | undefined;
  /** Cluster IDs of containers that it depends on. */
  readonly ties?: readonly string[] | undefined;
  /** The label that names its group: it belongs there before its row is known again. */
  readonly group?: GroupLabel | undefined;
}

type GroupLabel = Readonly<Record<string, string>>;

/** A create that an engine is about to be asked for. */
export interface Intent {
  /** The key's last part. */
  readonly nonce: string;
  /** Of the manager that wrote it. */
  readonly term: number;
  readonly id: string;
  readonly name: string;
  /** Above 1: another copy of a container that is there already. */
  readonly epoch: number;
  /** Node ID. */
  readonly node: string;
  readonly needs: Needs;
  readonly group?: GroupLabel | undefined;
  /** Names of the volumes that its engine makes on the way, or has. */
  readonly volumes?: readonly string[] | undefined;
}

export class Registry {
  /** Which of the managers that used this store this one is; 0 for a cluster that was never restored. */
  term = 0;
  /** The store had nothing of an earlier manager. */
  fresh = true;
  readonly #writer: StoreWriter;
  readonly #groups: GroupOptions;
  /** Of nodes that are not in the cluster (yet): node ID → cluster ID → identity. */
  readonly #identities = new Map<string, Map<string, Identity>>();
  readonly #intents = new Map<string, Intent[]>();

  constructor(writer: StoreWriter, groups: GroupOptions) {
    this.#writer = writer;
    this.#groups = groups;
  }

  /** Resolves when it is durable that this create may reach its engine. Rejects with DockerError 503. */
  intend(placement: Placement): Promise<void> {
    return this.#writer.write([this.#intentWrite(placement)]);
  }

  /** The same without anybody waiting for it. */
  rememberIntent(placement: Placement): void {
    this.#writer.later([this.#intentWrite(placement)]);
  }

  #intentWrite(placement: Placement): Write {
    return { key: INTENTS + placement.nonce, value: JSON.stringify(this.intentOf(placement)) };
  }

  intentOf({ nonce, volumes, record }: Placement): Intent {
    const { id, name, epoch, node, needs } = record;
    const group = groupLabel(record.labels, this.#groups);
    return { nonce, term: this.term, id, name, epoch, node: node.id, needs, group, volumes };
  }

  /** What became of a create is known, or in the engines to see. */
  settleIntent(nonce: string): void {
    this.#writer.later([{ key: INTENTS + nonce, value: undefined }]);
  }

  /**
   * Resolves when the container is durably ours as it is now, its create's intent settled with it, and `more` written
   * with it. Rejects with DockerError 503.
   */
  async own(record: ContainerRecord, nonce?: string, more: readonly Write[] = []): Promise<void> {
    // Somebody may have removed it meanwhile.
    const writes = record.removed ? [] : [...this.identityWrites(record), ...more];
    if (nonce !== undefined) writes.push({ key: INTENTS + nonce, value: undefined });
    if (writes.length > 0) await this.#writer.write(writes);
  }

  /** The same without anybody waiting for it: what the engines tell too. */
  remember(record: ContainerRecord): void {
    if (!record.removed) this.#writer.later(this.identityWrites(record));
  }

  /** The container is gone. */
  forget(record: ContainerRecord): void {
    this.#writer.later(removalWrites(record));
  }

  /** Resolves when it is durable that it is gone. Rejects with DockerError 503. */
  async forgetDurably(record: ContainerRecord): Promise<void> {
    const writes = removalWrites(record);
    if (writes.length > 0) await this.#writer.write(writes);
  }

  identityWrites(record: ContainerRecord): Write[] {
    const identity = this.identityOf(record);
    return identity ? [{ key: IDENTITIES + identity.id, value: JSON.stringify(identity) }] : [];
  }

  /** Undefined for what was not made through shoal, or not made yet. */
  identityOf(record: ContainerRecord): Identity | undefined {
    if (!isIdentified(record)) return undefined;
    const { id, name, epoch, nonce, node, engineId, created, sequence, image, needs, cpuShares, moves } = record;
    const others = [...namesOf(record)].filter((other) => other !== name);
    return {
      id,
      name,
      otherNames: others.length > 0 ? others : undefined,
      epoch,
      nonce,
      node: node.id,
      engineId,
      created,
      sequence,
      image,
      needs,
      cpuShares,
      moves,
      startsAgain: record.startsAgain || undefined,
      ties: record.ties.length > 0 ? record.ties : undefined,
      group: groupLabel(record.labels, this.#groups),
    };
  }

  /** Told by the store, or left with its node: kept until the node joins (again). @returns false for nothing */
  park(identity: Identity | undefined): boolean {
    if (!identity) return false;
    let parked = this.#identities.get(identity.node);
    if (!parked) {
      parked = new Map();
      this.#identities.set(identity.node, parked);
    }
    parked.set(identity.id, identity);
    return true;
  }

  parkIntent(intent: Intent | undefined): boolean {
    if (!intent) return false;
    this.#intents.set(intent.node, [...(this.#intents.get(intent.node) ?? []), intent]);
    return true;
  }

  /** What was parked for a node; it is the caller's now. */
  unpark(nodeId: string): { readonly identities: readonly Identity[]; readonly intents: readonly Intent[] } {
    const identities = [...(this.#identities.get(nodeId)?.values() ?? [])];
    const intents = this.#intents.get(nodeId) ?? [];
    this.#identities.delete(nodeId);
    this.#intents.delete(nodeId);
    return { identities, intents };
  }

  /** What is parked of a container, under whatever node, is no longer so. */
  dropParked(id: string): void {
    for (const parked of this.#identities.values()) parked.delete(id);
  }

  /** A container parked under another node: its engine has moved to a new address. */
  unparkMoved(nonce: string, engineId: string): Identity | undefined {
    for (const parked of this.#identities.values()) {
      for (const identity of parked.values()) {
        if (identity.nonce !== nonce || identity.engineId !== engineId) continue;
        parked.delete(identity.id);
        return identity;
      }
    }
    return undefined;
  }
}

type Identified = ContainerRecord & { readonly nonce: string };

function isIdentified(record: ContainerRecord): record is Identified {
  return record.nonce !== undefined && record.engineId !== "";
}

function removalWrites(record: ContainerRecord): Write[] {
  if (!isIdentified(record)) return [];
  const identity = { key: IDENTITIES + record.id, value: undefined };
  return record.moves === undefined ? [identity] : [identity, { key: RECIPES + record.id, value: undefined }];
}

/** Undefined when the text is not an identity. */
export function decodeIdentity(text: string): Identity | undefined {
  const value = decode<Identity>(text);
  return value && hasStrings(value, ["id", "name", "nonce", "node", "engineId"]) && isNeeds(value.needs)
    ? value
    : undefined;
}

/** Undefined when the text is not an intent. */
export function decodeIntent(text: string): Intent | undefined {
  const value = decode<Intent>(text);
  return value && hasStrings(value, ["nonce", "id", "name", "node"]) && isNeeds(value.needs) ? value : undefined;
}

function decode<T extends object>(text: string): T | undefined {
  try {
    const value = JSON.parse(text) as T | null;
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function hasStrings<T extends object>(value: T, keys: readonly (keyof T)[]): boolean {
  return keys.every((key) => typeof value[key] === "string");
}

function isNeeds(needs: Partial<Needs> | undefined): boolean {
  return typeof needs?.nanoCpus === "number" && typeof needs.memory === "number" && Array.isArray(needs.ports);
}
