/** The audit log's file: shared writes, rotation, torn ends, and disks that are full or hang. */
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Clock, Timer } from "../kit/clock.ts";
import { sleepWith, systemClock } from "../kit/clock.ts";
import { AUDIT_LINES_WAITING, AUDIT_ROTATION_MS, AUDIT_WRITE_MS } from "../kit/limits.ts";
import { silentLog } from "../kit/log.ts";
import { type AppendFile, AuditFile } from "./audit-file.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "shoal-audit-"));
  path = join(folder, "audit.log");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const read = (file = path): string => readFileSync(file, "utf8");
const line = (n: number): string => `{"n":${n}}\n`;

/** Time that stands still until it is moved. */
class HandClock implements Clock {
  #now = 0;
  readonly #timers = new Set<{ at: number; fn: () => void }>();
  now = (): number => this.#now;
  monotonic = (): number => this.#now;
  after = (ms: number, fn: () => void): Timer => {
    const timer = { at: this.#now + ms, fn };
    this.#timers.add(timer);
    return { cancel: () => this.#timers.delete(timer) };
  };
  sleep = (ms: number, signal?: AbortSignal): Promise<void> => sleepWith(this, ms, signal);
  pass(ms: number): void {
    this.#now += ms;
    for (const timer of [...this.#timers]) {
      if (timer.at > this.#now) continue;
      this.#timers.delete(timer);
      timer.fn();
    }
  }
}

/** A disk in memory with room for so many bytes; what is synced survives. */
class Disk {
  text = "";
  room = Number.POSITIVE_INFINITY;
  /** Bytes that one write takes at most. */
  bite = Number.POSITIVE_INFINITY;
  canUndo = true;
  writes = 0;
  syncs = 0;
  hang: Promise<void> | undefined;
  open = async (): Promise<AppendFile> => ({
    write: async (bytes) => {
      await this.hang;
      this.writes++;
      const taken = Math.min(bytes.length, this.bite, this.room - this.text.length);
      if (taken <= 0) throw new Error("ENOSPC: no space left on device");
      this.text += bytes.toString("utf8", 0, taken);
      return { bytesWritten: taken };
    },
    datasync: async () => void this.syncs++,
    undo: async (bytes) => {
      if (!this.canUndo) throw new Error("EIO");
      this.text = this.text.slice(0, this.text.length - bytes);
    },
    endsTorn: async () => this.text !== "" && !this.text.endsWith("\n"),
    isAt: async () => true,
    close: async () => {},
  });
}

const onDisk = (disk: Disk, clock: Clock = systemClock): Promise<AuditFile> =>
  AuditFile.open({ path, clock, log: silentLog, openFile: disk.open });
const onFile = (clock: Clock = systemClock): Promise<AuditFile> => AuditFile.open({ path, clock, log: silentLog });

describe("the audit log's file", () => {
  it("is made for its owner alone and appended to", async () => {
    writeFileSync(join(folder, "other"), "");
    const first = await onFile();
    await first.write(line(1));
    await first.close();
    const second = await onFile();
    await second.write(line(2));
    await second.close();
    expect(read()).toBe(line(1) + line(2));
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it.each(["/proc/none/audit.log", "/dev/null", "/tmp"])("that cannot be one is refused by name: %s", async (where) => {
    await expect(AuditFile.open({ path: where, clock: systemClock, log: silentLog })).rejects.toThrow(where);
  });

  it("takes a thousand lines at once in few writes, each whole and in order", async () => {
    const disk = new Disk();
    const file = await onDisk(disk);
    const numbers = Array.from({ length: 1_000 }, (_, n) => n);
    await Promise.all(numbers.map((n) => file.write(line(n))));
    expect(disk.text).toBe(numbers.map(line).join(""));
    expect(disk.syncs).toBeLessThanOrEqual(3);
  });

  it("has a line on the disk when it says so, whatever comes after", async () => {
    const disk = new Disk();
    const file = await onDisk(disk);
    for (let n = 0; n < 50; n++) {
      const before = disk.syncs;
      await file.write(line(n));
      expect(disk.text.endsWith(line(n))).toBe(true);
      expect(disk.syncs).toBeGreaterThan(before);
    }
  });

  it("does not glue a line to what a crash tore", async () => {
    writeFileSync(path, `${line(1)}{"n":2,"to`);
    const file = await onFile();
    await file.write(line(3));
    await file.write(line(4));
    await file.close();
    expect(read()).toBe(`${line(1)}{"n":2,"to\n${line(3)}${line(4)}`);
  });
});

describe("rotation", () => {
  it("by renaming is noticed by itself, and at once on SIGHUP; no line is lost", async () => {
    const clock = new HandClock();
    const file = await onFile(clock);
    await file.write(line(1));
    renameSync(path, `${path}.1`);
    await file.write(line(2));
    clock.pass(AUDIT_ROTATION_MS);
    await file.write(line(3));
    renameSync(path, `${path}.2`);
    file.reopen();
    await file.write(line(4));
    await file.close();
    expect([read(`${path}.1`), read(`${path}.2`), read()]).toEqual([line(1) + line(2), line(3), line(4)]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it("by copying and truncating goes on in the same file", async () => {
    const file = await onFile();
    await file.write(line(1));
    writeFileSync(path, "");
    await file.write(line(2));
    await file.close();
    expect(read()).toBe(line(2));
  });

  it("into a folder that is gone refuses changes until it is back, and then has every line", async () => {
    const file = await onFile();
    await file.write(line(1));
    rmSync(folder, { recursive: true });
    file.reopen();
    await expect(file.write(line(2))).rejects.toMatchObject({
      status: 503,
      message: expect.stringContaining("was carried out, but its audit line cannot be written (ENOENT"),
    });
    await expect(file.ready()).rejects.toMatchObject({
      status: 503,
      message: expect.stringContaining("nothing is changed without its line"),
    });
    folder = mkdtempSync(folder);
    renameSync(folder, path.slice(0, path.lastIndexOf("/")));
    folder = path.slice(0, path.lastIndexOf("/"));
    await file.ready();
    await file.write(line(3));
    await file.close();
    expect(read()).toBe(line(2) + line(3));
    expect(readdirSync(folder)).toEqual(["audit.log"]);
  });
});

describe("a full disk", () => {
  it("refuses changes, keeps the lines of what was done, and writes them when there is room", async () => {
    const disk = new Disk();
    disk.room = 25;
    disk.bite = 7;
    const file = await onDisk(disk);
    const results = await Promise.allSettled([1, 2, 3, 4].map((n) => file.write(line(n))));
    expect(new Set(results.map(({ status }) => status))).toEqual(new Set(["rejected"]));
    expect(disk.text).toBe("");
    await expect(file.ready()).rejects.toMatchObject({ status: 503 });
    disk.room = 1_000;
    await file.ready();
    expect(disk.text).toBe([1, 2, 3, 4].map(line).join(""));
    await file.write(line(5));
    expect(disk.text.endsWith(line(5))).toBe(true);
  });

  it("at any byte, with any size of writes: every line is there whole once there is room", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(120),
        fc.integer({ min: 1, max: 40 }),
        fc.boolean(),
        fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 8 }),
        async (room, bite, canUndo, groups) => {
          const disk = new Disk();
          Object.assign(disk, { room, bite, canUndo });
          const file = await onDisk(disk);
          let n = 0;
          const kept: number[] = [];
          for (const size of groups) {
            const group = Array.from({ length: size }, () => n++);
            await Promise.all(
              group.map((one) =>
                file.write(line(one)).then(
                  () => kept.push(one),
                  () => {},
                ),
              ),
            );
            // A line that was promised is there at once.
            for (const one of kept) expect(disk.text.split("\n")).toContain(line(one).trim());
          }
          disk.room = Number.POSITIVE_INFINITY;
          await file.ready();
          const whole = disk.text.split("\n").flatMap((text) => (/^\{"n":\d+\}$/.test(text) ? [text] : []));
          expect(new Set(whole)).toEqual(new Set(Array.from({ length: n }, (_, one) => line(one).trim())));
          if (canUndo) expect(whole).toHaveLength(n);
        },
      ),
      { numRuns: 200, seed: 11 },
    );
  });
});

describe("a disk that hangs", () => {
  it("is waited for only so long, and has every line in order when it comes back", async () => {
    const clock = new HandClock();
    const disk = new Disk();
    let wake: () => void = () => {};
    disk.hang = new Promise((resolve) => {
      wake = resolve;
    });
    const file = await onDisk(disk, clock);
    const first = file.write(line(1)).then(
      () => "written",
      (error: Error) => error.message,
    );
    const second = file.write(line(2)).then(
      () => "written",
      (error: Error) => error.message,
    );
    clock.pass(AUDIT_WRITE_MS);
    expect(await first).toContain("no answer within 10 s");
    expect(await second).toContain("no answer within 10 s");
    const refused = file.ready().then(
      () => "ready",
      (error: Error) => error.message,
    );
    clock.pass(AUDIT_WRITE_MS);
    expect(await refused).toContain("nothing is changed without its line");
    disk.hang = undefined;
    wake();
    await file.ready();
    await file.write(line(3));
    expect(disk.text).toBe(line(1) + line(2) + line(3));
  });

  it("is not a place to queue for ever: beyond the bound changes are refused", async () => {
    const disk = new Disk();
    let wake: () => void = () => {};
    disk.hang = new Promise((resolve) => {
      wake = resolve;
    });
    const file = await onDisk(disk, new HandClock());
    const writes = [file.write(line(0))];
    await new Promise((done) => setImmediate(done));
    for (let n = 1; n <= AUDIT_LINES_WAITING; n++) writes.push(file.write(line(n)));
    await expect(file.ready()).rejects.toMatchObject({ status: 503 });
    disk.hang = undefined;
    wake();
    await Promise.all(writes);
    await file.ready();
  });
});
