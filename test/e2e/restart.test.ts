/** A manager is only a view: another one over the same engines shows the same containers under the same identities. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { docker } from "./support/docker.ts";
import { until } from "./support/exec.ts";
import { at, emptyFleet, fleet } from "./support/fleet.ts";
import { get } from "./support/http.ts";
import { type Manager, startManager } from "./support/manager.ts";

type Row = Readonly<Record<string, unknown>>;

/** What must not change: who is there, where, and what is held; and what inspect says of each. */
async function identities(host: string) {
  const format = '{{.ID}} {{.Names}} {{.Image}} {{.State}} {{.Ports}} {{.Label "shoal.NODE"}}';
  // Sorted: engines tell the times of creation in seconds, so the order within one is lost with the manager.
  const listed = (await docker(at(host), `docker ps -a --no-trunc --format '${format}'`)).split("\n").sort();
  const ids = listed.map((line) => line.split(" ")[0] ?? "");
  const inspected = await Promise.all(ids.map((id) => get<Row>(host, `/containers/${id}/json`)));
  const shown = inspected.map(({ Id, Name, Node, HostConfig, Config }) => ({ Id, Name, Node, HostConfig, Config }));
  return { listed, shown };
}

/** The ledger's rows, without what is measured. */
async function reserved(host: string): Promise<unknown[]> {
  const rows = await get<Row[]>(host, "/shoal/nodes");
  return rows.map(({ Name, ReservedMemory, ReservedCpus, Containers, TotalMemory }) => {
    return { Name, ReservedMemory, ReservedCpus, Containers, TotalMemory };
  });
}

const MAKE = [
  "docker run -d --name web -p 80:80 -m 128m nginx",
  "docker run -d -P redis",
  "docker create --name cold --cpus 0.25 -m 64m -p 81:80 nginx",
  "docker run -d --name shares -c 1 -e constraint:node==node-3 busybox sleep 600",
  "docker run --name over busybox true",
  "docker run -d --name before -m 32m busybox sleep 600; docker rename before after; docker update -m 96m --memory-swap 192m after",
  "docker run -d --network host --name host nginx",
  "docker run -d --name base -v /data busybox sleep 600; docker run -d --name joined --volumes-from base --network container:base busybox sleep 600",
];

describe.runIf(fleet().subject === "shoal")("another manager over the same engines", () => {
  let manager: Manager;
  beforeAll(async () => {
    await emptyFleet();
    manager = await startManager();
    for (const line of MAKE) await docker(at(manager.host), line);
  });
  afterAll(async () => {
    await manager?.stop();
    await emptyFleet();
  });

  const ways: readonly (readonly [string, () => Promise<unknown>])[] = [
    ["that was stopped", () => manager.stop()],
    [
      "that was killed",
      async () => {
        process.kill(manager.pid, "SIGKILL");
        await manager.stop();
      },
    ],
  ];
  for (const [name, end] of ways) {
    it(`shows what the one ${name} showed`, async () => {
      const [before, held] = await Promise.all([identities(manager.host), reserved(manager.host)]);
      await end();
      manager = await startManager();
      expect(await identities(manager.host)).toEqual(before);
      // What hints could not say is read in the background.
      await until("the same reservations", 60_000, async () => {
        return JSON.stringify(await reserved(manager.host)) === JSON.stringify(held) || undefined;
      }).catch(() => undefined);
      expect(await reserved(manager.host)).toEqual(held);
    });
  }

  it("goes on with them", async () => {
    const target = at(manager.host);
    const taken = await docker(target, "docker create --name web busybox 2>&1 || true");
    expect(taken).toContain('The container name "/web" is already in use');
    expect(await docker(target, "docker exec after echo here")).toBe("here");
    await docker(target, "docker start cold && docker rm -f shares && docker stop -t 0 web && docker start web");
    expect(await docker(target, "docker ps --filter name=web --format '{{.Names}}'")).toBe("web");
  });
});
