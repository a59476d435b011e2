/**
 * Three managers over each real store and simulated engines, under a load of creates: the one that leads is killed, stands
 * still, is cut off, and in the end the store is away. Another leads, what was answered is there, nothing is there twice.
 * SHOAL_FULL=1 does it ten times. Prints how long it took.
 */
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { ensureBuilt } from "../e2e/support/build.ts";
import { sleep } from "../e2e/support/exec.ts";
import { freePort } from "../e2e/support/manager.ts";
import { Cable } from "./support/cable.ts";
import { Engines } from "./support/engines.ts";
import { Manager, ROOT } from "./support/manager.ts";
import { open } from "./support/open.ts";
import { Server } from "./support/server.ts";
import { STORES } from "./support/stores.ts";
import { Users } from "./support/users.ts";

const FULL = process.env.SHOAL_FULL === "1";
const ROUNDS = FULL ? 10 : 1;
/** For how long the leader is away the first time, and the store. */
const AWAY_MS = FULL ? 60_000 : 0;
const NODES = 2;
const MANAGERS = 3;
const HEAD = ["store", "what is lost", "times", "another leads after", "creates are answered after"];

interface Replica {
  readonly manager: Manager;
  /** Where the others reach it. */
  readonly address: string;
  readonly cables: readonly Cable[];
}

interface Loss {
  readonly what: string;
  readonly begin: (leader: Replica) => Promise<void> | void;
  readonly end: (leader: Replica) => Promise<void> | void;
}

const LOSSES: readonly Loss[] = [
  { what: "leader, killed", begin: ({ manager }) => manager.kill(), end: ({ manager }) => manager.start() },
  { what: "leader, stands still", begin: ({ manager }) => manager.pause(), end: ({ manager }) => manager.resume() },
  {
    // Its clients and the engines still reach it.
    what: "leader, cut off from the store and the others",
    begin: ({ cables }) => {
      for (const cable of cables) cable.cut();
    },
    end: ({ cables }) => {
      for (const cable of cables) cable.mend();
    },
  },
];

const rows: (readonly string[])[] = [];

beforeAll(() => ensureBuilt(ROOT), 300_000);
afterAll(() => {
  const lines = [HEAD, HEAD.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`);
  console.log(`\n${lines.join("\n")}`);
});

describe("three managers", () => {
  // They mostly wait; where it is measured how long, one after another.
  (FULL ? it : it.concurrent).for(STORES)(
    "over $scheme lose nothing when they lose their leader",
    { timeout: 3_600_000 },
    async ({ scheme, program }, { onTestFinished }) => {
      const server = await Server.start(await program());
      onTestFinished(() => server.remove());
      const store = await open(`${scheme}://${server.address}/shoal`);
      onTestFinished(() => store.close());
      const engines = await Engines.start(NODES);
      onTestFinished(() => engines.close());

      const add = async (): Promise<Replica> => {
        const port = await freePort();
        const [own, toStore] = await Promise.all([Cable.to(`127.0.0.1:${port}`), Cable.to(server.address)]);
        const manager = await Manager.make({
          port,
          store: `${scheme}://${toStore.address}/shoal`,
          discovery: engines.url,
          nodes: NODES,
          flags: ["--replication", "--advertise", own.address],
        });
        onTestFinished(async () => {
          await manager.remove();
          for (const cable of [own, toStore]) await cable.close();
        });
        await manager.start();
        return { manager, address: own.address, cables: [own, toStore] };
      };
      const replicas = await Promise.all(Array.from({ length: MANAGERS }, add));
      const leader = (other?: Replica): Promise<Replica> =>
        vi.waitFor(async () => {
          const { holder = "" } = JSON.parse((await store.get("leader"))?.value ?? "{}") as { holder?: string };
          const found = replicas.find(({ address }) => holder.startsWith(`${address}#`));
          if (found === undefined || found === other) throw new Error("nobody else leads");
          return found;
        });
      const users = new Users(
        replicas.map(({ manager }) => manager.host),
        "web",
      );
      onTestFinished(() => users.stop());
      const madeAt = ({ manager: { host } }: Replica): Promise<unknown> => {
        const from = performance.now();
        return users.toldOf((told) => told.status === 201 && told.host === host && told.from > from);
      };

      for (const { what, begin, end } of LOSSES) {
        const leads: number[] = [];
        const answers: number[] = [];
        for (let round = 0; round < ROUNDS; round++) {
          await Promise.all(replicas.map(madeAt));
          const old = await leader();
          const lost = performance.now();
          await begin(old);
          const gone = performance.now();
          await leader(old);
          leads.push(performance.now() - lost);
          const { to } = await users.toldOf(
            ({ status, host, from }) => status === 201 && host !== old.manager.host && from > gone,
          );
          answers.push(to - lost);
          if (round === 0) await sleep(AWAY_MS);
          await end(old);
        }
        rows.push([scheme, what, String(ROUNDS), spread(leads), spread(answers)]);
      }
      await Promise.all(replicas.map(madeAt));
      const lost = performance.now();
      await server.kill();
      await Promise.all(
        replicas.map(({ manager }) =>
          users.toldOf(({ status, host, from }) => status === 503 && host === manager.host && from > lost),
        ),
      );
      await sleep(AWAY_MS);
      const back = performance.now();
      await server.startAgain();
      const { to } = await users.toldOf((told) => told.status === 201 && told.to > back);
      rows.push([scheme, "store, killed, and started again", "1", "", `${seconds(to - back)} from its start`]);
      await Promise.all(replicas.map(madeAt));
      await users.stop();

      const surprises = users.told.filter(({ status }) => ![0, 200, 201, 503].includes(status));
      expect(surprises).toEqual([]);
      await vi.waitFor(async () => {
        const names = engines.names();
        expect(new Set(names).size).toBe(names.length);
        expect(names).toEqual(expect.arrayContaining(users.created));
        for (const { manager } of replicas) expect(await manager.names()).toEqual(names);
      });
    },
  );
});

/** Median and longest, seconds. */
function spread(ms: readonly number[]): string {
  const sorted = [...ms].sort((a, b) => a - b);
  const [middle, longest] = [sorted[sorted.length >> 1] ?? 0, sorted.at(-1) ?? 0];
  return `${seconds(middle)} (longest ${seconds(longest)})`;
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
