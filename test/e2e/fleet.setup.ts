/**
 * Makes what the end-to-end suite stands on, once for a run: three machines with real engines, one engine apart as the
 * reference, the same images on all; and takes it away again, with what an earlier run that was killed left behind.
 */
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import type { TestProject } from "vitest/node";
import { ensureBuilt } from "./support/build.ts";
import { packageCache } from "./support/debian.ts";
import { findClis } from "./support/docker.ts";
import { removeDeadRuns, removeRun, runFolder, startEngines } from "./support/engines.ts";
import { provideImages } from "./support/image.ts";

const repository = resolve(import.meta.dirname, "../..");
let folder: string | undefined;

export async function setup(project: TestProject): Promise<void> {
  if (process.getuid?.() !== 0) throw new Error("the end-to-end suite starts real engines: it must run as root");
  const itself = process.env.SHOAL_E2E_SUBJECT === "engine";
  if (!itself) await ensureBuilt(repository);
  for (const line of await removeDeadRuns()) console.log(`cannot be taken away: ${line}`);
  folder = await runFolder();
  try {
    const work = join(folder, "work");
    mkdirSync(work);
    // The test files' own processes inherit it, which is how those of a killed run are found.
    process.env.SHOAL_E2E_WORK = work;
    const clis = await findClis(packageCache(), work);
    console.log(
      `docker CLI ${Object.values(clis)
        .map(({ version }) => version)
        .join(" and ")}; starting engines …`,
    );
    const engines = await startEngines(folder);
    const [first, ...others] = [...engines.nodes, engines.reference].map(({ host }) => ({ host, cli: clis["28"] }));
    if (first !== undefined) await provideImages(first, others, work);
    project.provide("fleet", {
      ...engines,
      clis,
      folder,
      work,
      minted: process.env.SHOAL_E2E_MINT === "1",
      full: process.env.SHOAL_FULL === "1",
      subject: itself ? "engine" : "shoal",
    });
  } catch (error) {
    await teardown();
    throw error;
  }
}

export async function teardown(): Promise<void> {
  if (folder !== undefined) await removeRun(folder);
}
