/**
 * T1: clients that know nothing of clusters do the same through shoal as on one engine. With every suite one version of each
 * kind runs, with as many cases as it is worth there; SHOAL_COMPAT=all takes all cases of every client and writes
 * docs/compatibility.md (`npm run compat`), SHOAL_COMPAT_ONLY=text only the clients whose name has the text.
 */
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { emptyFolder, type Prepared, type Side } from "./compat/client.ts";
import { CLIENTS } from "./compat/clients.ts";
import { differences, type Missing, report, type Trial } from "./compat/report.ts";
import { emptyFleet, fleet } from "./support/fleet.ts";
import { get } from "./support/http.ts";
import { type Manager, startManager } from "./support/manager.ts";

const all = process.env.SHOAL_COMPAT === "all";
const only = process.env.SHOAL_COMPAT_ONLY ?? "";
const chosen = CLIENTS.filter(({ name, share }) => (all || share !== "none") && name.includes(only));
const tried = fleet().subject === "shoal" && !fleet().minted;
/** In CI a client that cannot be had is a failure; elsewhere it is left out, and said to be. */
const mustBeHad = (process.env.CI ?? "") !== "";
const TEST_MS = all ? 1_800_000 : 900_000;

const trials: Trial[] = [];
const missing: Missing[] = [];
/** Each client as it can be had, or why it cannot. */
const ready = new Map<string, Promise<Prepared | Error>>();
let manager: Manager;

/** One client is fetched after the other, while the cases of those before it run. */
function prepareAll(): Promise<unknown> {
  let last: Promise<unknown> = Promise.resolve();
  for (const { name, prepare } of chosen) {
    const prepared = last
      .then(prepare)
      .catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))));
    ready.set(name, prepared);
    last = prepared;
  }
  return last;
}

async function timed<T>(work: Promise<T>): Promise<[T, number]> {
  const began = performance.now();
  return [await work, performance.now() - began];
}

beforeAll(async () => {
  if (!tried) return;
  const prepared = prepareAll();
  await emptyFleet();
  manager = await startManager();
  // Wall times are compared: nothing else may run beside the cases.
  if (all) await prepared;
}, TEST_MS);
// What a client that failed left must not count against the next.
afterEach(emptyFleet);
afterAll(async () => {
  if (all && only === "" && trials.length > 0) {
    const { Version, ApiVersion } = await get<{ Version: string; ApiVersion: string }>(manager.host, "/version");
    const engine = (await get<{ Version: string }>(fleet().reference.host, "/version")).Version;
    const conditions = { date: new Date().toISOString().slice(0, 10), engine, api: `${ApiVersion} as ${Version}` };
    const path = resolve(import.meta.dirname, "../../docs/compatibility.md");
    writeFileSync(path, report(trials, missing, conditions));
  }
  await manager?.stop();
});

describe.runIf(tried)("one engine and three through shoal, to", () => {
  it.for(chosen.map((client) => ({ ...client })))(
    "$name",
    { timeout: TEST_MS },
    async ({ name, share }, { skip, onTestFailed }) => {
      onTestFailed(() => manager.printLog());
      const prepared = await ready.get(name);
      if (prepared === undefined || prepared instanceof Error) {
        missing.push({ client: name, reason: String(prepared) });
        if (mustBeHad) throw new Error(`${name} cannot be had`, { cause: prepared });
        console.log(`${name} cannot be had: ${String(prepared)}`);
        return skip("cannot be had");
      }
      const folder = emptyFolder(fleet().work, "compat");
      const cases = all || share === "none" ? "all" : share;
      const at = (side: Side["name"], host: string) =>
        timed(prepared.run({ name: side, host, work: emptyFolder(folder, side) }, cases));
      const onOne = at("direct", fleet().reference.host);
      // A wall time counts only when one side runs at a time.
      if (all) await onOne;
      const [[direct, directMs], [shoal, shoalMs]] = await Promise.all([onOne, at("shoal", manager.host)]);
      const trial: Trial = { client: name, version: prepared.version, share, direct, shoal, directMs, shoalMs };
      trials.push(trial);
      const seconds = [directMs, shoalMs].map((ms) => (ms / 1000).toFixed(1));
      console.log(`${name} ${prepared.version}: ${direct.length} cases, ${seconds.join(" s and ")} s`);
      expect(differences(trial)).toEqual([]);
      expect(direct.filter(({ error }) => error !== undefined)).toEqual([]);
      if (cases === "all") expect(direct.length).toBeGreaterThan(0);
      else expect(direct.map((one) => one.name)).toEqual(cases);
    },
  );
});
