/** Which URL opens which store. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { systemClock } from "../kit/clock.ts";
import { silentLog } from "../kit/log.ts";
import { systemRandom } from "../kit/random.ts";
import { MemoryStore } from "./drivers/memory.ts";
import { openStore } from "./open.ts";

const context = { clock: systemClock, random: systemRandom, log: silentLog };

describe("openStore", () => {
  it("opens memory://, a new one each time", async () => {
    const store = await openStore("memory://", context);
    expect(store).toBeInstanceOf(MemoryStore);
    await store.txn({ conditions: [], writes: [{ key: "a", value: "1" }] });
    expect(await (await openStore("memory://", context)).list("")).toEqual([]);
  });

  it("opens a directory by file://, with what it held", async () => {
    const directory = await mkdtemp(join(tmpdir(), "shoal-store-"));
    const url = `file://${directory}/deep/store`;
    const first = await openStore(url, context);
    await first.txn({ conditions: [], writes: [{ key: "a", value: "1" }] });
    await expect(openStore(url, context)).rejects.toThrow(
      `the store ${directory}/deep/store is in use by process ${process.pid}: stop it first, or use another store`,
    );
    await first.close();
    const second = await openStore(url, context);
    expect(await second.get("a")).toMatchObject({ value: "1" });
    await second.close();
    await rm(directory, { recursive: true });
  });

  it.each(["etcd://a:1,b/path", "consul://:token@a/x/y", "zk://u:p@[::1]:2181/x"])(
    "opens %s, asking nothing yet",
    async (url) => {
      await (await openStore(url, context)).close();
    },
  );

  it("refuses what it does not know", async () => {
    await expect(openStore("redis://a", context)).rejects.toThrow("unknown store scheme redis://");
    await expect(openStore("file://", context)).rejects.toThrow('store "file://" names no directory');
    await expect(openStore("/var/lib/shoal", context)).rejects.toThrow('bad store "/var/lib/shoal"');
  });
});
