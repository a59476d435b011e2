/** The engine's events: a memory of the last 256, as dockerd keeps, and the readers of the live stream. */
import type { Clock } from "../../src/kit/clock.ts";
import type { Filters } from "./filters.ts";

export interface SimEvent {
  readonly type: string;
  readonly action: string;
  readonly id: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly timeNano: bigint;
  /** The JSON line as sent, with its newline. */
  readonly line: string;
}

/** dockerd's bound: daemon/events keeps the last 256. */
const KEPT = 256;

export class Events {
  readonly #clock: Clock;
  readonly #kept: SimEvent[] = [];
  readonly #readers = new Set<(event: SimEvent) => void>();
  #last = 0n;
  #silent = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get readers(): number {
    return this.#readers.size;
  }

  /** Runs `work` without events, for what is there from the start. */
  silently(work: () => void): void {
    this.#silent = true;
    try {
      work();
    } finally {
      this.#silent = false;
    }
  }

  /** dockerd ended: its memory is gone, its readers are too. */
  forgetAll(): void {
    this.#kept.length = 0;
  }

  /** Emits one event now; times never repeat. */
  emit(type: string, action: string, id: string, attributes: Record<string, string>): void {
    if (this.#silent) return;
    const now = BigInt(Math.floor(this.#clock.now())) * 1_000_000n;
    this.#last = now > this.#last ? now : this.#last + 1n;
    const head: Record<string, unknown> = {};
    if (type === "container" || type === "image") {
      head.status = action;
      if (id !== "") head.id = id;
      if (attributes.image !== undefined) head.from = attributes.image;
    }
    const body = { ...head, Type: type, Action: action, Actor: { ID: id, Attributes: attributes }, scope: "local" };
    const line = `${JSON.stringify(body).slice(0, -1)},"time":${this.#last / 1_000_000_000n},"timeNano":${this.#last}}\n`;
    const event: SimEvent = { type, action, id, attributes, timeNano: this.#last, line };
    this.#kept.push(event);
    if (this.#kept.length > KEPT) this.#kept.shift();
    for (const reader of this.#readers) reader(event);
  }

  /** What is remembered from `since` (nanoseconds, inclusive), oldest first. */
  since(since: bigint): SimEvent[] {
    return this.#kept.filter((event) => event.timeNano >= since);
  }

  /** Calls `reader` for each event from now on; the answer ends that. */
  subscribe(reader: (event: SimEvent) => void): () => void {
    this.#readers.add(reader);
    return () => this.#readers.delete(reader);
  }
}

/** Whether the filters of `/events` let an event pass. */
export function eventPasses(event: SimEvent, filters: Filters): boolean {
  const { type, action, id, attributes } = event;
  const named = (kind: string) => (value: string) =>
    (type === kind && (id === value || (value.length > 0 && id.startsWith(value)))) || attributes.name === value;
  const image = attributes.image ?? (type === "image" ? (attributes.name ?? id) : "");
  return (
    filters.any("type", (value) => value === type) &&
    filters.any("event", (value) => value === action || action.startsWith(`${value}:`)) &&
    filters.any("scope", (value) => value === "local") &&
    filters.any("container", (value) => type === "container" && named("container")(value)) &&
    filters.any("volume", (value) => type === "volume" && id === value) &&
    filters.any("network", (value) => type === "network" && named("network")(value)) &&
    filters.any("image", (value) => image === value || image.split(":")[0] === value || id === value) &&
    filters.labels(attributes)
  );
}

/** `seconds[.nanos]` of since and until as nanoseconds; undefined when absent or not a number. */
export function eventTime(text: string | null): bigint | undefined {
  const match = /^(\d+)(?:\.(\d{1,9}))?$/.exec(text ?? "");
  if (!match) return undefined;
  return BigInt(match[1] ?? "0") * 1_000_000_000n + BigInt((match[2] ?? "").padEnd(9, "0"));
}
