/**
 * Discovery by a file: an entry a line, ranges allowed, `#` begins a comment. The file is read again when its directory
 * reports a change (so that editors which write a new file and rename it work) and at each heartbeat (for file systems that
 * report nothing).
 *
 * A file that vanished, cannot be read or holds a bad line keeps the last list; a file that was emptied is an empty list:
 * what to make of that is the owner's to decide.
 */

import { type FSWatcher, type Stats, watch as watchPath } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { Clock, Timer } from "../kit/clock.ts";
import { DISCOVERY_FILE_BYTES, DISCOVERY_SETTLE_MS } from "../kit/limits.ts";
import { type Discovery, type Entry, sameEntries } from "./discovery.ts";
import { expandEntries } from "./entries.ts";

export class FileDiscovery implements Discovery {
  readonly url: string;
  readonly registry = undefined;
  readonly fences = undefined;
  readonly #path: string;
  readonly #clock: Clock;
  readonly #heartbeatMs: number;

  /**
   * @param url as given
   * @param path the file, relative to the working directory or absolute; it need not exist yet
   * @param heartbeatMs between two readings when no change is reported
   */
  constructor(url: string, path: string, clock: Clock, heartbeatMs: number) {
    if (path === "") throw new Error(`discovery "${url}" names no file`);
    this.url = url;
    this.#path = path;
    this.#clock = clock;
    this.#heartbeatMs = heartbeatMs;
  }

  /** @throws Error one sentence that names the file, and the line when one is bad */
  async list(): Promise<readonly Entry[]> {
    return parseFile(this.#path, await readBounded(this.#path));
  }

  async close(): Promise<void> {}

  async watch(
    onEntries: (entries: readonly Entry[]) => void,
    onError: (error: Error) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const alarm = new Alarm(this.#clock);
    const directory = new DirectoryWatch(this.#path, () => alarm.ringWithin(DISCOVERY_SETTLE_MS));
    let reading: Promise<readonly Entry[] | Error> | undefined;
    let known: readonly Entry[] | undefined;
    try {
      while (!signal.aborted) {
        // Before the reading: a change while reading is seen as well.
        directory.ensure();
        reading ??= this.list().catch(toError);
        // A file system that hangs holds one reading, not the watch's end.
        const result = await orAborted(reading, signal);
        if (signal.aborted || result === undefined) return;
        reading = undefined;
        if (result instanceof Error) {
          known = undefined;
          // The directory may have been replaced: begin anew with whatever has its name.
          directory.close();
          onError(result);
        } else if (!sameEntries(known, result)) {
          known = result;
          onEntries(result);
        }
        await alarm.wait(this.#heartbeatMs, signal);
      }
    } finally {
      directory.close();
      alarm.stop();
    }
  }
}

/** What `work` resolves to, or undefined as soon as the signal aborts. */
async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  if (signal.aborted) return undefined;
  let onAbort = () => {};
  const aborted = new Promise<undefined>((resolve) => {
    onAbort = () => resolve(undefined);
  });
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** Wakes one waiter: after a time, or earlier when somebody rings. */
class Alarm {
  readonly #clock: Clock;
  #wake: (() => void) | undefined;
  #soon: Timer | undefined;
  #rang = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Wakes the waiter, now or when it comes, after `ms` milliseconds; rings in the meantime are the same ring. */
  ringWithin(ms: number): void {
    this.#soon ??= this.#clock.after(ms, () => {
      this.#soon = undefined;
      this.#rang = true;
      this.#wake?.();
    });
  }

  /** Resolves after `ms` milliseconds, at a ring, or when the signal aborts. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    if (!this.#rang && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const timer = this.#clock.after(ms, () => this.#wake?.());
        const wake = () => {
          timer.cancel();
          signal.removeEventListener("abort", wake);
          this.#wake = undefined;
          resolve();
        };
        this.#wake = wake;
        signal.addEventListener("abort", wake, { once: true });
      });
    }
    this.#rang = false;
  }

  stop(): void {
    this.#soon?.cancel();
    this.#soon = undefined;
  }
}

/** The kernel's word that a file may have changed, as far as it gives one. */
class DirectoryWatch {
  readonly #path: string;
  readonly #onChange: () => void;
  #watcher: FSWatcher | undefined;

  constructor(path: string, onChange: () => void) {
    this.#path = path;
    this.#onChange = onChange;
  }

  /** Begins to watch unless it does; a directory that cannot be watched is left to the heartbeat. */
  ensure(): void {
    if (this.#watcher !== undefined) return;
    const name = basename(this.#path);
    try {
      const watcher = watchPath(dirname(this.#path), (_event, changed) => {
        if (changed === null || changed === name) this.#onChange();
      });
      watcher.on("error", () => this.close());
      this.#watcher = watcher;
    } catch {
      this.#watcher = undefined;
    }
  }

  close(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }
}

/** Only plain files: opening a pipe would wait for its writer. */
async function readBounded(path: string): Promise<string> {
  try {
    const { size } = await stat(path).then(assertFile);
    if (size > DISCOVERY_FILE_BYTES) throw new Error(`it is larger than ${DISCOVERY_FILE_BYTES} bytes`);
    return await readFile(path, "utf8");
  } catch (error) {
    throw new Error(`discovery file ${path} cannot be read: ${toError(error).message}`, { cause: error });
  }
}

function assertFile(stats: Stats): Stats {
  if (!stats.isFile()) throw new Error("it is not a plain file");
  return stats;
}

function parseFile(path: string, text: string): readonly Entry[] {
  const lines = text.split(/\r?\n/).map((line) => line.replace(/#.*$/, ""));
  try {
    return expandEntries(lines).map((address) => ({ address }));
  } catch (error) {
    throw new Error(`discovery file ${path}: ${toError(error).message}`, { cause: error });
  }
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
