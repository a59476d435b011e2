/** What happened in a run, line by line, and the hash of it all: two runs of one seed are the same to the last line. */
import { createHash } from "node:crypto";
import type { VirtualTime } from "./time.ts";

export class Trace {
  readonly #time: VirtualTime;
  readonly #hash = createHash("sha256");
  readonly #sink: ((line: string) => void) | undefined;
  #lines = 0;

  /** @param sink takes each line; without one only the hash is kept */
  constructor(time: VirtualTime, sink?: (line: string) => void) {
    this.#time = time;
    this.#sink = sink;
  }

  get lines(): number {
    return this.#lines;
  }

  add(who: string, what: string): void {
    const line = `${(this.#time.now / 1000).toFixed(6).padStart(11)} ${who.padEnd(10)} ${what}\n`;
    this.#lines++;
    this.#hash.update(line);
    this.#sink?.(line);
  }

  /** Of all lines so far; the trace takes no more afterwards. */
  digest(): string {
    return this.#hash.digest("hex");
  }
}
