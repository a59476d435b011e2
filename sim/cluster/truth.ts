/** What the engines themselves say is reserved, to be compared with the ledger. Reads engines from inside, past shoal. */
import { expect } from "vitest";
import { heldOn } from "../engine/held.ts";
import type { World } from "./world.ts";

/** The ledger says of each node what its engine says, no port is given twice and nothing is over. */
export function expectTrueLedger(world: World): void {
  for (const engine of world.engines) {
    const node = world.node(engine.name);
    const held = heldOn(engine);
    const { nanoCpus, memory } = world.cluster.ledger.sums(node.id);
    expect({ node: node.name, nanoCpus, memory }).toEqual({
      node: node.name,
      nanoCpus: held.nanoCpus,
      memory: held.memory,
    });
    const booked = [...node.containers.values()]
      .flatMap(({ id }) => world.cluster.ledger.get(id)?.ports ?? [])
      .map(({ ip, port, protocol }) => `${ip}:${port}/${protocol}`)
      .sort();
    expect({ node: node.name, ports: booked }).toEqual({ node: node.name, ports: held.ports });
  }
}

/** The list is the union of the engines', and the counts of each node are right. */
export async function expectTrueList(world: World): Promise<void> {
  const rows = await world.list();
  const shown = rows
    .map((row) => `${row.Labels["shoal.NODE"]} ${(row.Names[0] ?? "").split("/").at(-1)} ${row.State}`)
    .sort();
  const real = world.engines
    .flatMap((engine) => engine.daemon.containers.all().map(({ name, status }) => `${engine.name} ${name} ${status}`))
    .sort();
  expect(shown).toEqual(real);
  for (const engine of world.engines) {
    const all = engine.daemon.containers.all();
    const { count } = world.node(engine.name);
    const of = (status: string): number => all.filter((container) => container.status === status).length;
    expect({ node: engine.name, ...count }).toEqual({
      node: engine.name,
      all: all.length,
      running: of("running"),
      paused: of("paused"),
      busy: of("running") + of("created"),
    });
  }
}

/** True when neither of the two above finds fault. */
export async function agrees(world: World): Promise<boolean> {
  try {
    await expectTrueList(world);
    expectTrueLedger(world);
    return true;
  } catch {
    return false;
  }
}
