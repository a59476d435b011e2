/**
 * A manager on each real store, over simulated engines: what users see while the store is away, restarted and moved, and
 * what the manager still knows afterwards. SHOAL_FULL=1 keeps the store away for a minute each time. Prints a table.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { ensureBuilt } from "../e2e/support/build.ts";
import { run, sleep } from "../e2e/support/exec.ts";
import { Engines } from "./support/engines.ts";
import { Manager, ROOT, SHOAL, shoal } from "./support/manager.ts";
import { Server } from "./support/server.ts";
import { STORES } from "./support/stores.ts";
import { type Told, Users } from "./support/users.ts";

const AWAY_MS = process.env.SHOAL_FULL === "1" ? 60_000 : 0;
const NODES = 2;
const HEAD = ["store", "what happens", "reads meanwhile", "creates meanwhile", "well again after"];

const rows: (readonly string[])[] = [];

beforeAll(() => ensureBuilt(ROOT), 300_000);
afterAll(() => {
  const lines = [HEAD, HEAD.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`);
  console.log(`\n${lines.join("\n")}`);
});

describe("a manager", () => {
  // They mostly wait.
  it.concurrent.for(STORES)(
    "goes on by itself when $scheme is back, and loses nothing",
    { timeout: 900_000 },
    async (kind, context) => {
      const { onTestFinished } = context;
      const keep = <T extends { remove(): Promise<void> }>(thing: T): T => {
        onTestFinished(() => thing.remove());
        return thing;
      };
      const folder = mkdtempSync(join(tmpdir(), "shoal-backup-"));
      onTestFinished(() => rmSync(folder, { recursive: true }));
      const program = await kind.program();
      const server = keep(await Server.start(program));
      const next = keep(await Server.make(program));
      const engines = await Engines.start(NODES);
      onTestFinished(() => engines.close());
      const url = (...servers: readonly Server[]) =>
        `${kind.scheme}://${servers.map(({ address }) => address).join(",")}/shoal`;
      const start = async (store: string): Promise<Manager> => {
        const manager = keep(await Manager.make({ store, discovery: engines.url, nodes: NODES }));
        await manager.start();
        return manager;
      };
      /** All that was answered is there, and the manager knows of all that is there. */
      const agree = (manager: Manager, created: readonly string[]): Promise<void> =>
        vi.waitFor(async () => {
          const names = engines.names();
          expect(new Set(names).size).toBe(names.length);
          expect(names).toEqual(expect.arrayContaining([...created]));
          expect(await manager.names()).toEqual(names);
        });

      const manager = await start(url(server, next));
      const users = new Users([manager.host], "web");
      const answered = (from: number): Promise<Told> => users.toldOf((told) => told.status === 201 && told.to > from);
      /** Takes the store away until creates are refused, brings it back, and waits until they are not. */
      const outage = async (what: string, away: () => Promise<void> | void, back: () => Promise<void> | void) => {
        await answered(performance.now());
        const from = performance.now();
        await away();
        await users.toldOf((told) => told.status === 503 && told.from > from);
        await sleep(AWAY_MS);
        await back();
        const returned = performance.now();
        const { to } = await answered(returned);
        rows.push([
          kind.scheme,
          what,
          ...summary(users.told.filter((told) => told.to > from && told.from < returned)),
          seconds(to - returned),
        ]);
      };
      await outage(
        "killed, started again",
        () => server.kill(),
        () => server.startAgain(),
      );
      await outage(
        "stands still, goes on",
        () => server.pause(),
        () => server.resume(),
      );
      await outage(
        "moved to a new server that is in the URL, too",
        () => server.stop(),
        () => next.takeOver(server),
      );
      await users.stop();
      const refused = users.told.filter(({ status }) => status !== 200 && status !== 201);
      for (const { what, status, words } of refused) {
        expect({ what, status, words }).toEqual({ what: "create", status: 503, words: expect.stringMatching(REFUSAL) });
      }
      await agree(manager, users.created);

      // Its successor knows all of it, and so does one on a new store that was made from a backup.
      await manager.kill();
      const second = await start(url(next));
      await agree(second, users.created);
      await second.stop();
      const other = keep(await Server.start(program));
      await shoal("store", "backup", url(next), join(folder, "backup"));
      await shoal("store", "restore", url(other), join(folder, "backup"));
      await next.kill();
      const third = await start(url(other));
      await agree(third, users.created);
      const after = new Users([third.host], "after");
      await vi.waitFor(() => expect(after.created.length).toBeGreaterThan(3));
      await after.stop();
      await agree(third, [...users.created, ...after.created]);
    },
  );

  it.concurrent.for(STORES)(
    "does not start when $scheme is not there, and says so in one sentence",
    async ({ scheme }, { expect }) => {
      const none = `${scheme}://joe:hunter2@127.0.0.1:1/shoal`;
      const { code, stdout, stderr } = await run(SHOAL, ["manage", "--store", none, "nodes://a:1"], {
        timeout: 240_000,
      });
      expect(code).toBe(1);
      expect(stderr).toMatch(/^shoal: (etcd|Consul|ZooKeeper) at 127\.0\.0\.1:1: .*ECONNREFUSED.*\n$/m);
      expect(stdout + stderr).not.toContain("hunter2");
    },
  );
});

const REFUSAL = /^the store does not take changes: .+\. Mend it and try again$/;

const seconds = (ms: number): string => `${(Math.max(0, ms) / 1000).toFixed(1)} s`;

/** Reads and creates: how they were answered, and the longest that it took. */
function summary(told: readonly Told[]): string[] {
  return (["read", "create"] as const).map((kind) => {
    const slowest = new Map<number, number>();
    for (const { what, status, from, to } of told) {
      if (what === kind) slowest.set(status, Math.max(slowest.get(status) ?? 0, to - from));
    }
    return [...slowest].map(([status, ms]) => `${status} within ${seconds(ms)}`).join(", ");
  });
}
