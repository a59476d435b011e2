/**
 * An engine's event stream over any number of connections: none missing while the engine remembers it, none twice.
 * Owns where the first stream began and where the last broke off; must not know health or what the events mean.
 */
import type { Readable } from "node:stream";
import { DockerError } from "../docker/errors.ts";
import { EVENT_LINE_BYTES, EVENTS_REMEMBERED } from "../kit/limits.ts";
import { type EngineClient, engineMessage } from "./client.ts";
import { type EngineEvent, parseEvent } from "./event.ts";
import { JsonLines, JsonLinesError } from "./json-lines.ts";
import { rememberedEvents } from "./remembered-events.ts";
import { WireError } from "./wire/wire.ts";

export class EventFeed {
  readonly #client: EngineClient;
  readonly #address: string;
  /** Nanoseconds since the epoch by the engine's own clock: where to go on. */
  #mark: bigint | undefined;
  /** Likewise where the first stream began. */
  #first = 0n;
  readonly #seen = new Set<string>();

  constructor(client: EngineClient, address: string) {
    this.#client = client;
    this.#address = address;
  }

  /** Forgets everything: another engine answers here. */
  reset(): void {
    this.#mark = undefined;
    this.#first = 0n;
    this.#seen.clear();
  }

  /** The first stream is to begin at the engine's time of now (`SystemTime` of its info). */
  begin(systemTime: unknown): void {
    if (this.#mark !== undefined || typeof systemTime !== "string") return;
    const ms = Date.parse(systemTime);
    if (!Number.isFinite(ms)) return;
    this.#first = BigInt(ms) * 1_000_000n;
    this.#mark = this.#first;
  }

  /**
   * What the engine remembers from before the first stream, oldest first; no stream brings any of it again, though it may
   * have been published only after that was opened. Rejects with WireError.
   */
  async earlier(signal: AbortSignal): Promise<readonly EngineEvent[]> {
    if (this.#first === 0n) return [];
    try {
      const events = await rememberedEvents(this.#client, "0", seconds(this.#first - 1n), signal);
      return events.filter((event) => this.#isNew(event));
    } catch (error) {
      if (error instanceof JsonLinesError) return [];
      throw error;
    }
  }

  /**
   * Opens the stream at its beginning or where the last one broke off. Nothing is read from it before `start`. Rejects as
   * a call does.
   */
  async open(signal: AbortSignal): Promise<EventStream> {
    const since = this.#mark === undefined ? "" : `?since=${seconds(this.#mark)}`;
    const answer = await this.#client.call({ method: "GET", path: `/events${since}`, signal, lane: "long" });
    if (answer.status !== 200) {
      answer.body.destroy();
      throw new DockerError(answer.status, `GET /events: ${engineMessage(answer.status, "")}`);
    }
    return new EventStream(answer.body, this.#address, (event) => this.#isNew(event));
  }

  #isNew(event: EngineEvent): boolean {
    const key = `${event.timeNano} ${event.type} ${event.action} ${event.actorId}`;
    if (this.#seen.has(key)) return false;
    this.#seen.add(key);
    if (this.#seen.size > EVENTS_REMEMBERED) this.#forgetOldest();
    return true;
  }

  #forgetOldest(): void {
    const [oldest] = this.#seen;
    if (oldest !== undefined) this.#seen.delete(oldest);
  }

  /** Call after an event was handed on. */
  passed(event: EngineEvent): void {
    // Not from an earlier time on: what the engine left out of a stream came before this one, and would come after it now.
    this.#mark = BigInt(event.timeNano);
  }
}

/** Seconds with nanoseconds behind the point, the form that `since` takes. */
function seconds(nano: bigint): string {
  const digits = nano.toString().padStart(10, "0");
  return `${digits.slice(0, -9)}.${digits.slice(-9)}`;
}

/** One open stream. Holding it makes the engine wait (TCP's back-pressure); nothing is collected here. */
export class EventStream {
  readonly #body: Readable;
  readonly #lines = new JsonLines(EVENT_LINE_BYTES);
  readonly #isNew: (event: EngineEvent) => boolean;
  readonly #address: string;

  constructor(body: Readable, address: string, isNew: (event: EngineEvent) => boolean) {
    this.#body = body;
    this.#address = address;
    this.#isNew = isNew;
  }

  /**
   * Hands events on from now. `onEnd` is called once, with the reason: an engine's stream has no natural end.
   * `onEvent` must not throw.
   */
  start(onEvent: (event: EngineEvent) => void, onEnd: (error: Error) => void): void {
    let ended = false;
    const end = (error: Error) => {
      if (ended) return;
      ended = true;
      this.#body.destroy();
      onEnd(error);
    };
    const cut = () => end(new WireError("broken", true, `${this.#address}: the event stream ended`));
    this.#body.on("data", (chunk: Buffer) => {
      try {
        for (const text of this.#lines.push(chunk)) {
          const event = parseEvent(text);
          if (event && this.#isNew(event)) onEvent(event);
        }
      } catch (error) {
        const words = `${this.#address}: event stream: ${error instanceof Error ? error.message : String(error)}`;
        end(new WireError("broken", true, words, { cause: error }));
      }
    });
    this.#body.on("end", cut).on("error", end).on("close", cut);
    if (this.#body.destroyed) end(this.#body.errored ?? new Error(`${this.#address}: the event stream ended`));
  }

  hold(): void {
    this.#body.pause();
  }

  release(): void {
    this.#body.resume();
  }

  close(): void {
    this.#body.destroy();
  }
}
