/**
 * The file of the audit log: lines appended and on the disk before anybody is answered, many callers sharing one write.
 * Owns the file's life: rotation, a full or hanging disk, what a crash tore. Must not know what a line says.
 *
 * An audit that can be lost is none: while lines cannot be written, nothing more may be changed (`ready` rejects), and
 * what was done meanwhile keeps its lines in memory, in order, until the disk takes them.
 */
import { constants, open, stat } from "node:fs/promises";
import type { AuditSink } from "../api/audit.ts";
import { type DockerError, unavailable } from "../docker/errors.ts";
import type { Clock } from "../kit/clock.ts";
import { orAbort, withDeadline } from "../kit/deadline.ts";
import { AUDIT_LINES_WAITING, AUDIT_ROTATION_MS, AUDIT_WRITE_MS } from "../kit/limits.ts";
import type { Logger } from "../kit/log.ts";

/** What is appended to; a test stands in for a disk. */
export interface AppendFile {
  write(bytes: Buffer): Promise<{ bytesWritten: number }>;
  datasync(): Promise<void>;
  /** Takes away the last bytes that were written. */
  undo(bytes: number): Promise<void>;
  /** The last line is not whole. */
  endsTorn(): Promise<boolean>;
  /** It is what opening `path` would give. */
  isAt(path: string): Promise<boolean>;
  close(): Promise<void>;
}

export interface AuditFileOptions {
  readonly path: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly openFile?: (path: string) => Promise<AppendFile>;
}

interface Waiting {
  readonly line: string;
  readonly settle: (error: DockerError | undefined) => void;
}

export class AuditFile implements AuditSink {
  readonly #options: AuditFileOptions;
  readonly #openFile: (path: string) => Promise<AppendFile>;
  #file: AppendFile | undefined;
  /** Not written yet, in order; those of a failed write come first. */
  #waiting: Waiting[] = [];
  #flushing: Promise<void> | undefined;
  #trouble: string | undefined;
  #stale = false;
  /** What is in the file ends with a whole line. */
  #whole = false;
  #lookedAt: number;

  private constructor(options: AuditFileOptions) {
    this.#options = options;
    this.#openFile = options.openFile ?? (options.path === STDERR ? openStderr : openForAppend);
    this.#lookedAt = options.clock.monotonic();
  }

  /** Rejects with an Error for the operator when the file cannot be written. */
  static async open(options: AuditFileOptions): Promise<AuditFile> {
    const audit = new AuditFile(options);
    try {
      audit.#file = await audit.#openFile(options.path);
    } catch (error) {
      throw new Error(`--audit-log: ${words(error)}`, { cause: error });
    }
    return audit;
  }

  /** The file may have been moved away: the next line goes to a new one at the path. */
  reopen(): void {
    this.#stale = true;
  }

