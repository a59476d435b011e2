/**
 * T1: clients that know nothing of clusters do the same through shoal as on one engine. The quick ones run with every suite;
 * SHOAL_COMPAT=all takes every client and writes docs/compatibility.md (`npm run compat`), SHOAL_COMPAT_ONLY=text only those
 * whose name has the text.
 */
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { emptyFolder, type Result, type Side } from "./compat/client.ts";
import { CLIENTS } from "./compat/clients.ts";
import { differences, type Missing, report, type Trial } from "./compat/report.ts";
import { emptyFleet, fleet } from "./support/fleet.ts";
import { get } from "./support/http.ts";
import { type Manager, startManager } from "./support/manager.ts";

const all = process.env.SHOAL_COMPAT === "all";
const only = process.env.SHOAL_COMPAT_ONLY ?? "";
const chosen = CLIENTS.filter(({ name, quick }) => (all || quick) && name.includes(only));
const trials: Trial[] = [];
const missing: Missing[] = [];
let manager: Manager;

async function timed(work: () => Promise<Result[]>): Promise<[Result[], number]> {
  const began = performance.now();
  return [await work(), performance.now() - began];
}

beforeAll(async () => {
  await emptyFleet();
  manager = await startManager();
});
afterAll(async () => {
  if (all && only === "" && trials.length > 0) {
    const { Version, ApiVersion } = await get<{ Version: string; ApiVersion: string }>(manager.host, "/version");
    const engine = (await get<{ Version: string }>(fleet().reference.host, "/version")).Version;
    const conditions = { date: new Date().toISOString().slice(0, 10), engine, api: `${ApiVersion} as ${Version}` };
    const path = resolve(import.meta.dirname, "../../docs/compatibility.md");
    writeFileSync(path, report(trials, missing, conditions));
  }
  await manager?.stop();
  await emptyFleet();
});

describe.runIf(fleet().subject === "shoal" && !fleet().minted)("one engine and three through shoal, to", () => {
  it.for(chosen.map((client) => ({ ...client })))(
    "$name",
    { timeout: all ? 1_800_000 : 600_000 },
    async (client, { skip, onTestFailed }) => {
      onTestFailed(() => manager.printLog());
      const prepared = await client.prepare().catch((error: unknown) => {
        missing.push({ client: client.name, reason: String(error) });
        console.log(`${client.name} cannot be had: ${String(error)}`);
        return undefined;
      });
      if (prepared === undefined) return skip("cannot be had");
      const folder = emptyFolder(fleet().work, "compat");
      const side = (name: Side["name"], host: string): Side => ({ name, host, work: emptyFolder(folder, name) });
      const [direct, directMs] = await timed(() => prepared.run(side("direct", fleet().reference.host)));
      const [shoal, shoalMs] = await timed(() => prepared.run(side("shoal", manager.host)));
      const trial = { client: client.name, version: prepared.version, direct, shoal, directMs, shoalMs };
      trials.push(trial);
      const seconds = [directMs, shoalMs].map((ms) => (ms / 1000).toFixed(1));
      console.log(`${client.name} ${prepared.version}: ${direct.length} cases, ${seconds.join(" s and ")} s`);
      const failed = direct.filter(({ error }) => error !== undefined);
      if (failed.length > 0) console.log(`fail on one engine as well: ${JSON.stringify(failed, null, 1)}`);
      expect(differences(trial)).toEqual([]);
      expect(direct.length).toBeGreaterThan(failed.length);
    },
  );
});
