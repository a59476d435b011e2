/** K3: a manager that is killed in the middle of 200 creates, and one whose store is cut or damaged: engines, store and list agree. */
import { randomInt } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run, until } from "./support/exec.ts";
import { containersOf, emptyFleet, fleet } from "./support/fleet.ts";
import { call, pool } from "./support/http.ts";
import { type Manager, startManager } from "./support/manager.ts";

const CREATES = 200;
const KILLS = fleet().full ? 10 : fleet().minted ? 1 : 3;
const DAMAGES = fleet().full ? 5 : fleet().minted ? 1 : 2;
const SHOAL = resolve(import.meta.dirname, "../../bin/shoal");

/** Name → ID as a client was told. */
type Told = ReadonlyMap<string, string>;

describe.runIf(fleet().subject === "shoal")("after a crash", () => {
  let directory: string;
  let manager: Manager | undefined;
  beforeAll(async () => {
    await emptyFleet();
    directory = join(mkdtempSync(join(fleet().work, "crash-")), "store");
    manager = await start();
  });
  afterAll(async () => {
    await manager?.stop();
    await emptyFleet();
  });

  const start = (): Promise<Manager> => startManager({ flags: ["--store", `file://${directory}`] });
  const running = (): Manager => {
    if (!manager) throw new Error("no manager");
    return manager;
  };

  async function kill(): Promise<void> {
    process.kill(running().pid, "SIGKILL");
    await running().stop();
    manager = undefined;
  }

  /** Asks for all at once. Resolves when all were answered, or broken off. @param onAnswer called with how many were answered */
  async function create(names: readonly string[], onAnswer: (answered: number) => void = () => {}): Promise<Told> {
    const agent = pool(names.length);
    const told = new Map<string, string>();
    const body = { Image: "busybox", Cmd: ["sleep", "600"] };
    const { host } = running();
    await Promise.allSettled(
      names.map(async (name) => {
        const path = `/containers/create?name=${name}`;
        const { status, text } = await call(host, path, { method: "POST", agent, timeout: 120_000, body });
        if (status !== 201) throw new Error(`${status} ${text}`);
        told.set(name, JSON.parse(text).Id);
        onAnswer(told.size);
      }),
    );
    agent.destroy();
    return told;
  }

  /** `name id`, sorted, as the manager lists them, as its store has them; and names as the engines have them. */
  async function views() {
    const rows = await containersOf(running().host);
    const { stdout } = await run(SHOAL, ["store", "dump", directory]);
    const entries = stdout
      .split("\n")
      .filter(Boolean)
      .map((line): { key: string; value: { name: string; id: string } } => JSON.parse(line));
    const under = (prefix: string) => entries.filter(({ key }) => key.startsWith(prefix)).map(({ value }) => value);
    const engines = await Promise.all(fleet().nodes.map(({ host }) => containersOf(host)));
    const plain = ({ Names }: { readonly Names: readonly string[] }) => (Names[0] ?? "").slice(1);
    return {
      listed: rows.map((row) => `${plain(row)} ${row.Id}`).sort(),
      stored: under("containers/")
        .map(({ name, id }) => `${name} ${id}`)
        .sort(),
      open: under("intents/").length,
      made: engines.flat().map(plain).sort(),
    };
  }

  async function expectAgreement(told: Told): Promise<readonly string[]> {
    // Engines go on with creates that nobody waits for any longer: it is all of them that count.
    const agree = async () => {
      const { listed, stored, open, made } = await views();
      const names = listed.map((line) => line.split(" ")[0]);
      return (open === 0 && listed.join() === stored.join() && names.join() === made.join()) || undefined;
    };
    const from = performance.now();
    await until("engines, store and list agree", 120_000, agree).catch(() => undefined);
    console.log(`engines, store and list agree after ${Math.round(performance.now() - from)} ms`);
    const { listed, stored, open, made } = await views();
    const names = listed.map((line) => line.split(" ")[0] ?? "");
    expect({ open, stored }).toEqual({ open: 0, stored: listed });
    expect(names).toEqual(made);
    expect(new Set(names).size).toBe(names.length);
    expect([...told].filter(([name, id]) => !listed.includes(`${name} ${id}`))).toEqual([]);
    return names;
  }

  for (let round = 1; round <= KILLS; round++) {
    it(`in the middle of ${CREATES} creates (${round}), each answered one is there, and nothing twice`, async () => {
      const names = Array.from({ length: CREATES }, (_, i) => `crash-${round}-${i}`);
      const killAfter = 1 + randomInt(CREATES - 60);
      let killed: Promise<void> | undefined;
      const told = await create(names, (answered) => {
        if (answered >= killAfter) killed ??= kill();
      });
      await killed;
      console.log(`killed after ${killAfter} of ${CREATES} answers; ${told.size} clients were answered`);
      manager = await start();
      const there = new Set(await expectAgreement(told));
      // A name is either taken by what was made, or free.
      const again = await create(names.filter((name) => !there.has(name)));
      expect(again.size).toBe(CREATES - there.size);
      await expectAgreement(new Map([...told, ...again]));
      await emptyFleet();
      await expectAgreement(new Map());
    });
  }

  for (let round = 1; round <= DAMAGES; round++) {
    it.each([
      ["cut off at random", (path: string) => truncateSync(path, randomInt(statSync(path).size))],
      ["changed in one byte", flipByte],
      ["gone", (path: string) => rmSync(path)],
    ] as const)(`with a journal that is %s (${round})`, async (_, damage) => {
      const told = await create(Array.from({ length: 20 }, (_, i) => `damage-${i}`));
      expect(told.size).toBe(20);
      await kill();
      const journal = join(directory, "journal");
      damage(journal);
      try {
        manager = await start();
      } catch (error) {
        // It says that the journal is damaged and what to do; that is done.
        expect(String(error)).toMatch(/journal/);
        rmSync(journal);
        manager = await start();
      }
      await expectAgreement(told);
      await emptyFleet();
      await expectAgreement(new Map());
    });
  }
});

function flipByte(path: string): void {
  const bytes = readFileSync(path);
  const at = randomInt(bytes.length);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << randomInt(8));
  writeFileSync(path, bytes);
}
