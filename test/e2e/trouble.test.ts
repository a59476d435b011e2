/** K5, engines in trouble: one that hangs and one whose disk is full. Nobody else is held up, and each is back by itself. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { docker, shell } from "./support/docker.ts";
import { machinesIn } from "./support/engines.ts";
import { type Outcome, pooled, until } from "./support/exec.ts";
import { at, emptyFleet, fleet } from "./support/fleet.ts";
import { call } from "./support/http.ts";
import { type Manager, nodeStatus, startManager } from "./support/manager.ts";

/** Far more than it ever takes: what it took is printed. */
const PATIENCE = 60_000;
const real = describe.runIf(fleet().subject === "shoal");
const on = (node: string): string => `-e constraint:node==${node}`;
const seconds = (from: number): string => `${((Date.now() - from) / 1000).toFixed(1)} s`;

let manager: Manager;
beforeAll(async () => {
  await emptyFleet();
  manager = await startManager();
});
afterAll(async () => {
  await manager?.stop();
  await emptyFleet();
});

const fieldsOf = async (node: string): Promise<Readonly<Record<string, string>>> =>
  (await nodeStatus(manager.host)).find(({ name }) => name === node)?.fields ?? {};

/** The status that `docker ps -a` shows. */
const statusOf = (name: string): Promise<string> =>
  docker(at(manager.host), `docker ps -a --filter name=^/${name}$ --format '{{.Status}}'`);

const healthy = (node: string): Promise<true> =>
  until(`${node} healthy`, PATIENCE, async () => ((await fieldsOf(node)).Status === "Healthy" ? true : undefined));

/** Milliseconds that the middle one of some calls to a healthy node takes: a list, and an inspect there. */
async function latency(): Promise<number> {
  const taken: number[] = [];
  for (let i = 0; i < 15; i++) {
    const from = performance.now();
    const answers = [
      await call(manager.host, "/containers/json?all=1"),
      await call(manager.host, "/containers/kept/json"),
    ];
    taken.push(performance.now() - from);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  }
  return taken.sort((a, b) => a - b)[Math.floor(taken.length / 2)] ?? 0;
}

real("an engine that hangs", () => {
  it("is marked, ends what waits for it with a sentence, holds up nobody else, and is back by itself", async () => {
    const target = at(manager.host);
    await docker(target, `docker run -d --name held ${on("node-2")} busybox sleep 3600`);
    await docker(target, `docker run -d --name kept ${on("node-1")} busybox sleep 3600`);
    const waiting: Record<string, Promise<Outcome>> = {};
    for (const line of [
      "docker wait held",
      "docker logs -f held",
      "docker exec held sleep 3600",
      "docker attach held",
    ]) {
      waiting[line] = shell(target, line, { timeout: PATIENCE + 30_000 });
    }
    const before = await latency();
    const pid = await machinesIn(fleet().folder).enginePid("node-2");
    if (pid === null) throw new Error("node-2 has no engine");
    process.kill(pid, "SIGSTOP");
    const from = Date.now();
    try {
      const during = await latency();
      expect(await docker(target, `docker run --rm ${on("node-1")} busybox echo on`)).toBe("on");
      await until("held told as Host Down", PATIENCE, async () =>
        (await statusOf("held")) === "Host Down" ? true : undefined,
      );
      console.log(`hung: marked after ${seconds(from)}; calls take ${(during / before).toFixed(2)} of the time before`);
      const ends = await Promise.all(Object.entries(waiting).map(async ([line, end]) => ({ line, ...(await end) })));
      console.log(`hung: the last of ${ends.length} waiting clients ended after ${seconds(from)}`);
      for (const { line, code, stdout, stderr } of ends) {
        const told = `${line}: ${code} ${stdout} ${stderr}`;
        // Of a wait the CLI shows only the code that it was told, and ends with 0 itself.
        if (code === 0) expect(`${line}: ${stdout.trim()}`, told).toBe("docker wait held: -1");
        else {
          expect(code, told).not.toBe(124);
          expect(stderr, told).toContain("node node-2");
        }
      }
      const asked = await shell(target, "docker inspect held");
      expect(asked.stderr).toContain("node-2");
    } finally {
      process.kill(pid, "SIGCONT");
    }
    const again = Date.now();
    await until("held told as running", PATIENCE, async () =>
      (await statusOf("held")).startsWith("Up") ? true : undefined,
    );
    console.log(`hung: back after ${seconds(again)}`);
    expect(await docker(target, "docker exec held echo back")).toBe("back");
  });
});

real("an engine whose disk is full", () => {
  const CREATES = 100;

  it("gets nothing, 100 of 100 creates that prefer it succeed elsewhere, it says why, and is back by itself", async () => {
    await emptyFleet();
    const target = at(manager.host);
    const machines = machinesIn(fleet().folder);
    const machine = (await machines.list()).find(({ name }) => name === "node-1");
    const full = join(machine?.directory ?? "", "data/containers");
    const inside = async (argv: readonly string[]): Promise<void> => {
      const { code, stderr } = await machines.exec("node-1", argv);
      if (code !== 0) throw new Error(`${argv.join(" ")}: ${stderr}`);
    };
    // In the machine's own mounts alone, with which it ends: a disk without room for one directory more.
    await inside(["mount", "-t", "tmpfs", "-o", "size=4k,nr_inodes=1", "full", full]);
    try {
      const made = await pooled(
        4,
        Array.from({ length: CREATES }, (_, i) => () => {
          const body = { Image: "busybox", Cmd: ["true"], Env: ["constraint:node==~node-1"] };
          return call(manager.host, `/v1.41/containers/create?name=full-${i}`, {
            method: "POST",
            body,
            timeout: PATIENCE,
          });
        }),
      );
      expect(made.filter(({ status }) => status !== 201).map(({ status, text }) => `${status} ${text}`)).toEqual([]);
      const places = await docker(target, "docker ps -a --format '{{.Label \"shoal.NODE\"}}' | sort | uniq -c");
      console.log(`full disk: ${CREATES} of ${CREATES} made: ${places.replace(/\s+/g, " ").trim()}`);
      expect(places).not.toContain("node-1");
      const told = await until("node-1 says why", PATIENCE, async () => {
        const body = { Image: "busybox", Env: ["constraint:node==~node-1"] };
        await call(manager.host, "/v1.41/containers/create", { method: "POST", body });
        return (await fieldsOf("node-1")).Error;
      });
      expect(told).toContain("no space left on device");
    } finally {
      await inside(["umount", full]);
    }
    await until("a container on node-1", PATIENCE * 2, async () => {
      const { text } = await call(manager.host, "/v1.41/containers/create", {
        method: "POST",
        body: { Image: "busybox", Env: ["constraint:node==~node-1"] },
      });
      const { Id } = JSON.parse(text) as { Id: string };
      const node = await docker(target, `docker inspect -f '{{.Node.Name}}' ${Id}`);
      await docker(target, `docker rm ${Id}`);
      return node === "node-1" ? true : undefined;
    });
    await healthy("node-1");
    expect((await fieldsOf("node-1")).Error).toBeUndefined();
  });
});
