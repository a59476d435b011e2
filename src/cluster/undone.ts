/**
 * Creates that count as not made although their engine may make them yet: it was asked, and told of nothing. What it makes
 * of one after all is nobody's, whichever manager sees it: it is removed. Owns these marks, in memory and in the store, and
 * when they end.
 */
import { UNDONE_MS, UNDONE_REMEMBERED } from "../kit/limits.ts";
import type { Write } from "../store/store.ts";
import type { Cluster } from "./cluster.ts";
import { removeCopy } from "./copies.ts";
import { decodeHint, HINT_LABEL } from "./hint.ts";
import type { ListedContainer } from "./list-entry.ts";
import type { ClusterNode } from "./node.ts";
import { INTENTS } from "./registry.ts";
import type { StoreWriter } from "./store-writer.ts";

export const UNDONE = "undone/";

/** The value of `undone/<nonce>`. */
interface Given {
  /** Node ID. */
  readonly node: string;
}

interface Mark extends Given {
  readonly nonce: string;
  /** When the first whole list of its node was begun of which this manager knows (monotonic milliseconds). */
  listedAt?: number;
  /** What was made of it after all is being removed. */
  removing: boolean;
}

export class Undone {
  readonly #writer: StoreWriter;
  /** By nonce, oldest first. */
  readonly #marks = new Map<string, Mark>();

  constructor({ writer }: { readonly writer: StoreWriter }) {
    this.#writer = writer;
  }

  get size(): number {
    return this.#marks.size;
  }

  has(nonce: string): boolean {
    return this.#marks.has(nonce);
  }

  /**
   * It counts as not made from now on. Resolves when that is durable, in the place of its intent. Rejects with DockerError
   * 503, and it does not count as not made.
   */
  async add(nonce: string, node: string): Promise<void> {
    this.#keep(nonce, node);
    try {
      await this.#writer.write(writesOf(nonce, node));
    } catch (error) {
      this.#marks.delete(nonce);
      throw error;
    }
  }

  /** It will not be made any more. */
  end(nonce: string): void {
    if (this.#marks.delete(nonce)) this.#writer.later([{ key: UNDONE + nonce, value: undefined }]);
  }

  /** The work that removes what was made of it, unless that is under way already. */
  async once(nonce: string, work: () => Promise<boolean>): Promise<void> {
    const mark = this.#marks.get(nonce);
    if (!mark || mark.removing) return;
    mark.removing = true;
    const isGone = await work();
    mark.removing = false;
    if (isGone) this.end(nonce);
  }

  /** A node's whole list was begun at `startedAt` (monotonic milliseconds), and has none but those in `made`. */
  listed(node: string, startedAt: number, made: ReadonlySet<string>): void {
    for (const mark of this.#marks.values()) {
      if (mark.node !== node) continue;
      mark.listedAt ??= startedAt;
      if (startedAt - mark.listedAt >= UNDONE_MS && !made.has(mark.nonce)) this.end(mark.nonce);
    }
  }

  /** Takes in an entry of the store. @returns false when it is none of these, or cannot be read */
  restore(key: string, value: string): boolean {
    if (!key.startsWith(UNDONE)) return false;
    const { node } = JSON.parse(value) as Partial<Given>;
    if (typeof node !== "string") return false;
    this.#keep(key.slice(UNDONE.length), node);
    return true;
  }

  /** What the manager that leads has made of one; undefined: it has ended. */
  take(key: string, value: string | undefined): void {
    if (value === undefined) this.#marks.delete(key.slice(UNDONE.length));
    else this.restore(key, value);
  }

  /** Into a store that lost them. */
  writeAgain(): void {
    for (const { nonce, node } of this.#marks.values()) this.#writer.later(writesOf(nonce, node));
  }

  #keep(nonce: string, node: string): void {
    this.#marks.set(nonce, { nonce, node, removing: false });
    for (const oldest of this.#marks.keys()) {
      if (this.#marks.size <= UNDONE_REMEMBERED) break;
      this.end(oldest);
    }
  }
}

const writesOf = (nonce: string, node: string): readonly Write[] => [
  { key: UNDONE + nonce, value: JSON.stringify({ node } satisfies Given) },
  { key: INTENTS + nonce, value: undefined },
];

/** To be called with each list of a node, before it is taken in. @returns the nonces of what was made after all */
export function removeUndone(cluster: Cluster, node: ClusterNode, rows: readonly ListedContainer[]): Set<string> {
  const made = new Set<string>();
  if (cluster.undone.size === 0) return made;
  for (const { engineId, state, labels } of rows) {
    // What runs somebody has started, past shoal: it is not ours to remove.
    if (state !== "created" || node.containers.has(engineId)) continue;
    const nonce = decodeHint(labels[HINT_LABEL])?.nonce;
    if (nonce === undefined || !cluster.undone.has(nonce)) continue;
    made.add(nonce);
    node.ignored.add(engineId);
    void cluster.undone.once(nonce, () => removeCopy(cluster, node, engineId));
  }
  return made;
}
