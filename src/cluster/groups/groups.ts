/**
 * The groups that have a home: what was decided of each, kept in memory, in the ledger and in the store. Owns that state;
 * deciding is `standing.ts`'s.
 */
import { createHash } from "node:crypto";
import type { Clock } from "../../kit/clock.ts";
import { GROUP_EXPECTED_MS } from "../../kit/limits.ts";
import type { GroupOptions, GroupPolicy } from "../../scheduler/group.ts";
import type { Ledger, NodeSums } from "../../scheduler/ledger.ts";
import type { Write } from "../../store/store.ts";
import type { StoreWriter } from "../store-writer.ts";
import { GroupObjects } from "./members.ts";

export const GROUPS = "groups/";

/** What is decided of a group, as the store holds it. */
export interface Group {
  /** `label=value`. */
  readonly key: string;
  /** Node ID. */
  readonly home: string;
  /** That an object asked for; undefined leaves it to the manager's own. */
  readonly policy: GroupPolicy | undefined;
  readonly reserve: NodeSums | undefined;
}

interface Entry {
  readonly group: Group;
  /** Read off its members, since no record told: other nodes' members may tell better. */
  readonly rebuilt: boolean;
  /** The store has it. */
  stored: boolean;
}

interface Making {
  count: number;
  readonly waiting: (() => void)[];
}

export class Groups {
  readonly objects: GroupObjects;
  readonly #ledger: Ledger;
  readonly #writer: StoreWriter;
  readonly #clock: Clock;
  readonly #byKey = new Map<string, Entry>();
  /** Groups without a container yet, oldest first: the node, and until when (monotonic milliseconds) one is expected. */
  readonly #expected = new Map<string, { readonly node: string; readonly until: number }>();
  readonly #expectedOn = new Map<string, number>();
  /** Networks and volumes of groups that are being made. */
  readonly #making = new Map<string, Making>();

  constructor(parts: {
    readonly options: { readonly groups: GroupOptions };
    readonly ledger: Ledger;
    readonly writer: StoreWriter;
    readonly clock: Clock;
  }) {
    this.objects = new GroupObjects(parts.options.groups);
    this.#ledger = parts.ledger;
    this.#writer = parts.writer;
    this.#clock = parts.clock;
  }

  get(key: string): Group | undefined {
    return this.#byKey.get(key)?.group;
  }

  *all(): IterableIterator<Group> {
    for (const { group } of this.#byKey.values()) yield group;
  }

  isRebuilt(key: string): boolean {
    return this.#byKey.get(key)?.rebuilt === true;
  }

  /** A new group, or another home, policy or reserve of one that is there. Synchronous; `durable` makes it last. */
  decide(group: Group): void {
    const before = this.#byKey.get(group.key);
    if (before !== undefined && !before.rebuilt && isSame(before.group, group)) return;
    if (before?.group.home !== group.home) this.#expect(group);
    this.#take(group, { rebuilt: false, stored: false });
  }

  /** Resolves when the store has what was decided. Rejects with DockerError 503. */
  async durable(key: string): Promise<void> {
    const entry = this.#byKey.get(key);
    if (entry === undefined || entry.stored) return;
    await this.#writer.write([writeOf(entry.group)]);
    entry.stored = true;
  }

  /** Read off the members of a group that no record tells of. */
  rebuild(group: Group): void {
    const before = this.#byKey.get(group.key);
    if (before !== undefined && isSame(before.group, group)) return;
    this.#take(group, { rebuilt: true, stored: true });
    this.#writer.later([writeOf(group)]);
  }

  /** Takes in an entry of the store. @returns false when it is none of these */
  restore(key: string, value: string): boolean {
    if (!key.startsWith(GROUPS)) return false;
    const group = JSON.parse(value) as Group;
    if (typeof group.key !== "string" || typeof group.home !== "string") return false;
    this.#take(group, { rebuilt: false, stored: true });
    return true;
  }

  /** Into a store that lost them. */
  writeAgain(): void {
    this.#writer.later([...this.all()].map(writeOf));
  }

  /** Nobody belongs to it any more. */
  drop(key: string): void {
    if (!this.#byKey.delete(key)) return;
    this.#ledger.releaseGroup(key);
    this.begun(key);
    this.#writer.later([{ key: storeKey(key), value: undefined }]);
  }

  /** Its first container is there, or will not come. */
  begun(key: string): void {
    const expected = this.#expected.get(key);
    if (expected === undefined) return;
    this.#expected.delete(key);
    const left = (this.#expectedOn.get(expected.node) ?? 1) - 1;
    if (left > 0) this.#expectedOn.set(expected.node, left);
    else this.#expectedOn.delete(expected.node);
  }

  /** How many groups have their home on the node and wait for their first container. */
  expectedOn(node: string): number {
    const now = this.#clock.monotonic();
    for (const [key, { until }] of this.#expected) {
      if (until > now) break;
      this.begun(key);
    }
    return this.#expectedOn.get(node) ?? 0;
  }

  /** Networks or volumes of it are being made: it stays where it is. */
  isMaking(key: string): boolean {
    return this.#making.has(key);
  }

  beginMaking(key: string): void {
    const making = this.#making.get(key) ?? { count: 0, waiting: [] };
    making.count++;
    this.#making.set(key, making);
  }

  endMaking(key: string): void {
    const making = this.#making.get(key);
    if (making === undefined || --making.count > 0) return;
    this.#making.delete(key);
    for (const done of making.waiting) done();
  }

  /** Resolves when no network or volume of it is being made. */
  made(key: string): Promise<void> {
    const making = this.#making.get(key);
    if (making === undefined) return Promise.resolve();
    return new Promise((resolve) => making.waiting.push(resolve));
  }

  #take(group: Group, { rebuilt, stored }: { readonly rebuilt: boolean; readonly stored: boolean }): void {
    this.#byKey.set(group.key, { group, rebuilt, stored });
    if (group.reserve === undefined) this.#ledger.releaseGroup(group.key);
    else this.#ledger.reserveGroup(group.key, { node: group.home, ...group.reserve });
  }

  #expect({ key, home }: Group): void {
    this.begun(key);
    this.#expected.set(key, { node: home, until: this.#clock.monotonic() + GROUP_EXPECTED_MS });
    this.#expectedOn.set(home, (this.#expectedOn.get(home) ?? 0) + 1);
  }
}

function isSame(a: Group, b: Group): boolean {
  return (
    a.home === b.home &&
    a.policy === b.policy &&
    a.reserve?.nanoCpus === b.reserve?.nanoCpus &&
    a.reserve?.memory === b.reserve?.memory
  );
}

function writeOf(group: Group): Write {
  return { key: storeKey(group.key), value: JSON.stringify(group) };
}

/** Keys of groups are any text, keys of the store are not. */
function storeKey(key: string): string {
  return GROUPS + createHash("sha256").update(key).digest("hex").slice(0, 32);
}
