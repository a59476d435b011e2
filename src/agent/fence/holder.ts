/**
 * The agent's half of a fence: it renews the node's record, and promises that nothing which may be moved runs when it could
 * not for the fence's time, or when a manager ordered so. Counted from before each renewal was sent, by its own monotonic
 * clock, a part of the time given up for clocks that do not run alike. Nothing is started again here: that is the
 * manager's, once it has lifted the fence. Owns when; how containers stop is `FencedHost`'s.
 */
import { type FenceBoard, type FenceEntry, type FenceRecord, STOPPED_CHARS } from "../../discovery/fences.ts";
import type { Clock } from "../../kit/clock.ts";
import { orAbort, withDeadline } from "../../kit/deadline.ts";
import { FENCE_BEATS, FENCE_BEGINS, FENCE_FREEZES, FENCE_PASS_MS, FENCE_STOPPED } from "../../kit/limits.ts";
import type { Logger } from "../../kit/log.ts";
import type { Random } from "../../kit/random.ts";
import type { FenceNote } from "./note.ts";

export interface FencedHost {
  /** Learns what may be moved while the engine answers. Rejects when it does not. */
  know(): Promise<void>;
  /**
   * Resolves when nothing that may be moved runs: after `politeMs`, in which it may end by itself, it is frozen. Rejects when
   * something may still run.
   */
  still(politeMs: number, stopping: Stopping): Promise<void>;
  /** Ends what is frozen. Whether it has ended, also in the engine's eyes; rejects without the engine's answer. */
  end(stopping: Stopping): Promise<boolean>;
}

/** Told of the IDs of containers before they are stopped. */
export type Stopping = (ids: readonly string[]) => void;

export interface HolderParts {
  readonly board: FenceBoard;
  readonly host: FencedHost;
  readonly note: FenceNote;
  readonly node: string;
  readonly address: string;
  readonly ttlMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** A fence that is on. */
interface On {
  id: string;
  /** Until then (monotonic milliseconds) containers may end by themselves. */
  readonly politeUntil: number;
  readonly stopped: Set<string>;
  /** How often something was stopped, some of it perhaps again, and how much of that the board certainly tells of. */
  stops: number;
  told: number;
  still: boolean;
  ended: boolean;
  /** Its end was read; no pass until that is told to the manager. */
  lifted: boolean;
}

const ID_BYTES = 8;
const TRIES = 3;

export class FenceHolder {
  readonly #parts: HolderParts;
  readonly #holder: string;
  #version: string | undefined;
  /** The record was read or written by this run. */
  #knows = false;
  #wrote = false;
  #beat = 0;
  /** Monotonic milliseconds before the last renewal that the board took was sent. */
  #sure: number;
  #on: On | undefined;
  #passing: Promise<void> = Promise.resolve();
  #ending: Promise<void> | undefined;
  #wake = (): void => {};
  #stranger: { readonly version: string; readonly since: number } | undefined;
  /** Another agent has the node's ID. */
  readonly #doubled = new AbortController();

  constructor(parts: HolderParts) {
    this.#parts = parts;
    this.#holder = parts.random.hex(ID_BYTES);
    this.#sure = parts.clock.monotonic();
    const noted = parts.note.read();
    if (noted) this.#on = { ...this.#begun(noted.id, 0), stopped: new Set(noted.stopped) };
  }

  /** What may be moved is not to run now. */
  get isOn(): boolean {
    return this.#on !== undefined;
  }

