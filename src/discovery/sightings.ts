/**
 * Which records are alive: those that changed within their own time to live, by the reader's monotonic clock, as leases
 * are judged, and only while the reader could read. Wall clocks are never compared. Owns that judgement; must not know
 * where records are kept.
 */
import type { Clock } from "../kit/clock.ts";
import { LAG_MS } from "../kit/limits.ts";

interface Sighting<T> {
  version: string;
  value: T;
  ttlMs: number;
  /** When a sign of life was seen, and when its record changed: monotonic milliseconds. */
  seenAt: number;
  changedAt: number;
  /** Since when it counts as silent; undefined while it is alive. */
  silentSince: number | undefined;
}

/** One thing that was seen, and whether it still is. */
export interface Seen<T> {
  readonly value: T;
  /** Milliseconds since it fell silent; undefined while it is alive. */
  readonly silentMs: number | undefined;
}

export class Sightings<T> {
  readonly #clock: Clock;
  readonly #everyMs: number;
  readonly #all = new Map<string, Sighting<T>>();
  #lookedAt: number;

  /** @param everyMs between two calls of `look` */
  constructor(clock: Clock, everyMs: number) {
    this.#clock = clock;
    this.#everyMs = everyMs;
    this.#lookedAt = clock.monotonic();
  }

  /**
   * The record under `key` reads so now. The same version says nothing new.
   * @param ttlMs Infinity: it is alive for as long as it is there
   * @returns whether that is news to readers: it is new, alive again, or differs by `differs`
   */
  see(key: string, version: string, value: T, ttlMs: number, differs: (a: T, b: T) => boolean): boolean {
    const known = this.#all.get(key);
    if (known?.version === version) return false;
    const news = !known || known.silentSince !== undefined || differs(known.value, value);
    const now = this.#clock.monotonic();
    this.#all.set(key, { version, value, ttlMs, seenAt: now, changedAt: now, silentSince: undefined });
    return news;
  }

  /**
   * It gave a sign of life that is not in its record.
   * @returns milliseconds since its record changed; undefined when it is not there or silent
   */
  touch(key: string): number | undefined {
    const sighting = this.#all.get(key);
    if (!sighting || sighting.silentSince !== undefined) return undefined;
    sighting.seenAt = this.#clock.monotonic();
    return sighting.seenAt - sighting.changedAt;
  }

  /** @returns whether it was there */
  forget(key: string): boolean {
    return this.#all.delete(key);
  }

  get(key: string): Seen<T> | undefined {
    const sighting = this.#all.get(key);
    return sighting && this.#seen(sighting);
  }

  has(key: string): boolean {
    return this.#all.has(key);
  }

  version(key: string): string | undefined {
    return this.#all.get(key)?.version;
  }

  keys(): IterableIterator<string> {
    return this.#all.keys();
  }

  /** Nothing could be read until now: what is alive has its whole time again. */
  readAgain(): void {
    const now = this.#clock.monotonic();
    for (const sighting of this.#all.values()) if (sighting.silentSince === undefined) sighting.seenAt = now;
    this.#lookedAt = now;
  }

  /**
   * To be called regularly. Keys whose time is up; they stay alive until `silence` says otherwise, so that their reader
   * can make sure first. A look that comes late shows that this process stood still, and no node is blamed for that.
   */
  look(): readonly string[] {
    const now = this.#clock.monotonic();
    if (now - this.#lookedAt > this.#everyMs + LAG_MS) {
      this.readAgain();
      return [];
    }
    this.#lookedAt = now;
    const due: string[] = [];
    for (const [key, { seenAt, ttlMs, silentSince }] of this.#all) {
      if (silentSince === undefined && now - seenAt >= ttlMs) due.push(key);
    }
    return due;
  }

  /** It is silent indeed, if it still has this version and gave no sign of life meanwhile. */
  silence(key: string, version: string): boolean {
    const sighting = this.#all.get(key);
    const now = this.#clock.monotonic();
    if (sighting?.version !== version || sighting.silentSince !== undefined) return false;
    if (now - sighting.seenAt < sighting.ttlMs) return false;
    sighting.silentSince = now;
    return true;
  }

  #seen({ value, silentSince }: Sighting<T>): Seen<T> {
    return { value, silentMs: silentSince === undefined ? undefined : this.#clock.monotonic() - silentSince };
  }
}
