/** The file store on the machine's own disk: what it leaves there, and writers that are killed. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../src/kit/clock.ts";
import { silentLog } from "../../src/kit/log.ts";
import { FileStore } from "../../src/store/drivers/file/file-store.ts";
import { systemDisk } from "../../src/store/drivers/file/system-disk.ts";

const root = resolve(import.meta.dirname, "../..");
const ROUNDS = process.env.SHOAL_FULL === "1" ? 100 : 5;

let parent: string;
let directory: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), "shoal-store-"));
  directory = join(parent, "deep", "store");
});
afterEach(() => rm(parent, { recursive: true }));

const open = () => FileStore.open(directory, { clock: systemClock, log: silentLog, disk: systemDisk });

describe("a file store on a real disk", () => {
  it("is its owner's alone, and leaves nothing beside its journal and its lock", async () => {
    const store = await open();
    await store.txn({ conditions: [], writes: [{ key: "a", value: "1" }] });
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    for (const name of await readdir(directory)) expect((await stat(join(directory, name))).mode & 0o777).toBe(0o600);
    await store.close();
    expect((await readdir(directory)).sort()).toEqual(["journal", "lock"]);
  });

  it("is not kept from its owner by a lock file that names a living process", async () => {
    await (await open()).close();
    await writeFile(join(directory, "lock"), "1\n");
    await (await open()).close();
  });

  it("is refused when its place is a file", async () => {
    await (await open()).close();
    directory = join(directory, "journal");
    await expect(open()).rejects.toThrow(`cannot open the store ${directory}: `);
  });
});

/** A process of its own that opens the store and counts up in two keys; it says each number once it is durable. */
const WRITER = `
const [directory, out] = process.argv.slice(1);
const at = (path) => new URL(path, out).href;
const { FileStore } = await import(at("store/drivers/file/file-store.js"));
const { systemDisk } = await import(at("store/drivers/file/system-disk.js"));
const { systemClock } = await import(at("kit/clock.js"));
const { silentLog } = await import(at("kit/log.js"));
const store = await FileStore.open(directory, { clock: systemClock, log: silentLog, disk: systemDisk });
for (let n = Number((await store.get("a"))?.value ?? 0) + 1; ; n++) {
  const value = String(n);
  await store.txn({ conditions: [], writes: [{ key: "a", value }, { key: "b", value }, { key: "c", value: "x".repeat(50000) }] });
  process.stdout.write(value + "\\n");
}`;

describe("a writer that is killed", () => {
  let compiled: string;
  beforeAll(async () => {
    // Within the repository, so that its packages are found.
    compiled = join(root, ".cache", `store-writer-${process.pid}`);
    const sources = ["file-store.ts", "system-disk.ts"].map((name) => join("src/store/drivers/file", name));
    const flags =
      "--ignoreConfig --rootDir src --module nodenext --target es2023 --types node --skipLibCheck --rewriteRelativeImportExtensions";
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    await promisify(execFile)(process.execPath, [tsc, ...flags.split(" "), "--outDir", compiled, ...sources], {
      cwd: root,
    });
  }, 120_000);
  afterAll(() => rm(compiled, { recursive: true, force: true }));

  const start = () =>
    spawn(process.execPath, ["--input-type=module", "-e", WRITER, directory, pathToFileURL(`${compiled}/`).href], {
      stdio: ["ignore", "pipe", "inherit"],
    });

  /** Kills the writer once it has said so many numbers; the last one that it said. */
  async function killAfter(writer: ChildProcess, count: number): Promise<number> {
    const ended = new Promise((done) => writer.once("close", done));
    let last = 0;
    let said = 0;
    if (writer.stdout === null) throw new Error("no output to read");
    for await (const line of createInterface(writer.stdout)) {
      last = Number(line);
      if (++said === count) writer.kill("SIGKILL");
    }
    await ended;
    return last;
  }

  it("loses nothing that it said, leaves nothing in part, and its lock hinders nobody", async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const last = await killAfter(start(), 1 + ((round * 37) % 90));
      expect(last).toBeGreaterThan(0);
      const store = await open();
      const [a, b] = [await store.get("a"), await store.get("b")];
      expect(Number(a?.value)).toBeGreaterThanOrEqual(last);
      expect(b?.value).toBe(a?.value);
      await store.close();
    }
  }, 300_000);

  it("holds the store against others as long as it lives, and is named", async () => {
    const writer = start();
    const killed = killAfter(writer, Number.POSITIVE_INFINITY);
    await new Promise((said) => writer.stdout?.once("data", said));
    writer.kill("SIGSTOP");
    await expect(open()).rejects.toThrow(
      `the store ${directory} is in use by process ${writer.pid}: stop it first, or use another store`,
    );
    writer.kill("SIGKILL");
    await killed;
    await (await open()).close();
  }, 60_000);
});