  /** Until the signal aborts. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const until = AbortSignal.any([signal, this.#doubled.signal]);
    await Promise.all([this.#keepTouching(until), this.#keepWatching(until)]);
    if (!this.#doubled.signal.aborted) await this.#leave();
  }

  async #keepTouching(signal: AbortSignal): Promise<void> {
    const { clock, ttlMs, host, log } = this.#parts;
    const everyMs = ttlMs / FENCE_BEATS;
    let failed = false;
    while (!signal.aborted) {
      const begun = clock.monotonic();
      void host.know().catch(() => undefined);
      try {
        await withDeadline(clock, everyMs, "fence", (until) => orAbort(this.#touch(until), until), signal);
        if (failed) log.info("the fence is renewed again");
        failed = false;
      } catch (error) {
        if (signal.aborted) return;
        if (this.#on) this.#on.lifted = false;
        if (!failed) log.error("the fence cannot be renewed", { error: words(error) });
        failed = true;
      }
      const left = begun + everyMs - clock.monotonic();
      if (left > 0) await this.#pause(left, signal);
    }
  }

  /** Ends sooner when there is something to tell. */
  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    const sooner = new AbortController();
    this.#wake = () => sooner.abort();
    await this.#parts.clock.sleep(ms, AbortSignal.any([signal, sooner.signal])).catch(() => undefined);
    this.#wake = () => {};
  }

