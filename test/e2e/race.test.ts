/** S5: 200 creates at once with names, ports and memory contended: nothing is given twice, and the ledger is the truth. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { containersOf, emptyFleet, fleet } from "./support/fleet.ts";
import { call, get, pool } from "./support/http.ts";
import { type Manager, startManager } from "./support/manager.ts";

const CREATES = 200;
const NAMES = 130;
const PORTS = 45;
const MiB = 2 ** 20;
const MEMORY = 100 * MiB;

interface LedgerRow {
  readonly Name: string;
  readonly ReservedMemory: number;
  readonly TotalMemory: number;
}

interface Inspected {
  readonly Name: string;
  readonly HostConfig: { readonly Memory: number; readonly PortBindings: Record<string, { HostPort: string }[]> };
}

let manager: Manager;
beforeAll(async () => {
  await emptyFleet();
  manager = await startManager();
});
afterAll(async () => {
  await manager?.stop();
  await emptyFleet();
});

it("gives no name, no port and no memory twice", async () => {
  const agent = pool(CREATES);
  const answers = await Promise.all(
    Array.from({ length: CREATES }, (_, index) =>
      call(manager.host, `/v1.41/containers/create?name=race-${index % NAMES}`, {
        method: "POST",
        agent,
        timeout: 110_000,
        body: {
          Image: "busybox",
          Cmd: ["sleep", "60"],
          HostConfig: { Memory: MEMORY, PortBindings: { "80/tcp": [{ HostPort: String(20_000 + (index % PORTS)) }] } },
        },
      }),
    ),
  );
  agent.destroy();
  const strange = answers.filter(({ status }) => status !== 201 && status !== 409);
  expect(strange.map(({ status, text }) => `${status} ${text}`)).toEqual([]);
  const made = answers.filter(({ status }) => status === 201);

  const truth = await Promise.all(fleet().nodes.map(async ({ name, host }) => ({ name, all: await inspectAll(host) })));
  const everyone = truth.flatMap(({ all }) => all);
  expect(everyone).toHaveLength(made.length);
  expect(new Set(made.map(({ text }) => JSON.parse(text).Id)).size).toBe(made.length);
  expect(repeated(everyone.map(({ Name }) => Name))).toEqual([]);

  const ledger = await get<LedgerRow[]>(manager.host, "/shoal/nodes");
  for (const { name, all } of truth) {
    const ports = all.flatMap(({ HostConfig }) => Object.values(HostConfig.PortBindings).flat());
    expect(repeated(ports.map(({ HostPort }) => HostPort)), `ports of ${name}`).toEqual([]);
    // Up to the default overcommit ratio.
    const reserved = all.reduce((sum, { HostConfig }) => sum + HostConfig.Memory, 0);
    const row = ledger.find(({ Name }) => Name === name);
    expect(row?.ReservedMemory, `the ledger of ${name}`).toBe(reserved);
    expect(reserved).toBeLessThanOrEqual((row?.TotalMemory ?? 0) * 1.05);
  }
  // All three were scarce: what is left over fits nowhere, or its name is taken.
  const refusals = answers.filter(({ status }) => status === 409).map(({ text }) => text);
  expect(refusals.some((text) => text.includes("already in use"))).toBe(true);
  expect(refusals.some((text) => /no resources available|unable to find a node/i.test(text))).toBe(true);
  expect(made.length).toBeGreaterThanOrEqual(3 * 18);
});

async function inspectAll(host: string): Promise<Inspected[]> {
  const listed = await containersOf(host);
  return Promise.all(listed.map(({ Id }) => get<Inspected>(host, `/containers/${Id}/json`)));
}

const repeated = (values: readonly string[]): string[] =>
  values.filter((value, index) => values.indexOf(value) !== index);
