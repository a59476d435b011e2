/**
 * Copies that are made and started on another node while their container still runs on its own. Until such a copy has
 * taken over it is nobody's, whichever manager sees it: no list or event tells of it, and one that nobody works on is
 * removed by the manager that leads. Owns these copies' marks, in memory and in the store, and what becomes of those that do not take over.
 */
import { DockerError } from "../../docker/errors.ts";
import type { EngineEvent } from "../../engine/event.ts";
import { CREATE_MS, REPLACEMENT_LATE_MS } from "../../kit/limits.ts";
import type { Write } from "../../store/store.ts";
import type { Cluster } from "../cluster.ts";
import { decodeHint, HINT_LABEL } from "../hint.ts";
import type { ListedContainer } from "../list-entry.ts";
import type { ClusterNode } from "../node.ts";

export const REPLACEMENTS = "replacements/";

/** The value of `replacements/<nonce>`. */
interface Mark {
  /** Node ID. */
  readonly node: string;
  /** Cluster ID of the container that it is to be. */
  readonly container: string;
}

export interface Replacement extends Mark {
  readonly nonce: string;
  /** "" until its engine told. */
  engineId: string;
  /** Nobody works on it any more: it is to go. */
  givenUp: boolean;
  /** What the store must say before it goes: it may say that this one has taken over. */
  mend: (() => readonly Write[]) | undefined;
  /** When the first whole list of its node was begun that did not have it (monotonic milliseconds). */
  missingSince: number | undefined;
  removing: Promise<void> | undefined;
}

export class Replacements {
  readonly #cluster: Cluster;
  readonly #byNonce = new Map<string, Replacement>();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** Resolves when every later manager would know it. Rejects with DockerError 503. */
  async begin(node: string, container: string): Promise<Replacement> {
    const replacement = this.#add(this.#cluster.random.hex(8), { node, container }, false);
    try {
      await this.#cluster.writer.write([markWrite(replacement)]);
    } catch (error) {
      this.end(replacement);
      throw error;
    }
    return replacement;
  }

  /** It is the container now, or gone. */
  end({ nonce }: Replacement): void {
    if (this.#byNonce.delete(nonce)) this.#cluster.writer.later([{ key: REPLACEMENTS + nonce, value: undefined }]);
  }

  /** The one that an engine's container is, by the label that its create left on it. */
  find(node: ClusterNode, engineId: string, hintText: string | undefined): Replacement | undefined {
    if (this.#byNonce.size === 0) return undefined;
    const found = this.#byNonce.get(decodeHint(hintText)?.nonce ?? "");
    // What is made of an image of it inherits the label.
    if (found?.node !== node.id || (found.engineId !== "" && found.engineId !== engineId)) return undefined;
    // It has taken over, and its manager died before that was noted; it may have been replaced in its turn since.
    if (this.#isKept(node, engineId) || this.#cluster.inventory.byNonce(found.nonce)) {
      this.end(found);
      // A manager that follows has passed it over until now.
      if (!this.#isKept(node, engineId)) node.ignored.delete(engineId);
      return undefined;
    }
    found.engineId = engineId;
    node.ignored.add(engineId);
    return found;
  }

  on(node: ClusterNode): Replacement[] {
    return [...this.#byNonce.values()].filter((one) => one.node === node.id);
  }

  /** Those of earlier tries are gone from nodes that answer when this resolves. Rejects with why one cannot be removed. */
  async clear(container: string): Promise<void> {
    for (const one of [...this.#byNonce.values()]) {
      if (one.container === container && one.givenUp && one.engineId !== "") await this.#remove(one);
    }
  }

  /** It does not take over. Never rejects: what did not work is tried again after its node's next list. */
  async giveUp(replacement: Replacement): Promise<void> {
    // The one that leads finds it, too.
    if (!this.#cluster.leads) return;
    replacement.givenUp = true;
    const node = this.#cluster.nodes.get(replacement.node);
    if (replacement.engineId === "") {
      // Whether it was made the node's lists tell.
      if (node) this.#cluster.refresher.markAll(node);
      return;
    }
    await this.#remove(replacement).catch((error: unknown) => {
      const fields = { node: node?.name ?? replacement.node, container: replacement.engineId, error: String(error) };
      this.#cluster.log.warn("a copy that did not take over is not removed yet", fields);
    });
  }

  /** One removal at a time. */
  #remove(replacement: Replacement): Promise<void> {
    replacement.removing ??= this.#removeNow(replacement).finally(() => {
      replacement.removing = undefined;
    });
    return replacement.removing;
  }

  async #removeNow(replacement: Replacement): Promise<void> {
    const { nodes, writer } = this.#cluster;
    if (replacement.mend) await writer.write(replacement.mend());
    replacement.mend = undefined;
    const node = nodes.get(replacement.node);
    // Its next list brings it up again.
    if (!node?.reachable) return;
    const path = `/containers/${replacement.engineId}?force=1&v=1`;
    await node.engine.text("DELETE", path, undefined, { deadlineMs: CREATE_MS }).catch((error: unknown) => {
      if (!(error instanceof DockerError && error.status === 404)) throw error;
    });
    this.end(replacement);
  }