  /** One renewal. Rejects when the board did not take it, or nobody knows. */
  async #touch(signal: AbortSignal): Promise<void> {
    const { board, node, clock } = this.#parts;
    for (let tries = 0; tries < TRIES; tries++) {
      if (!this.#knows) {
        const entry = await board.get(node, signal);
        signal.throwIfAborted();
        this.#take(entry);
      }
      // A pass under way may still stop what a manager starts once it is told.
      if (this.#on?.lifted) await Promise.all([this.#passing, this.#ending]);
      const { record, frees } = this.#record();
      const stops = this.#on?.stops ?? 0;
      const begun = clock.monotonic();
      this.#knows = false;
      const version = await board.write(node, record, this.#version, signal);
      if (signal.aborted) throw signal.reason;
      if (version === undefined) continue;
      this.#version = version;
      this.#knows = true;
      this.#wrote = true;
      if (record.fence) {
        if (this.#on && record.fence.stopped) this.#on.told = stops;
        return;
      }
      if (this.#on && !frees) continue;
      this.#sure = begun;
      if (this.#on) this.#free();
      return;
    }
    throw new Error("its record changes all the time");
  }

  /** @returns the record as it is to be, and whether it tells that the end of the present fence was seen */
  #record(): { readonly record: FenceRecord; readonly frees: boolean } {
    const { address, ttlMs } = this.#parts;
    const on = this.#on;
    const record = { holder: this.#holder, address, ttlMs, beat: ++this.#beat };
    if (!on || on.lifted) return { record, frees: on !== undefined };
    const stopped = [...on.stopped].slice(0, FENCE_STOPPED).map((id) => id.slice(0, STOPPED_CHARS));
    const fence = { id: on.id, ...(on.still && { still: true }), ...(on.still && on.ended && { stopped }) };
    return { record: { ...record, fence }, frees: false };
  }

  /** What the board says now. */
  #take(entry: FenceEntry | undefined): void {
    const { address, log } = this.#parts;
    if (entry && entry.record.holder !== this.#holder) this.#takeOver(entry);
    this.#version = entry?.version;
    this.#knows = true;
    const { fence, lifted } = entry?.record ?? {};
    if (fence) {
      if (!this.#on) {
        log.warn("a manager wants what may be moved stopped here", { address });
        this.#begin(fence.id);
      } else if (this.#on.id !== fence.id) {
        this.#on.id = fence.id;
        this.#note();
      }
      if (this.#on) this.#on.lifted = false;
    } else if (this.#on && lifted === this.#on.id) {
      // A manager that heard nothing for long lifts it without knowing what was stopped: then it is told again.
      this.#on.lifted = this.#on.ended && this.#on.told === this.#on.stops;
    }
  }

  /** Of an earlier run at the same address at once; of another address when it is certain that nobody renews it. Throws. */
  #takeOver({ version, record }: FenceEntry): void {
    const { address, clock, log } = this.#parts;
    // A manager orders without an agent's name.
    if (record.holder === "") return;
    if (this.#wrote) {
      log.error("another agent has this node's ID, so there is no fence: remove the state directory of the clone");
      this.#doubled.abort();
      throw new Error("another agent has this node's ID");
    }
    if (record.address === address || record.left) return;
    if (this.#stranger?.version !== version) this.#stranger = { version, since: clock.monotonic() };
    if (clock.monotonic() - this.#stranger.since < record.ttlMs) {
      throw new Error(`an agent at ${record.address} had it last: it waits whether that one still renews it`);
    }
  }

  async #keepWatching(signal: AbortSignal): Promise<void> {
    const { clock, ttlMs, log } = this.#parts;
    while (!signal.aborted) {
      await clock.sleep(FENCE_PASS_MS, signal).catch(() => undefined);
      if (signal.aborted) return;
      if (!this.#on && clock.monotonic() - this.#sure >= ttlMs * FENCE_BEGINS) {
        log.warn("out of touch: what may be moved is stopped here until a manager has seen that");
        this.#begin(this.#parts.random.hex(ID_BYTES));
      }
      if (!this.#on || this.#on.lifted) continue;
      this.#passing = this.#pass(this.#on);
      await this.#passing;
    }
    await this.#passing;
  }

  /** Never rejects. */
  async #pass(on: On): Promise<void> {
    const { host, clock, log } = this.#parts;
    const first = !on.still;
    try {
      const politeMs = on.still ? 0 : Math.max(0, on.politeUntil - clock.monotonic());
      await host.still(politeMs, (ids) => this.#add(on, ids));
      on.still = true;
    } catch (error) {
      on.still = false;
      log.error("what may be moved cannot be stopped", { error: words(error) });
      return;
    }
    if (first) {
      log.warn("nothing that may be moved runs here", { stopped: on.stopped.size });
      this.#wake();
    }
    // Beside the passes: an engine that does not answer holds up none.
    this.#ending ??= this.#end(on).finally(() => {
      this.#ending = undefined;
    });
  }

  /** Never rejects. */
  async #end(on: On): Promise<void> {
    const before = on.ended;
    try {
      on.ended = await this.#parts.host.end((ids) => this.#add(on, ids));
    } catch {
      on.ended = false;
    }
    if (on.ended !== before) this.#wake();
  }

  #begin(id: string): void {
    const { clock, ttlMs } = this.#parts;
    const shareMs = ttlMs * (FENCE_FREEZES - FENCE_BEGINS);
    const now = clock.monotonic();
    const latest = Math.min(this.#sure + ttlMs * FENCE_FREEZES, now + shareMs);
    this.#on = this.#begun(id, latest);
    this.#note();
  }

  #begun(id: string, politeUntil: number): On {
    return { id, politeUntil, stopped: new Set(), stops: 0, told: -1, still: false, ended: false, lifted: false };
  }

  #add(on: On, ids: readonly string[]): void {
    if (ids.length === 0) return;
    on.stops++;
    const before = on.stopped.size;
    for (const id of ids) on.stopped.add(id);
    if (on.stopped.size > before) this.#note();
  }

  /** The manager has lifted it and knows that this is seen: from here on things may run again. */
  #free(): void {
    this.#parts.log.info("the fence is lifted");
    this.#on = undefined;
    this.#note();
  }

  #note(): void {
    const { note, log } = this.#parts;
    try {
      note.write(this.#on && { id: this.#on.id, stopped: [...this.#on.stopped] });
    } catch (error) {
      log.error("what the fence stopped cannot be noted", { error: words(error) });
    }
  }

  /** A manager needs to wait for nobody. While the fence is on it stays for the next run. Never rejects. */
  async #leave(): Promise<void> {
    const { board, node, clock, ttlMs } = this.#parts;
    if (this.#on || !this.#knows) return;
    const record = { ...this.#record().record, left: true };
    const ask = (signal: AbortSignal) => board.write(node, record, this.#version, signal);
    await withDeadline(clock, ttlMs / FENCE_BEATS, "fence", ask).catch(() => undefined);
  }
}

const words = (error: unknown): string => (error instanceof Error ? error.message : String(error));
