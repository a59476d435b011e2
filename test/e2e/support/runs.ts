/** Folders of test runs, named by the process that they belong to, so that a later run knows which of them are dead. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { alive, mark } from "../../../src/machine/processes.ts";

/** A folder's name for this very process: a later one with the same number does not take it for its own. */
export async function runName(prefix: string): Promise<string> {
  const self = await mark(process.pid);
  if (self === null) throw new Error("no /proc");
  return `${prefix}${self.pid}-${self.started}`;
}

/** The folders below `parent` whose process is no more. */
export async function deadRuns(parent: string, prefix: string): Promise<string[]> {
  const boot = (await mark(process.pid))?.boot ?? "";
  const dead: string[] = [];
  for (const name of readdirSync(parent)) {
    if (!name.startsWith(prefix)) continue;
    const [pid, started = ""] = name.slice(prefix.length).split("-");
    if (!(await alive({ pid: Number(pid), started, boot }))) dead.push(join(parent, name));
  }
  return dead;
}
