/** K5, a host that is powered off: what waits for it ends, its containers stay known, and all is as it is when it is back. */
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { docker, shell } from "./support/docker.ts";
import { machinesIn } from "./support/engines.ts";
import { until } from "./support/exec.ts";
import { at, emptyFleet, fleet } from "./support/fleet.ts";
import { call } from "./support/http.ts";
import { type Manager, nodeStatus, startManager } from "./support/manager.ts";

/** Far more than it ever takes: what it took is printed. */
const PATIENCE = 90_000;
const ON = "-e constraint:node==node-3";

describe.runIf(fleet().subject === "shoal")("a host that dies", () => {
  let manager: Manager;
  let env: Record<string, string>;
  beforeAll(async () => {
    await emptyFleet();
    // Outlives a manager.
    env = { SHOAL_STORE: `file://${join(mkdtempSync(join(fleet().work, "lost-")), "store")}` };
    manager = await startManager({ env });
  });
  afterAll(async () => {
    await machinesIn(fleet().folder).start("node-3");
    await manager?.stop();
    await emptyFleet();
  });

  const list = (): Promise<string> => docker(at(manager.host), "docker ps -a --format '{{.Names}} {{.Status}}'");
  const listed = (what: RegExp): Promise<string> =>
    until(`${what} in the list`, PATIENCE, async () => {
      const shown = await list();
      return what.test(shown) ? shown : undefined;
    });
  const fields = async (): Promise<Readonly<Record<string, string>>> =>
    (await nodeStatus(manager.host)).find(({ name }) => name === "node-3")?.fields ?? {};

  it("shows with its error, what waits for it ends with a sentence, and the others go on", async () => {
    const target = at(manager.host);
    await docker(target, `docker run -d --name lost --restart no ${ON} busybox sleep 3600`);
    await docker(target, `docker run -d --name gone --restart always -p 8099:80 ${ON} busybox sleep 3600`);
    await docker(target, "docker run -d --name kept -e constraint:node==node-1 busybox sleep 3600");
    const running = shell(target, `docker run --name front ${ON} busybox sh -c 'echo begun; sleep 3600'`, {
      timeout: PATIENCE,
    });
    await listed(/^front Up/m);
    await machinesIn(fleet().folder).kill("node-3");
    const from = Date.now();
    const shown = await listed(/^lost Host Down/m);
    console.log(`powered off: marked after ${((Date.now() - from) / 1000).toFixed(1)} s`);
    expect(shown).toMatch(/^kept Up/m);
    expect((await fields()).Error ?? "").not.toMatch(/^(\(none\))?$/);
    const front = await running;
    console.log(`powered off: docker run ended after ${((Date.now() - from) / 1000).toFixed(1)} s`);
    expect(front.code, front.stderr).toBe(125);
    expect(front.stderr).toContain("node node-3");
    expect(await docker(target, "docker exec kept echo on")).toBe("on");
    expect(await docker(target, "docker run --rm busybox echo new")).toBe("new");
    for (const line of ["docker exec lost true", "docker inspect lost", "docker rm lost", "docker stop lost"]) {
      const asked = await shell(target, line, { timeout: PATIENCE });
      expect(asked.code, line).not.toBe(0);
      expect(asked.stderr, line).toContain("node-3");
    }
    expect((await shell(target, `docker create ${ON} busybox`)).code).not.toBe(0);
    expect((await shell(target, "docker create --name lost busybox")).stderr).toContain("already in use");
  });

  it("is known to a manager that starts meanwhile", async () => {
    const before = await list();
    process.kill(manager.pid, "SIGKILL");
    await manager.stop();
    manager = await startManager({ env, impatient: true });
    expect(await listed(/^kept Up/m)).toMatch(/^lost Host Down/m);
    expect((await list()).split("\n").length).toBe(before.split("\n").length);
    const asked = await shell(at(manager.host), "docker inspect lost");
    expect(asked.stderr).toContain("node node-3 cannot be reached");
    expect((await shell(at(manager.host), "docker create --name lost busybox")).stderr).toContain("already in use");
  });

  it("gives the name of what is removed by force to another container at once", async () => {
    const target = at(manager.host);
    const removed = await call(manager.host, "/containers/gone?force=1", { method: "DELETE" });
    expect({ status: removed.status, warning: removed.headers.warning }).toEqual({
      status: 204,
      warning: expect.stringContaining("node node-3 cannot be reached"),
    });
    expect(await list()).not.toMatch(/^gone /m);
    await docker(target, "docker run -d --name gone busybox sleep 3600");
  });

  it("is healthy again when it is back, what it ran is told as it is, and what was removed is kept aside", async () => {
    const target = at(manager.host);
    await machinesIn(fleet().folder).start("node-3");
    const from = Date.now();
    await until("node-3 healthy again", PATIENCE, async () => (await fields()).Status === "Healthy" || undefined);
    console.log(`powered off: back ${((Date.now() - from) / 1000).toFixed(1)} s after its start`);
    await listed(/^lost Exited/m);
    await docker(target, "docker start lost");
    expect(await docker(target, "docker exec lost echo back")).toBe("back");
    const host = fleet().nodes.find(({ name }) => name === "node-3")?.host ?? "";
    await until("the copy at rest", PATIENCE, async () => {
      const copies = await docker(at(host), "docker ps -a --filter name=gone --format '{{.Names}} {{.Status}}'");
      return /^gone\.removed-[0-9a-f]{12} Exited/.test(copies) || undefined;
    });
    expect(
      await docker(at(host), "docker inspect -f '{{.HostConfig.RestartPolicy.Name}}' $(docker ps -aqf name=gone)"),
    ).toBe("no");
    expect((await list()).match(/^gone.*/gm)).toEqual([expect.stringMatching(/^gone Up/)]);
    expect(await docker(target, "docker inspect -f '{{.Node.Name}}' gone")).not.toBe("node-3");
  });
});
