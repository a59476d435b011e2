/** How often one address may do a thing: a bucket each, filled again as time goes by. Must not know the thing. */
import type { Clock } from "../kit/clock.ts";
import { HUB_ADDRESSES } from "../kit/limits.ts";

interface Bucket {
  left: number;
  /** Monotonic milliseconds. */
  at: number;
}

export class RateLimit {
  readonly #clock: Clock;
  readonly #burst: number;
  readonly #perSecond: number;
  /** The longest unused first. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(clock: Clock, { burst, perSecond }: { readonly burst: number; readonly perSecond: number }) {
    this.#clock = clock;
    this.#burst = burst;
    this.#perSecond = perSecond;
  }

  /** False when it was too often. */
  take(address: string): boolean {
    const now = this.#clock.monotonic();
    const bucket = this.#buckets.get(address) ?? { left: this.#burst, at: now };
    this.#buckets.delete(address);
    this.#buckets.set(address, bucket);
    bucket.left = Math.min(this.#burst, bucket.left + ((now - bucket.at) / 1000) * this.#perSecond);
    bucket.at = now;
    if (this.#buckets.size > HUB_ADDRESSES) this.#dropOldest();
    if (bucket.left < 1) return false;
    bucket.left--;
    return true;
  }

  /** Seconds until the next is allowed to one that was refused. */
  get pauseSeconds(): number {
    return Math.ceil(1 / this.#perSecond);
  }

  #dropOldest(): void {
    for (const address of this.#buckets.keys()) {
      this.#buckets.delete(address);
      return;
    }
  }
}
