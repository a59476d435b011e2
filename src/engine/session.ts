/**
 * One connection to an engine, from its facts to its loss: the event stream is opened before the lists are read, and
 * read on only after them. Owns that order, the heartbeat and the comparison at intervals; must not know what comes
 * before or after.
 */
import type { Clock, Timer } from "../kit/clock.ts";
import { withDeadline } from "../kit/deadline.ts";
import type { Logger } from "../kit/log.ts";
import type { Random } from "../kit/random.ts";
import type { EngineClient } from "./client.ts";
import type { EngineEvent } from "./event.ts";
import type { EventFeed, EventStream } from "./event-feed.ts";
import type { EngineFacts } from "./facts.ts";
import { Heartbeat } from "./heartbeat.ts";
import type { EngineInventory } from "./observer.ts";
import { ping } from "./ping.ts";
import { readFacts, readInventory } from "./read-facts.ts";
import type { EngineTiming } from "./timing.ts";
import { WireError } from "./wire/wire.ts";

export interface SessionParts {
  readonly client: EngineClient;
  readonly feed: EventFeed;
  readonly address: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly timing: EngineTiming;
  /** The ID of the engine that answered here last; "" at first. */
  readonly knownEngine: string;
  /** Facts and lists belong together; `first` is true once a session. What it throws ends the session. */
  onRead(facts: EngineFacts, inventory: EngineInventory, first: boolean): void;
  /** Must not throw. */
  onEvent(event: EngineEvent): void;
}

export interface SessionEnd {
  readonly error: unknown;
  /** True when pings have already shown that the engine is silent: no need to try it again first. */
  readonly judged: boolean;
}

export class Session {
  /** Resolves when the connection is lost; never rejects. */
  readonly ended: Promise<SessionEnd>;
  readonly #parts: SessionParts;
  readonly #closing = new AbortController();
  readonly #heartbeat: Heartbeat;
  #stream: EventStream | undefined;
  #timer: Timer | undefined;
  #reading = false;
  #end: (end: SessionEnd) => void = () => {};

  /** Rejects with whatever keeps the engine from being read; nothing is left open then. */
  static async open(parts: SessionParts, signal: AbortSignal): Promise<Session> {
    const session = new Session(parts);
    const onAbort = () => session.close(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    void session.ended.then(() => signal.removeEventListener("abort", onAbort));
    try {
      await withDeadline(
        parts.clock,
        parts.timing.callMs,
        "reading the engine",
        (within) => session.#connect(within),
        signal,
      );
      return session;
    } catch (error) {
      session.close(error);
      throw error;
    }
  }

  private constructor(parts: SessionParts) {
    this.#parts = parts;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    const { clock, random, timing, address, client } = parts;
    this.#heartbeat = new Heartbeat({
      clock,
      random,
      timing,
      address,
      ping: (signal) => ping(client, signal),
      onDown: (error) => this.close(error, error instanceof WireError && error.fault === "silent"),
    });
  }

  /** A call to this engine failed: look at once whether it is still there. */
  suspect(): void {
    this.#heartbeat.hurry();
  }

  /** Compares now instead of at the end of the interval. */
  resync(): void {
    if (this.#timer) this.#scheduleResync(0);
  }

  close(error: unknown, judged = false): void {
    this.#timer?.cancel();
    this.#heartbeat.stop();
    this.#closing.abort(error);
    this.#stream?.close();
    this.#end({ error, judged });
  }

  async #connect(within: AbortSignal): Promise<void> {
    // The stream outlives this reading, but must not outlast its deadline without an answer.
    const onLate = () => this.close(within.reason);
    within.addEventListener("abort", onLate, { once: true });
    await this.#read(within);
    within.removeEventListener("abort", onLate);
  }

  async #read(within: AbortSignal): Promise<void> {
    const { client, feed, address, clock } = this.#parts;
    const facts = await readFacts(client, address, within);
    const isFirst = this.#parts.knownEngine !== facts.engineId;
    if (isFirst) {
      feed.reset();
      feed.begin(facts.info.SystemTime);
    }
    const stream = await feed.open(this.#closing.signal);
    this.#stream = stream;
    const [lists, told] = await Promise.all([
      readInventory(client, address, clock, within),
      isFirst ? feed.earlier(within) : [],
    ]);
    within.throwIfAborted();
    this.#parts.onRead(facts, { ...lists, told }, true);
    stream.start(
      (event) => this.#parts.onEvent(event),
      (error) => this.close(error),
    );
    this.#heartbeat.start();
    this.#scheduleResync(this.#nextResync());
  }

  /** Between half and one and a half of the interval, so that engines read at one time drift apart. */
  #nextResync(): number {
    const whole = Math.max(2, Math.floor(this.#parts.timing.resyncEveryMs));
    return Math.floor(whole / 2) + this.#parts.random.int(whole);
  }

  #scheduleResync(ms: number): void {
    if (this.#closing.signal.aborted) return;
    this.#timer?.cancel();
    this.#timer = this.#parts.clock.after(ms, () => void this.#resync(), { background: true });
  }

  /** Reads everything again while the events wait, so that none is overtaken by an older list. Never rejects. */
  async #resync(): Promise<void> {
    const { client, address, clock, timing, log } = this.#parts;
    if (this.#reading) return;
    this.#reading = true;
    const read = async (signal: AbortSignal) => {
      const facts = await readFacts(client, address, signal);
      this.#stream?.hold();
      return { facts, inventory: { ...(await readInventory(client, address, clock, signal)), told: [] } };
    };
    try {
      const got = await withDeadline(clock, timing.callMs, "comparing", read, this.#closing.signal);
      if (!this.#closing.signal.aborted) this.#apply(got.facts, got.inventory);
    } catch (error) {
      if (!this.#closing.signal.aborted) {
        log.warn("comparison with the engine failed", {
          error: error instanceof Error ? error.message : String(error),
        });
        if (!(error instanceof WireError)) this.suspect();
      }
    } finally {
      this.#reading = false;
      this.#stream?.release();
      this.#scheduleResync(this.#nextResync());
    }
  }

  #apply(facts: EngineFacts, inventory: EngineInventory): void {
    try {
      this.#parts.onRead(facts, inventory, false);
    } catch (error) {
      this.close(error);
    }
  }
}
