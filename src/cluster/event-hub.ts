/**
 * The cluster's event stream: takes what each engine tells, in its order, and hands it to every reader of /events.
 * Owns the readers and their bounded queues; must not know HTTP.
 */
import { EVENT_QUEUE } from "../kit/limits.ts";

/** An event as clients see it. */
export interface ClusterEvent {
  readonly type: string;
  readonly action: string;
  readonly actorId: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Nanoseconds since the Unix epoch. */
  readonly timeNano: bigint;
  /** `local` or `swarm`. */
  readonly scope: string;
  /** The finished JSON object, without newline. */
  readonly text: string;
}

export class EventReader {
  readonly #queue: ClusterEvent[] = [];
  #wake: (() => void) | undefined;
  #closed = false;
  #nudged = false;
  /** Whether a node has come back since the time before: what it remembers comes before the events that `next` gave last. */
  isNodeBack = false;
  /** True when it was cut off for being slow. */
  overflowed = false;

  /** @internal by the hub */
  push(event: ClusterEvent): boolean {
    if (this.#queue.length >= EVENT_QUEUE) {
      this.overflowed = true;
      this.close();
      return false;
    }
    this.#queue.push(event);
    this.#wake?.();
    return true;
  }

  close(): void {
    this.#closed = true;
    this.#wake?.();
  }

  /** @internal by the hub */
  nudge(): void {
    this.#nudged = true;
    this.#wake?.();
  }

  /** The events waiting, perhaps none when a node has come back; undefined after close. */
  async next(): Promise<ClusterEvent[] | undefined> {
    while (this.#queue.length === 0 && !this.#nudged) {
      if (this.#closed) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
    this.isNodeBack = this.#nudged;
    this.#nudged = false;
    return this.#queue.splice(0);
  }
}

export class EventHub {
  readonly #readers = new Set<EventReader>();
  readonly #isCurrent: () => boolean;

  /** @param isCurrent false when what is published may be old news: then readers are cut off instead of told */
  constructor(isCurrent: () => boolean = () => true) {
    this.#isCurrent = isCurrent;
  }

  /** Whether anybody reads: rendering an event for nobody is waste. */
  get hasReaders(): boolean {
    return this.#readers.size > 0;
  }

  subscribe(): EventReader {
    const reader = new EventReader();
    this.#readers.add(reader);
    return reader;
  }

  unsubscribe(reader: EventReader): void {
    this.#readers.delete(reader);
    reader.close();
  }

  publish(event: ClusterEvent): void {
    if (!this.#isCurrent()) this.close();
    for (const reader of this.#readers) if (!reader.push(event)) this.#readers.delete(reader);
  }

  /** A node can be asked what it remembers, for the first time or again. */
  nodeIsBack(): void {
    for (const reader of this.#readers) reader.nudge();
  }

  close(): void {
    for (const reader of this.#readers) this.unsubscribe(reader);
  }
}
