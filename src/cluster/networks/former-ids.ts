/**
 * The cluster IDs of networks that are gone: an engine's event of the end, or of the time before, names its own ID alone,
 * and may come when nothing else tells any more. Bounded: the ones that went last.
 */
import { FORMER_NETWORKS_REMEMBERED } from "../../kit/limits.ts";
import type { ObjectObserver } from "../object-index.ts";

export class FormerNetworkIds {
  readonly #ids = new Map<string, string>();

  /** Of the networks' index. */
  readonly observe: ObjectObserver = (nodeId, before, after) => {
    if (!before || after || before.key === before.engineKey) return;
    const key = keyOf(nodeId, before.engineKey);
    this.#ids.delete(key);
    this.#ids.set(key, before.key);
    const [oldest] = this.#ids.keys();
    if (oldest !== undefined && this.#ids.size > FORMER_NETWORKS_REMEMBERED) this.#ids.delete(oldest);
  };

  /** Undefined for one whose engine's ID was the cluster's, too, and for one that is forgotten. */
  get(nodeId: string, engineId: string): string | undefined {
    return this.#ids.get(keyOf(nodeId, engineId));
  }
}

const keyOf = (nodeId: string, engineId: string): string => `${nodeId}/${engineId}`;
