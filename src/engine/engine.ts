/**
 * One Docker Engine: connected as long as it can be, read again after each loss, its state known at any time.
 * Owns the life cycle; must not know nodes, the cluster or where its address came from.
 */
import { backoff } from "../kit/backoff.ts";
import type { Clock } from "../kit/clock.ts";
import { orAbort, withDeadline } from "../kit/deadline.ts";
import type { Limit } from "../kit/limit.ts";
import type { Logger } from "../kit/log.ts";
import type { Random } from "../kit/random.ts";
import type { CallWatch } from "./call-watch.ts";
import { type EngineCall, EngineClient, type EngineUpgrade, type WholeOptions } from "./client.ts";
import type { EngineEvent } from "./event.ts";
import { EventFeed } from "./event-feed.ts";
import type { EngineFacts } from "./facts.ts";
import type { EngineInventory, EngineObserver, EngineState } from "./observer.ts";
import { ping } from "./ping.ts";
import { Session, type SessionEnd } from "./session.ts";
import { ENGINE_TIMING, type EngineTiming } from "./timing.ts";
import type { UpgradeAnswer } from "./wire/upgrade.ts";
import { type EngineWire, type WireAnswer, WireError, type WireFault } from "./wire/wire.ts";

export interface EngineParts {
  /** Closed by stop(). */
  readonly wire: EngineWire;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly observer: EngineObserver;
  /** Shared by all engines: how many are read at the same time. */
  readonly reading: Limit;
  readonly timing?: Partial<EngineTiming>;
  /** Follows the calls that change something. */
  readonly watch?: CallWatch | undefined;
}

export class Engine {
  readonly #parts: EngineParts;
  readonly #timing: EngineTiming;
  readonly #client: EngineClient;
  readonly #feed: EventFeed;
  readonly #log: Logger;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #session: Session | undefined;
  #state: EngineState = "pending";
  #error: string | undefined;
  #fault: WireFault | undefined;
  #reached = false;
  #facts: EngineFacts | undefined;

  constructor(parts: EngineParts) {
    const { wire, clock, watch } = parts;
    this.#parts = parts;
    this.#timing = { ...ENGINE_TIMING, ...parts.timing };
    this.#log = parts.log.with({ engine: wire.address });
    const onFault = () => this.#session?.suspect();
    this.#client = new EngineClient({ wire, clock, callMs: this.#timing.callMs, watch, onFault });
    this.#feed = new EventFeed(this.#client, wire.address);
  }

  get address(): string {
    return this.#parts.wire.address;
  }
  get state(): EngineState {
    return this.#state;
  }
  /** Its event stream is open, as far as is known. */
  get connected(): boolean {
    return this.#session !== undefined;
  }
  /** Why it is not healthy, in plain words; undefined when it is, or before the first try. */
  get error(): string | undefined {
    return this.#error;
  }
  /** What kind of failure `error` is; undefined when healthy, or when the engine answered, but not as an engine. */
  get fault(): WireFault | undefined {
    return this.#fault;
  }
  /** While it is silent: its host took the connection, so it is the engine alone that does not answer. */
  get reached(): boolean {
    return this.#reached;
  }
  /** As last read; kept while it cannot be reached. */
  get facts(): EngineFacts | undefined {
    return this.#facts;
  }

  /** Connects, and keeps connecting, until stop(). Calling it twice is harmless. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** Ends everything, calls under way included. Resolves when nothing is left open. */
  async stop(): Promise<void> {
    if (!this.#stopping.signal.aborted) {
      this.#stopping.abort(new Error("the engine was removed"));
      this.#tell("disconnected", undefined);
    }
    await this.#parts.wire.close();
    await this.#running;
  }

  /** Asks for a comparison now, if connected; its result comes through the observer. */
  resync(): void {
    this.#session?.resync();
  }

  /** See EngineClient.call: the answer whatever its status, the body unread. */
  call(call: EngineCall): Promise<WireAnswer> {
    return this.#client.call(call);
  }

  /** See EngineClient.json. */
  json<T>(method: string, path: string, body?: unknown, options?: WholeOptions): Promise<T> {
    return this.#client.json<T>(method, path, body, options);
  }

  /** See EngineClient.text. */
  text(method: string, path: string, body?: unknown, options?: WholeOptions): Promise<string> {
    return this.#client.text(method, path, body, options);
  }

  /** See requestUpgrade; the path is without version. */
  upgrade(request: EngineUpgrade, signal?: AbortSignal): Promise<UpgradeAnswer> {
    return this.#client.upgrade(request, signal);
  }

