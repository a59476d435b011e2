/**
 * Which node a client's pull belongs to: after a create missed its image, the client pulls and creates again, and both
 * must meet on one node. Forgets after a minute.
 */
import type { Clock } from "../kit/clock.ts";
import { PULL_MEMORY_ENTRIES, PULL_MEMORY_MS } from "../kit/limits.ts";

export class PullMemory {
  readonly #clock: Clock;
  /** client and canonical image → node ID. */
  readonly #nodes = new Map<string, { node: string; at: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  remember(client: string, image: string, node: string): void {
    const key = `${client} ${image}`;
    this.#nodes.delete(key);
    this.#nodes.set(key, { node, at: this.#clock.monotonic() });
    if (this.#nodes.size <= PULL_MEMORY_ENTRIES) return;
    for (const oldest of this.#nodes.keys()) {
      this.#nodes.delete(oldest);
      break;
    }
  }

  /** The create that it was for has happened: the next one goes where it fits best. */
  forget(client: string, image: string): void {
    this.#nodes.delete(`${client} ${image}`);
  }

  /** Node ID, or undefined when nothing is remembered (any more). */
  recall(client: string, image: string): string | undefined {
    const key = `${client} ${image}`;
    const entry = this.#nodes.get(key);
    if (!entry) return undefined;
    if (this.#clock.monotonic() - entry.at <= PULL_MEMORY_MS) return entry.node;
    this.#nodes.delete(key);
    return undefined;
  }
}
