/**
 * Which node a client's image is on: after a create missed it, the client pulls and creates again, and both must meet on
 * one node; after a pull unasked, so must all the containers that it was pulled for. Forgets after a minute.
 */
import type { Clock } from "../kit/clock.ts";
import { PULL_MEMORY_ENTRIES, PULL_MEMORY_MS } from "../kit/limits.ts";

interface Entry {
  readonly node: string;
  /** Monotonic milliseconds. */
  readonly at: number;
  /** Creates that missed it and will come again; 0 when it was pulled unasked. */
  readonly misses: number;
}

export class PullMemory {
  readonly #clock: Clock;
  /** client and canonical image → node ID. */
  readonly #nodes = new Map<string, Entry>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A create had to be refused for want of the image: once pulled, it comes again. */
  missed(client: string, image: string, node: string): void {
    const before = this.#nodes.get(key(client, image));
    this.#set(client, image, node, before?.node === node ? before.misses + 1 : 1);
  }

  /** The client pulled it to this node; for how many containers, nobody knows. */
  pulled(client: string, image: string, node: string): void {
    this.#set(client, image, node, 0);
  }

  /** A create that it was for has happened: when all have, the next one goes where it fits best. */
  created(client: string, image: string): void {
    const entry = this.#nodes.get(key(client, image));
    if (!entry || entry.misses === 0) return;
    if (entry.misses === 1) this.#nodes.delete(key(client, image));
    else this.#nodes.set(key(client, image), { ...entry, misses: entry.misses - 1 });
  }

  /** Node ID, or undefined when nothing is remembered (any more). */
  recall(client: string, image: string): string | undefined {
    const entry = this.#nodes.get(key(client, image));
    if (!entry) return undefined;
    if (this.#clock.monotonic() - entry.at <= PULL_MEMORY_MS) return entry.node;
    this.#nodes.delete(key(client, image));
    return undefined;
  }

  #set(client: string, image: string, node: string, misses: number): void {
    this.#nodes.delete(key(client, image));
    this.#nodes.set(key(client, image), { node, at: this.#clock.monotonic(), misses });
    if (this.#nodes.size <= PULL_MEMORY_ENTRIES) return;
    for (const oldest of this.#nodes.keys()) {
      this.#nodes.delete(oldest);
      break;
    }
  }
}

const key = (client: string, image: string): string => `${client} ${image}`;
