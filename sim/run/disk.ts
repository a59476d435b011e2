/**
 * The manager's own disk over all its lives: the real file store stands on it. Slow, full, killed in the middle of
 * anything; a machine that fails takes along what was not synced. Owns the disk's faults and what each life finds.
 */
import type { Random } from "../../src/kit/random.ts";
import { SimDisk } from "../disk/disk.ts";
import type { Life } from "./life.ts";
import type { VirtualTime } from "./time.ts";

/** Where the store is on the disk. */
export const STORE_DIRECTORY = "/var/lib/shoal";

export class ManagerDisk {
  readonly #time: VirtualTime;
  readonly #random: Random;
  #disk = new SimDisk();
  /** Milliseconds at most that a flush takes more. */
  slowMs = 0;

  constructor(time: VirtualTime, random: Random) {
    this.#time = time;
    this.#random = random;
  }

  /** Nothing more fits on it. */
  set full(full: boolean) {
    this.#disk.capacity = full ? 0 : Number.POSITIVE_INFINITY;
  }

  /** The disk as one manager sees it: what the last one left, and no call after its end. */
  forLife(life: Life): SimDisk {
    const random = this.#random;
    const { capacity } = this.#disk;
    // The process alone was killed, or its machine lost power.
    this.#disk = random.int(2) === 0 ? this.#disk.afterKill() : this.#disk.afterCrash((below) => random.int(below));
    this.#disk.capacity = capacity;
    this.#disk.before = ({ name }) => {
      if (!life.goesOut()) return new Promise(() => {});
      return new Promise((resolve) => this.#time.after(this.#delay(name), () => life.alive && resolve()));
    };
    return this.#disk;
  }

  #delay(call: string): number {
    const random = this.#random;
    if (call !== "sync" && call !== "syncDirectory") return 0.02;
    const long = random.int(100) === 0 ? random.int(300) : 0;
    return 0.2 + random.int(4_000) / 1_000 + long + (this.slowMs > 0 ? random.int(this.slowMs) : 0);
  }
}