  async #run(): Promise<void> {
    const { clock, random } = this.#parts;
    const { signal } = this.#stopping;
    let failures = 0;
    while (!signal.aborted) {
      const { end, livedMs } = await this.#connectOnce(signal);
      if (livedMs > this.#timing.shortSessionMs) failures = 0;
      const error = livedMs === 0 || end.judged ? end.error : await this.#tryAgain(signal);
      if (signal.aborted) return;
      failures++;
      if (error !== undefined) this.#lost(error);
      else if (failures === 1) continue;
      await clock.sleep(backoff(this.#timing.reconnect, failures, random), signal).catch(() => {});
    }
  }

  /** One session from beginning to end. `livedMs` is 0 when none came about. Never rejects. */
  async #connectOnce(signal: AbortSignal): Promise<{ end: SessionEnd; livedMs: number }> {
    const { clock, reading } = this.#parts;
    try {
      // Asked before the queue for reading, so that dead engines hold no place in it.
      await this.#pingWithin(this.#timing.pingMs, signal);
      this.#session = await orAbort(
        reading.run(() => this.#open(signal)),
        signal,
      );
    } catch (error) {
      return { end: { error, judged: false }, livedMs: 0 };
    }
    const began = clock.monotonic();
    const end = await this.#session.ended;
    this.#session = undefined;
    this.#log.debug("connection to the engine ended", { error: words(end.error) });
    return { end, livedMs: Math.max(1, clock.monotonic() - began) };
  }

  #open(signal: AbortSignal): Promise<Session> {
    signal.throwIfAborted();
    const { clock, random } = this.#parts;
    return Session.open(
      {
        client: this.#client,
        feed: this.#feed,
        address: this.address,
        clock,
        random,
        log: this.#log,
        timing: this.#timing,
        knownEngine: this.#facts?.engineId ?? "",
        onRead: (facts, inventory, first) => this.#onRead(facts, inventory, first),
        onEvent: (event) => this.#onEvent(event),
      },
      signal,
    );
  }

  #onRead(facts: EngineFacts, inventory: EngineInventory, first: boolean): void {
    const { observer } = this.#parts;
    this.#facts = facts;
    observer.facts(facts);
    observer.inventory(inventory);
    if (!first) return;
    if (this.#state !== "healthy") this.#log.debug("engine is healthy", { name: facts.name, id: facts.engineId });
    this.#fault = undefined;
    this.#tell("healthy", undefined);
  }

  #onEvent(event: EngineEvent): void {
    try {
      this.#parts.observer.event(event);
    } catch (error) {
      this.#log.error("an event could not be taken in", { error: words(error), event: event.text });
    }
    this.#feed.passed(event);
  }

  /**
   * The connection broke: does the engine still answer? A few tries in a short time, the first at once. Undefined when it
   * does, else why not. Never rejects.
   */
  async #tryAgain(signal: AbortSignal): Promise<unknown> {
    const { clock } = this.#parts;
    const end = clock.monotonic() + this.#timing.verdictMs;
    let word: unknown;
    for (;;) {
      try {
        await this.#pingWithin(Math.max(1, end - clock.monotonic()), signal);
        return undefined;
      } catch (error) {
        // A refusal says more than the silence of a last try for which little time was left.
        if (word === undefined || !(error instanceof WireError && error.fault === "silent")) word = error;
        if (signal.aborted || clock.monotonic() + this.#timing.verdictTryMs >= end) return word;
        await clock.sleep(this.#timing.verdictTryMs, signal).catch(() => {});
      }
    }
  }

  #pingWithin(ms: number, signal: AbortSignal): Promise<void> {
    return withDeadline(this.#parts.clock, ms, "GET /_ping", (within) => ping(this.#client, within), signal);
  }

  #lost(error: unknown): void {
    this.#fault = error instanceof WireError ? error.fault : undefined;
    this.#reached = error instanceof WireError && error.sent;
    const text = words(error);
    const state = this.#facts ? "unhealthy" : "pending";
    if (this.#state !== state || this.#error !== text) this.#log.warn(`engine is ${state}`, { error: text });
    this.#tell(state, text);
    // An engine that is gone has cut its connections itself; one that is silent would keep them open for ever.
    if (error instanceof WireError && error.fault === "silent") this.#client.giveUp(error);
  }

  #tell(state: EngineState, error: string | undefined): void {
    if (state !== "healthy" && this.#state === state && this.#error === error) return;
    this.#state = state;
    this.#error = error;
    try {
      this.#parts.observer.state(state, error);
    } catch (thrown) {
      this.#log.error("a state could not be taken in", { error: words(thrown) });
    }
  }
}

function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
