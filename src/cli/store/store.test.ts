/** `shoal store` on a real directory, with a store that is open in this process. */
import { mkdtemp, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { systemClock } from "../../kit/clock.ts";
import { silentLog } from "../../kit/log.ts";
import { systemRandom } from "../../kit/random.ts";
import { openStore } from "../../store/open.ts";
import type { Store } from "../../store/store.ts";
import { run } from "../main.ts";
import { testIo } from "../test-io.ts";
import { withoutSecrets } from "./redact.ts";

describe("shoal store", () => {
  let directory: string;
  let url: string;
  let store: Store;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "shoal-store-"));
    url = `file://${directory}/store`;
    store = await openStore(url, { clock: systemClock, random: systemRandom, log: silentLog });
    await set("cluster", '{"format":1}');
    await set("containers/a", '{"name":"redis","Env":["PASSWORD=hunter2"],"registryToken":"t0p"}');
  });
  afterEach(async () => {
    await store.close();
    await rm(directory, { recursive: true });
  });

  const set = (key: string, value: string) => store.txn({ conditions: [], writes: [{ key, value }] });
  const shoal = async (...args: readonly string[]) => {
    const io = testIo();
    const code = await run(["store", ...args], io);
    return { code, out: io.stdout(), err: io.stderr() };
  };

  it("dump prints a line for each entry, without secrets, while the store is open", async () => {
    const { code, out } = await shoal("dump", url);
    expect(code).toBe(0);
    expect(
      out
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { key: "cluster", value: { format: 1 } },
      {
        key: "containers/a",
        value: { name: "redis", Env: ["PASSWORD=(hidden)"], registryToken: "(hidden)" },
      },
    ]);
  });

  it("backup and restore work while the store is open, by its owner", async () => {
    const file = join(directory, "backup");
    expect(await shoal("backup", url, file)).toMatchObject({
      code: 0,
      out: `2 entries of ${directory}/store are in ${file}\n`,
    });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await set("cluster", "changed");
    await set("more", "1");
    expect(await shoal("restore", `${directory}/store`, file)).toMatchObject({
      code: 0,
      out: `2 entries of ${file} were restored to ${directory}/store by the running manager\n`,
    });
    // The journal holds it a moment before its owner shows it.
    await vi.waitFor(async () => {
      expect((await store.list("")).map(({ key }) => key)).toEqual(["cluster", "containers/a"]);
    });
    expect(await store.get("cluster")).toMatchObject({ value: '{"format":1}' });
  });

  it("restore works on a store that nobody has open, and makes one where there is none", async () => {
    const file = join(directory, "backup");
    await shoal("backup", url, file);
    await store.close();
    expect((await shoal("restore", `file://${directory}/new`, file)).code).toBe(0);
    expect((await shoal("dump", `file://${directory}/new`)).out).toBe((await shoal("dump", url)).out);
  });

  it("restore refuses a backup that is not whole, before anything is changed", async () => {
    const file = join(directory, "backup");
    await shoal("backup", url, file);
    const journal = await readFile(`${directory}/store/journal`);
    await truncate(file, (await stat(file)).size - 1);
    expect(await shoal("restore", url, file)).toMatchObject({
      code: 1,
      err: `shoal: ${file} is no whole backup of a store: nothing was changed\n`,
    });
    await writeFile(file, "");
    expect((await shoal("restore", url, file)).code).toBe(1);
    expect(await readFile(`${directory}/store/journal`)).toEqual(journal);
  });

  it("says what is wrong in one sentence", async () => {
    expect((await shoal("dump", "memory://")).err).toContain("a store in memory:// is its manager's alone");
    expect((await shoal("dump", "file://")).err).toBe('shoal: store "file://" names no directory\n');
    expect((await shoal("dump", join(directory, "none"))).err).toBe(`shoal: there is no store in ${directory}/none\n`);
    expect((await shoal("restore", url, join(directory, "none"))).err).toBe(`shoal: there is no ${directory}/none\n`);
    expect((await shoal("backup", url, join(directory, "none/x"))).err).toContain("cannot write the backup: ENOENT");
  });
});

describe("what is shown of a value", () => {
  it("keeps everything but secrets, however deep", () => {
    const value = { needs: { ports: [1], memory: 2 }, deep: [{ tlsKey: "k", key: "v", ok: null }], password: { a: 1 } };
    expect(withoutSecrets(JSON.stringify(value))).toEqual({
      needs: { ports: [1], memory: 2 },
      deep: [{ tlsKey: "(hidden)", key: "(hidden)", ok: null }],
      password: "(hidden)",
    });
  });

  it("is only the size of what is no JSON", () => {
    expect(withoutSecrets("secret ä")).toBe("(9 bytes that are no JSON)");
  });
});
