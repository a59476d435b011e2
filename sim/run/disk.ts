/**
 * The store of a simulated world: what is written outlives each manager, takes its time, and is cut off with the manager
 * that asked: such a write may have happened or not. Owns the disk's faults.
 */

import type { Random } from "../../src/kit/random.ts";
import { MemoryStore, MemoryStoreData } from "../../src/store/drivers/memory.ts";
import {
  type Entry,
  type Store,
  StoreError,
  type Txn,
  type TxnResult,
  type WatchObserver,
} from "../../src/store/store.ts";
import { type Life, never } from "./life.ts";
import type { VirtualTime } from "./time.ts";

export class Disk {
  readonly data = new MemoryStoreData();
  readonly #time: VirtualTime;
  readonly #random: Random;
  /** Milliseconds at most that a write takes more. */
  slowMs = 0;
  /** Takes nothing. */
  full = false;

  constructor(time: VirtualTime, random: Random) {
    this.#time = time;
    this.#random = random;
  }

  /** A write takes a flush, now and then a long one. */
  delay(): number {
    const usual = 0.2 + this.#random.int(4_000) / 1_000;
    const long = this.#random.int(100) === 0 ? this.#random.int(300) : 0;
    return usual + long + (this.slowMs > 0 ? this.#random.int(this.slowMs) : 0);
  }

  after(ms: number, fn: () => void): void {
    this.#time.after(ms, fn);
  }

  chance(): boolean {
    return this.#random.int(2) === 0;
  }
}

/** The store as one manager sees it. */
export class LifeStore implements Store {
  readonly #disk: Disk;
  readonly #life: Life;
  readonly #inner: MemoryStore;

  constructor(disk: Disk, life: Life) {
    this.#disk = disk;
    this.#life = life;
    this.#inner = new MemoryStore(disk.data);
  }

  get(key: string): Promise<Entry | undefined> {
    return this.#read(() => this.#inner.get(key));
  }

  list(prefix: string): Promise<readonly Entry[]> {
    return this.#read(() => this.#inner.list(prefix));
  }

  txn(txn: Txn): Promise<TxnResult> {
    if (!this.#life.goesOut()) return never();
    return new Promise((resolve, reject) => {
      this.#disk.after(this.#disk.delay(), () => {
        // A manager that died meanwhile had written all of it, or nothing that counts.
        if (!this.#life.alive && this.#disk.chance()) return;
        if (this.#disk.full) {
          reject(new StoreError("no space left on device"));
          return;
        }
        this.#inner.txn(txn).then((result) => this.#life.alive && resolve(result), reject);
      });
    });
  }

  watch(prefix: string, observer: WatchObserver, signal: AbortSignal): Promise<void> {
    return this.#inner.watch(prefix, observer, signal);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  #read<T>(work: () => Promise<T>): Promise<T> {
    if (!this.#life.goesOut()) return never();
    return new Promise((resolve, reject) => {
      this.#disk.after(0.1, () => void work().then(resolve, reject));
    });
  }
}
