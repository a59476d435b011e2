import { existsSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { withDirectoryLock } from "./lock.ts";

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "shoal-lock-"));
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

it("lets one in at a time, and frees the lock when the work fails", async () => {
  let inside = 0;
  let most = 0;
  const work = async (fails: boolean): Promise<void> => {
    most = Math.max(most, ++inside);
    await new Promise((resolve) => setImmediate(resolve));
    inside--;
    if (fails) throw new Error("failed inside");
  };
  const results = await Promise.allSettled(
    [true, false, true, false].map((fails) => withDirectoryLock(directory, () => work(fails))),
  );
  expect(most).toBe(1);
  expect(results.map((result) => result.status)).toEqual(["rejected", "fulfilled", "rejected", "fulfilled"]);
});

it("waits for a directory that was removed and made again under its feet", async () => {
  const path = join(directory, "machine");
  const order: string[] = [];
  await Promise.all([
    withDirectoryLock(path, async () => {
      order.push("in");
      rmSync(path, { recursive: true });
    }),
    withDirectoryLock(path, async () => {
      order.push(existsSync(path) ? "there" : "gone");
    }),
    withDirectoryLock(path, async () => {
      order.push("in");
    }),
  ]);
  expect(order).toHaveLength(3);
  expect(order).not.toContain("gone");
});

it("lets all in, one at a time, when each removes the directory", async () => {
  const path = join(directory, "machine");
  let inside = 0;
  let most = 0;
  let turns = 0;
  const turn = () =>
    withDirectoryLock(path, async () => {
      most = Math.max(most, ++inside);
      expect(existsSync(path)).toBe(true);
      rmSync(path, { recursive: true });
      inside--;
      turns++;
    });
  await Promise.all(Array.from({ length: 12 }, turn));
  expect([turns, most]).toEqual([12, 1]);
});

it("says so when the directory cannot be made or opened", async () => {
  const path = join(directory, "dangling");
  symlinkSync(join(directory, "nowhere", "else"), path);
  await expect(withDirectoryLock(path, async () => undefined)).rejects.toThrow(/ENOENT/);
});

it("gives up with a clear message when somebody keeps it", async () => {
  await withDirectoryLock(directory, async () => {
    await expect(withDirectoryLock(directory, async () => undefined, 0)).rejects.toThrow(
      /in use by another shoal process/,
    );
  });
});
