/** Where a process writes: the kept log (bounded, oldest lost) and the attached readers, with back-pressure. */
import type { Writable } from "node:stream";
import type { Clock } from "../../src/kit/clock.ts";
import { frame } from "./frames.ts";

interface Line {
  readonly stream: 1 | 2;
  readonly time: number;
  readonly data: Buffer;
}

/** What of the stream a reader wants. */
export interface Wanted {
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** Raw bytes instead of frames. */
  readonly tty: boolean;
}

/** Log bytes kept for one container. */
const KEPT_BYTES = 256 * 1024;

export class Output {
  readonly #clock: Clock;
  readonly #readers = new Map<Writable, Wanted>();
  #lines: Line[] = [];
  #bytes = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  write(stream: 1 | 2, data: Buffer, taken: () => void): void {
    this.#lines.push({ stream, time: this.#clock.now(), data });
    this.#bytes += data.length;
    while (this.#bytes > KEPT_BYTES) this.#bytes -= this.#lines.shift()?.data.length ?? this.#bytes;
    let open = 1;
    const one = (): void => {
      open--;
      if (open === 0) taken();
    };
    for (const [reader, wanted] of this.#readers) {
      if (!(stream === 1 ? wanted.stdout : wanted.stderr) || reader.destroyed) continue;
      open++;
      reader.write(wanted.tty ? data : frame(stream, data), one);
    }
    one();
  }

  /** The reader gets everything written from now on, and its end when the process ends. */
  attach(reader: Writable, wanted: Wanted): void {
    this.#readers.set(reader, wanted);
    reader.once("close", () => this.#readers.delete(reader));
  }

  end(): void {
    for (const reader of this.#readers.keys()) reader.end();
    this.#readers.clear();
  }

  /** Kept output as log entries. `tail` < 0 is all; `since` and `until` are wall clock milliseconds. */
  kept(wanted: Wanted, options: { tail: number; timestamps: boolean; since: number; until: number }): Buffer[] {
    const lines = this.#lines.filter(
      ({ stream, time }) =>
        (stream === 1 ? wanted.stdout : wanted.stderr) && time >= options.since && time <= options.until,
    );
    const from = options.tail < 0 ? lines : options.tail === 0 ? [] : lines.slice(-options.tail);
    return from.map(({ stream, time, data }) => {
      const stamp = options.timestamps
        ? Buffer.from(`${new Date(time).toISOString().replace(/Z$/, "000000Z")} `)
        : undefined;
      const text = stamp ? Buffer.concat([stamp, data]) : data;
      return wanted.tty ? text : frame(stream, text);
    });
  }
}
