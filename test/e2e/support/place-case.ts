/** Where containers go: a case is a list of creations on an empty cluster, each with the node it must land on. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { shell, type Target } from "./docker.ts";
import { at, emptyFleet, pruneAll, removeAll } from "./fleet.ts";
import { get } from "./http.ts";
import { type Manager, type ManagerOptions, startManager } from "./manager.ts";

export interface Placement {
  /** Flags, image and command of `docker create`, or a whole line that begins with `docker`. */
  readonly make: string;
  /** The node it must land on; several when any of them is right. */
  readonly on?: string | readonly string[];
  /** The same node as this container's. */
  readonly with?: string;
  /** Another node than this container's. */
  readonly apart?: string;
  /** Refused, with words that match all of these. */
  readonly refused?: readonly (RegExp | string)[];
}

export interface PlaceCase {
  readonly name: string;
  readonly steps: readonly Placement[];
}

/** The node that a container is on, by the manager's inspect. */
export async function nodeOf(host: string, container: string): Promise<string> {
  const json = await get<{ Node?: { Name?: string } }>(host, `/containers/${encodeURIComponent(container)}/json`);
  return json.Node?.Name ?? "";
}

async function place(target: Target, step: Placement): Promise<void> {
  const line = step.make.startsWith("docker ") ? step.make : `docker create ${step.make}`;
  const done = await shell(target, line);
  if (step.refused !== undefined) {
    expect(done.code, `${line} must be refused\n${done.stdout}`).not.toBe(0);
    for (const words of step.refused) expect(done.stderr).toMatch(words);
    return;
  }
  expect(done.code, `${line}\n${done.stderr}`).toBe(0);
  const made = done.stdout.trim().split("\n").at(-1) ?? "";
  const node = await nodeOf(target.host, made);
  if (step.on !== undefined) expect([step.on].flat(), line).toContain(node);
  if (step.with !== undefined) expect(node, line).toBe(await nodeOf(target.host, step.with));
  if (step.apart !== undefined) expect(node, line).not.toBe(await nodeOf(target.host, step.apart));
}

/** Declares one test for each case, all with one manager; the cluster is empty before each. */
export function placeCases(title: string, cases: readonly PlaceCase[], options: ManagerOptions = {}): void {
  describe(title, () => {
    let manager: Manager;
    beforeAll(async () => {
      await emptyFleet();
      manager = await startManager(options);
    });
    beforeEach(() => removeAll(manager.host).then(() => pruneAll(manager.host)));
    afterAll(async () => {
      await manager?.stop();
      await emptyFleet();
    });
    it.for(cases)("$name", async ({ steps }, { onTestFailed }) => {
      onTestFailed(() => manager.printLog());
      for (const step of steps) await place(at(manager.host), step);
    });
  });
}