  async ready(): Promise<void> {
    if (this.#trouble !== undefined) await this.#inTime(this.#flush()).catch(() => {});
    if (this.#trouble !== undefined) throw refused(this.#trouble);
    if (this.#waiting.length >= AUDIT_LINES_WAITING) throw refused("too many lines wait for the disk");
  }

  write(line: string): Promise<void> {
    const kept = new Promise<void>((resolve, reject) => {
      this.#waiting.push({ line, settle: (error) => (error ? reject(error) : resolve()) });
    });
    void this.#flush();
    return this.#inTime(kept);
  }

  /** Writes what waits, as far as the disk takes it. */
  async close(): Promise<void> {
    await this.#inTime(this.#flush()).catch(() => {});
    if (this.#waiting.length > 0) {
      this.#options.log.error("audit lines are lost", { lines: this.#waiting.length, error: this.#trouble });
    }
    await this.#file?.close().catch(() => {});
    this.#file = undefined;
  }

  async #inTime(work: Promise<void>): Promise<void> {
    try {
      await withDeadline(this.#options.clock, AUDIT_WRITE_MS, "audit log", (signal) => orAbort(work, signal));
    } catch (error) {
      if (this.#trouble === undefined) this.#fail(error);
      throw untold(this.#trouble ?? words(error));
    }
  }

  /** One write at a time; lines that come meanwhile go together into the next. Never rejects. */
  #flush(): Promise<void> {
    this.#flushing ??= this.#writeAll().finally(() => {
      this.#flushing = undefined;
    });
    return this.#flushing;
  }

  async #writeAll(): Promise<void> {
    // Whoever asks in the same turn of the event loop shares the write.
    await Promise.resolve();
    do {
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        await this.#append(await this.#current(), batch.map(({ line }) => line).join(""));
      } catch (error) {
        this.#waiting = [...batch, ...this.#waiting];
        this.#fail(error);
        for (const { settle } of this.#waiting) settle(untold(words(error)));
        return;
      }
      if (this.#trouble !== undefined) this.#options.log.info("the audit log can be written again");
      this.#trouble = undefined;
      for (const { settle } of batch) settle(undefined);
    } while (this.#waiting.length > 0);
  }

  /** All of it is on the disk, or as little as possible of it is in the file. */
  async #append(file: AppendFile, text: string): Promise<void> {
    if (text === "") return;
    // A crash or a full disk may have left a part of a line: the next one must not be glued to it.
    const bytes = Buffer.from(!this.#whole && (await file.endsTorn()) ? `\n${text}` : text);
    this.#whole = false;
    let written = 0;
    try {
      while (written < bytes.length) written += (await file.write(bytes.subarray(written))).bytesWritten;
      await file.datasync();
    } catch (error) {
      // It is written again, whole; a piece that cannot be taken away is no line, and not JSON.
      await file.undo(written).catch(() => {});
      throw error;
    }
    this.#whole = true;
  }

  /** The file at the path; a new one when a rotation moved the old one away. */
  async #current(): Promise<AppendFile> {
    const { clock, path } = this.#options;
    if (this.#file && !this.#stale && clock.monotonic() - this.#lookedAt < AUDIT_ROTATION_MS) return this.#file;
    this.#lookedAt = clock.monotonic();
    if (this.#file && !this.#stale && (await this.#file.isAt(path))) return this.#file;
    const file = await this.#openFile(path);
    await this.#file?.close().catch(() => {});
    this.#file = file;
    this.#stale = false;
    this.#whole = false;
    return file;
  }

  #fail(error: unknown): void {
    const text = words(error);
    if (this.#trouble !== text) {
      this.#options.log.error("the audit log cannot be written: changes are refused", {
        path: this.#options.path,
        error: text,
      });
    }
    this.#trouble = text;
  }
}

const NEWLINE = 0x0a;
const STDERR = "-";

async function openForAppend(path: string): Promise<AppendFile> {
  const { O_APPEND, O_CREAT, O_NONBLOCK, O_RDWR } = constants;
  const file = await open(path, O_APPEND | O_CREAT | O_RDWR | O_NONBLOCK, 0o600);
  const opened = await file.stat();
  if (!opened.isFile()) {
    await file.close();
    throw new Error(`${path} is not a regular file`);
  }
  return {
    write: (bytes) => file.write(bytes),
    datasync: () => file.datasync(),
    undo: async (bytes) => file.truncate((await file.stat()).size - bytes),
    endsTorn: async () => {
      const { size } = await file.stat();
      if (size === 0) return false;
      const last = Buffer.alloc(1);
      await file.read(last, 0, 1, size - 1);
      return last[0] !== NEWLINE;
    },
    isAt: async (path) => {
      const named = await stat(path).catch(() => undefined);
      return named?.ino === opened.ino && named.dev === opened.dev;
    },
    close: () => file.close(),
  };
}

/** Standard error, for who collects a process's output: kept by whoever reads it. */
async function openStderr(): Promise<AppendFile> {
  return {
    write: (bytes) =>
      new Promise((resolve, reject) => {
        process.stderr.write(bytes, (error) => (error ? reject(error) : resolve({ bytesWritten: bytes.length })));
      }),
    datasync: async () => {},
    undo: async () => {},
    endsTorn: async () => false,
    isAt: async () => true,
    close: async () => {},
  };
}

/** Before anything was done. */
const refused = (why: string): DockerError =>
  unavailable(`the audit log cannot be written (${why}), and nothing is changed without its line: make room for it`);

/** The answer that cannot be given: what it would have said is in the line. */
const untold = (why: string): DockerError =>
  unavailable(
    `this request was carried out, but its audit line cannot be written (${why}): make room for the log, and look at the result before you try again`,
  );

function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