  /** Takes in an entry of the store: an earlier manager's. @returns false when it is none of these, or cannot be read */
  restore(key: string, value: string): boolean {
    if (!key.startsWith(REPLACEMENTS)) return false;
    const { node, container } = JSON.parse(value) as Partial<Mark>;
    if (typeof node !== "string" || typeof container !== "string") return false;
    this.#add(key.slice(REPLACEMENTS.length), { node, container }, true);
    return true;
  }

  /** What the manager that leads has made of one; undefined: it is the container now, or gone. */
  take(key: string, value: string | undefined): void {
    const found = this.#byNonce.get(key.slice(REPLACEMENTS.length));
    if (value !== undefined) {
      if (!found) this.restore(key, value);
      return;
    }
    if (!found) return;
    this.#byNonce.delete(found.nonce);
    const { nodes, refresher } = this.#cluster;
    const node = nodes.get(found.node);
    if (!node || this.#isKept(node, found.engineId) || !node.ignored.delete(found.engineId)) return;
    refresher.markId(node, found.engineId, true);
  }

  /** Into a store that lost them. */
  writeAgain(): void {
    this.#cluster.writer.later([...this.#byNonce.values()].map(markWrite));
  }

  #isKept(node: ClusterNode, engineId: string): boolean {
    return [...this.#cluster.tombstones.of(node.id)].some(({ container }) => container === engineId);
  }

  #add(nonce: string, mark: Mark, givenUp: boolean): Replacement {
    const replacement = {
      ...mark,
      nonce,
      givenUp,
      engineId: "",
      mend: undefined,
      missingSince: undefined,
      removing: undefined,
    };
    this.#byNonce.set(nonce, replacement);
    return replacement;
  }
}

function markWrite({ nonce, node, container }: Replacement): Write {
  return { key: REPLACEMENTS + nonce, value: JSON.stringify({ node, container } satisfies Mark) };
}

/** To be called with each list of a node before it is taken in. Those that nobody works on go. */
export function passOver(cluster: Cluster, node: ClusterNode, rows: readonly ListedContainer[]): void {
  const { replacements, images } = cluster;
  if (replacements.on(node).length === 0) return;
  for (const { engineId, labels, imageId } of rows) {
    const hint = labels[HINT_LABEL];
    if (images.hintOf(node.id, imageId) === hint) continue;
    const found = replacements.find(node, engineId, hint);
    if (found?.givenUp) void replacements.giveUp(found);
  }
}

/**
 * A node's whole list was begun at `startedAt` (monotonic milliseconds): what it does not have for long will not come any
 * more.
 */
export function endMissing(
  { replacements, leads }: Cluster,
  node: ClusterNode,
  rows: readonly ListedContainer[],
  startedAt: number,
): void {
  // The one that leads says when.
  if (!leads) return;
  for (const one of replacements.on(node)) {
    if (!one.givenUp || rows.some(({ engineId }) => engineId === one.engineId)) continue;
    one.missingSince ??= startedAt;
    if (startedAt - one.missingSince >= REPLACEMENT_LATE_MS) replacements.end(one);
  }
}

/** An engine tells of one: nobody else is told. */
export function isOfReplacement({ replacements }: Cluster, node: ClusterNode, event: EngineEvent): boolean {
  return (
    event.type === "container" && replacements.find(node, event.actorId, event.attributes[HINT_LABEL]) !== undefined
  );
}
