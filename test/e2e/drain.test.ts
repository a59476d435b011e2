/** A node of three real engines is drained, and what asks for that starts elsewhere first: it is up at any moment. */
import { resolve } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { docker } from "./support/docker.ts";
import { output, until } from "./support/exec.ts";
import { at, emptyFleet, fleet } from "./support/fleet.ts";
import { type Manager, startManager } from "./support/manager.ts";

const SHOAL = resolve(import.meta.dirname, "../../bin/shoal");
/** Far more than it ever takes. */
const PATIENCE = 120_000;

let manager: Manager;
beforeAll(async () => {
  await emptyFleet();
  manager = await startManager();
});
afterAll(async () => {
  await manager?.stop();
  await emptyFleet();
});

it.runIf(fleet().subject === "shoal")(
  "drains without a gap what asks for that: one row at any moment, always up",
  async ({ onTestFailed }) => {
    onTestFailed(() => manager.printLog());
    const target = at(manager.host);
    const row = (): Promise<string> =>
      docker(target, "docker ps -a --no-trunc --format '{{.ID}} {{.Names}} {{.Label \"shoal.NODE\"}} {{.Status}}'");
    const asks = "--label shoal.drain=start-first --restart always --health-cmd true --health-interval 1s";
    const id = await docker(
      target,
      `docker run -d --name web ${asks} -e 'constraint:node==~node-3' busybox sleep 3600`,
    );
    await until("web is healthy", PATIENCE, async () => / Up .*\(healthy\)/.test(await row()) || undefined);
    expect(await row()).toMatch(/ web node-3 /);
    const node = (verb: string): Promise<string> => output(SHOAL, ["-H", manager.host, "node", verb, "node-3"]);
    await node("drain");
    const seen = new Set<string>();
    await until("web on another node", PATIENCE, async () => {
      const shown = await row();
      seen.add(shown);
      return / node-[12] Up/.test(shown) || undefined;
    });
    for (const shown of seen) expect(shown).toMatch(new RegExp(`^${id} web node-[123] Up `));
    const node3 = fleet().nodes.find(({ name }) => name === "node-3");
    await until("the copy that it left at rest", PATIENCE, async () => {
      const there = await docker(at(node3?.host ?? ""), "docker ps -a --format '{{.Names}} {{.Status}}'");
      return /^web\.kept-[0-9a-f]{12} Exited/m.test(there) || undefined;
    });
    await node("activate");
  },
);
