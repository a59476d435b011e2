/**
 * A fence on real engines: a node whose agent is out of touch stops what may be moved before that runs elsewhere, a hung
 * engine included, and nothing else. Each copy writes what it is into one file that all hosts share: no copy ever writes
 * after another one has begun.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { docker } from "./support/docker.ts";
import { machinesIn } from "./support/engines.ts";
import { until } from "./support/exec.ts";
import { at, emptyFleet, fleet } from "./support/fleet.ts";
import { call } from "./support/http.ts";
import { freePort, type Manager, nodeStatus, startManager } from "./support/manager.ts";

const SHOAL = resolve(import.meta.dirname, "../../bin/shoal");
/** Far more than it ever takes: what it took is printed. */
const PATIENCE = 120_000;
const SCRIPT = "id=$(cat /proc/sys/kernel/random/uuid); while :; do echo $id >> /shared/web; usleep 50000; done";

describe.runIf(fleet().subject === "shoal" && !fleet().minted)("a node with a fence", () => {
  let work: string;
  let manager: Manager;
  let hub: ChildProcess;
  let agentEnded: Promise<unknown> = Promise.resolve();
  let log = "";

  const node = (name: string) => {
    const found = fleet().nodes.find((one) => one.name === name);
    if (!found) throw new Error(`no ${name}`);
    return found;
  };
  const machines = () => machinesIn(fleet().folder);
  const run = (argv: readonly string[], env: NodeJS.ProcessEnv): ChildProcess => {
    const [program = "", ...args] = argv;
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], env });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (chunk: Buffer) => {
        log += chunk.toString();
      });
    }
    return child;
  };

  beforeAll(async () => {
    await emptyFleet();
    work = mkdtempSync(join(fleet().work, "fence-"));
    mkdirSync(join(work, "shared"));
    // The machines' own network ends on this host.
    const gateway = node("node-3").address.replace(/\d+$/, "1");
    const url = `http://${gateway}:${await freePort(gateway)}`;
    const files = ["--store", `file://${work}/hub`, "--admin-token-file", join(work, "admin")];
    hub = run([SHOAL, "hub", "-H", url.replace("http:", "tcp:"), "--anonymous", ...files], process.env);
    const host = url.replace("http:", "tcp:");
    const token = await until("the hub", PATIENCE, async () => {
      const made = await call(host, "/v1/clusters", { method: "POST" }).catch(() => undefined);
      return made?.status === 201 ? made.text : undefined;
    });
    const discovery = `${url}/v1/clusters/${token}`;
    for (const name of ["node-1", "node-2"]) {
      const body = { addr: `${node(name).address}:2375` };
      await call(host, `/v1/clusters/${token}?ttl=86400`, { method: "POST", body });
    }
    const advertise = ["--advertise", `${node("node-3").address}:2375`, "--heartbeat", "1s", "--ttl", "24h"];
    const flags = ["--fence", "--fence-ttl", "5s", "--state-dir", join(work, "agent")];
    const joining = [SHOAL, "join", ...advertise, ...flags, discovery];
    const agent = run(await machines().enter("node-3", joining), await machines().environment("node-3"));
    agentEnded = new Promise((done) => agent.once("close", done));
    manager = await startManager({ discovery });
  });
  afterAll(async () => {
    const engine = await machines().enginePid("node-3");
    if (engine !== null) process.kill(engine, "SIGCONT");
    await machines().setLink("node-3", true);
    // Inside, where signals to the command that led there do not come.
    const pid = readFileSync(join(work, "agent/pid"), "utf8").trim();
    await machines().exec("node-3", ["kill", pid]);
    await agentEnded;
    await manager?.stop();
    const hubEnded = new Promise((done) => hub.once("close", done));
    for (const signal of ["SIGCONT", "SIGTERM"] as const) hub.kill(signal);
    await hubEnded;
    await emptyFleet();
  });

  const fence = async (): Promise<string | undefined> =>
    (await nodeStatus(manager.host)).find(({ name }) => name === "node-3")?.fields.Fence;
  const shows = (name: string, what: RegExp): Promise<string> =>
    until(`${name}: ${what}`, PATIENCE, async () => {
      const format = `--format '{{.Names}} {{.Label "shoal.NODE"}} {{.Status}}'`;
      const shown = await docker(at(manager.host), `docker ps -a --filter name=^${name}$ ${format}`);
      return what.test(shown) ? shown : undefined;
    });
  /** By the engine's own socket, which no cable leads to. */
  const onNode3 = (line: string): Promise<string> => docker(at(node("node-3").socket), line);
  const startedAt = (name: string): Promise<string> => onNode3(`docker inspect -f '{{.State.StartedAt}}' ${name}`);
  /** The copies in the order in which they wrote, each as often as it began to. */
  const copies = (): string[] =>
    readFileSync(join(work, "shared/web"), "utf8")
      .split("\n")
      .filter((id, index, all) => id !== "" && id !== all[index - 1]);
  const expectOneAtATime = (count: number): void => {
    const seen = copies();
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.length).toBe(count);
  };
  let before: string[];

  it("stops what may be moved while it is out of touch, and lets it go on when a manager has seen that", async ({
    onTestFailed,
  }) => {
    onTestFailed(() => console.error(log.slice(-4000)));
    await until("a fence", PATIENCE, async () => (await fence()) === "fenced" || undefined);
    const target = at(manager.host);
    const place = "-e constraint:node==~node-3";
    const moved = `-e reschedule:on-node-failure -v ${work}/shared:/shared ${place} busybox sh -c '${SCRIPT}'`;
    await docker(target, `docker run -d --name web --restart always ${moved}`);
    await docker(target, `docker run -d --name stays ${place} busybox sleep 3600`);
    await onNode3("docker run -d --name stranger --restart always busybox sleep 3600");
    await until("a first line", PATIENCE, async () => copies().length === 1 || undefined);
    before = [await startedAt("stays"), await startedAt("stranger")];
    hub.kill("SIGSTOP");
    const from = Date.now();
    await shows("web", / node-3 Exited/);
    console.log(`out of touch: stopped after ${((Date.now() - from) / 1000).toFixed(1)} s`);
    hub.kill("SIGCONT");
    await shows("web", / node-3 Up/);
    await until("a fence again", PATIENCE, async () => (await fence()) === "fenced" || undefined);
    await until("a second copy's line", PATIENCE, async () => copies().length === 2 || undefined);
    expectOneAtATime(2);
  });

  it("that is cut off while its engine hangs freezes it before it runs elsewhere, and it is ended and kept aside when the engine wakes", async ({
    onTestFailed,
  }) => {
    onTestFailed(() => console.error(log.slice(-4000)));
    const engine = (await machines().enginePid("node-3")) ?? 0;
    process.kill(engine, "SIGSTOP");
    await machines().setLink("node-3", false);
    const from = Date.now();
    await shows("web", / node-[12] Up/);
    console.log(`cut off: runs elsewhere after ${((Date.now() - from) / 1000).toFixed(1)} s`);
    await until("a third copy's line", PATIENCE, async () => copies().length === 3 || undefined);
    process.kill(engine, "SIGCONT");
    const ended = "docker ps -a --filter name=web --format '{{.Status}}'";
    await until("the old copy ends", PATIENCE, async () => /^Exited/.test(await onNode3(ended)) || undefined);
    await machines().setLink("node-3", true);
    const back = Date.now();
    await until("the fence is lifted", PATIENCE, async () => (await fence()) === "fenced" || undefined);
    const aside = "docker ps -a --filter name=web --format '{{.Names}} {{.Status}}'";
    await until(
      "the old copy is aside",
      PATIENCE,
      async () => /^web\.kept-[0-9a-f]{12} Exited/.test(await onNode3(aside)) || undefined,
    );
    console.log(`back: as before after ${((Date.now() - back) / 1000).toFixed(1)} s`);
    await shows("web", / node-[12] Up/);
    expectOneAtATime(3);
    // What may not be moved, and what is not ours, ran all the time.
    expect([await startedAt("stays"), await startedAt("stranger")]).toEqual(before);
  });
});
