/** `shoal machine`, driver local: real engines in namespaces of this host, and nothing left of them afterwards. */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openMachines } from "../../src/cli/machine/open.ts";
import { hostCpus } from "../../src/machine/host.ts";
import { deadRuns, runName } from "./support/runs.ts";

const PLACE = "/var/lib";
const PREFIX = "shoal-machine-test-";
const storagePath = `${PLACE}/${await runName(PREFIX)}`;
const machines = openMachines({ storagePath });
const [ssd, disk] = ["test-1", "test-2"];
const GIB = 2 ** 30;

const sh = (command: string): string => execFileSync("sh", ["-c", command], { encoding: "utf8" });

/** The cluster's ID, as in its link on the host: other runs may have machines on this host, too. */
let own = "";

function ownId(address: string): string {
  const gateway = address.replace(/\d+$/, "1").replaceAll(".", "\\.");
  return new RegExp(` shoal([0-9a-f]+) +inet ${gateway}/`).exec(sh("ip -4 -o address"))?.[1] ?? "";
}

/** What machines could leave on a host, but for what belongs to other clusters of machines. */
function hostTraces(): Record<string, string[]> {
  const lines = (text: string): string[] => text.split("\n").filter(Boolean).sort();
  return {
    links: readdirSync("/sys/class/net")
      .filter((name) => !/^shoal[0-9a-f]+$/.test(name) || name === `shoal${own}`)
      .sort(),
    namespaces: lines(sh("ip netns list")),
    mounts: lines(readFileSync("/proc/mounts", "utf8")).filter(
      (line) => !/^nsfs \S+\/\.network /.test(line) || line.includes(storagePath),
    ),
    rules: lines(
      sh("iptables-save")
        .replace(/^#.*$/gm, "")
        .replace(/\[\d+:\d+\]/g, ""),
    ),
    sysctls: ["ipv4/ip_forward", "bridge/bridge-nf-call-iptables"]
      .map((name) => `/proc/sys/net/${name}`)
      .filter((path) => existsSync(path))
      .map((path) => `${path}=${readFileSync(path, "utf8")}`),
  };
}

/** Command lines of processes of these machines, as the host sees them. */
const processes = (): string[] =>
  sh("ps -eo args")
    .split("\n")
    .filter((line) => line.includes(`${storagePath}/`));
const cgroups = (): string => sh(`find /sys/fs/cgroup -type d -path '*/shoal-${own}*' 2>/dev/null || true`);

async function engine(name: string, command: string): Promise<string> {
  const result = await machines.exec(name, ["sh", "-c", command]);
  if (result.code !== 0) throw new Error(`${command}: ${result.stderr}`);
  return result.stdout.trim();
}

/** What an engine says of itself: name, CPUs, memory in bytes, labels; engines tell their labels in any order. */
async function described(name: string): Promise<unknown[]> {
  const text = await engine(name, "docker info -f '[{{json .Name}},{{.NCPU}},{{.MemTotal}},{{json .Labels}}]'");
  const [own, cpus, memory, labels] = JSON.parse(text) as [string, number, number, string[]];
  return [own, cpus, memory, labels.sort()];
}

let before: Record<string, string[]>;

/** Takes away the machines of runs that were killed. */
async function removeDeadRuns(): Promise<void> {
  for (const folder of await deadRuns(PLACE, PREFIX)) {
    console.log(`removing what an earlier run left in ${folder}`);
    await openMachines({ storagePath: folder }).removeAll();
    rmSync(folder, { recursive: true, force: true });
  }
}

beforeAll(async () => {
  await removeDeadRuns();
  before = hostTraces();
});

function expectNoTraces(): void {
  const after = hostTraces();
  for (const kind of ["links", "namespaces", "mounts"])
    expect(
      (after[kind] ?? []).filter((trace) => !before[kind]?.includes(trace)),
      kind,
    ).toEqual([]);
  expect(after.rules).toEqual(before.rules);
  expect(after.sysctls).toEqual(before.sysctls);
}

afterAll(async () => {
  await machines.removeAll();
  rmSync(storagePath, { recursive: true, force: true });
});

describe("local machines", () => {
  it("are created with labels, sizes and identities of their own", async () => {
    const made = await Promise.all([
      machines.create([ssd], { labels: ["storage=ssd"] }),
      machines.create([disk], { labels: ["storage=disk", "zone=b"], memory: 1.5 * GIB, engineOpts: ["live-restore"] }),
    ]);
    expect(made.flat().map((machine) => machine.state)).toEqual(["Running", "Running"]);
    own = ownId(made[0]?.[0]?.ip ?? "");
    expect(own).not.toBe("");
    expect(await described(ssd)).toEqual([ssd, 1, 2 * GIB, ["storage=ssd"]]);
    expect(await described(disk)).toEqual([disk, 1, 1.5 * GIB, ["storage=disk", "zone=b"]]);
    const ids = await Promise.all([ssd, disk].map((name) => engine(name, "docker info -f '{{.ID}}'")));
    expect(new Set(ids).size).toBe(2);
  });

  it("are listed with what their engines answer", async () => {
    const listed = await machines.list();
    expect(listed.map((machine) => machine.name).sort()).toEqual([ssd, disk]);
    for (const machine of listed) {
      expect(machine.docker).toMatch(/^\d+\.\d+/);
      expect(machine.error).toBeNull();
    }
  });

  it("reach each other and are reached from the host over TCP", async () => {
    const other = await machines.inspect(disk);
    expect(await engine(ssd, `docker -H ${other.url} info -f '{{.Name}}'`)).toBe(disk);
    expect(sh(`env -u DOCKER_HOST docker -H ${other.url} info -f '{{.Name}}'`).trim()).toBe(disk);
  });

  it("run containers, whose look-ups fail at once", async () => {
    const tar = execFileSync(
      "sh",
      ["-c", 'd=$(mktemp -d); mkdir $d/bin; cp "$(command -v busybox)" $d/bin/sh; tar -C $d -c .; rm -r $d'],
      { maxBuffer: 64 << 20 },
    );
    for (const name of [ssd, disk]) {
      const imported = await machines.exec(name, ["docker", "import", "-", "box"], { input: tar });
      expect(imported.stderr).toBe("");
    }
    expect(await engine(ssd, "docker run --rm box sh -c 'echo in $(hostname | wc -c)'")).toBe("in 13");
    await engine(
      ssd,
      "docker run -d --name always --restart always --stop-timeout 1 box sh -c 'while :; do sleep 1; done'",
    );
    await engine(disk, "docker run -d --name worker box sh -c 'while :; do sleep 1; done'");
    const missing = await machines.exec(ssd, ["docker", "run", "no-such-image"], { deadlineMs: 8_000 });
    expect(missing.stderr).toContain("connection refused");
  });

  it("are left alone when they exist with the same settings, and refused with others", async () => {
    const pid = (await machines.inspect(ssd)).pid;
    const [again] = await machines.create([ssd], { labels: ["storage=ssd"] });
    expect(again?.pid).toBe(pid);
    expect((await machines.start(ssd)).pid).toBe(pid);
    await expect(machines.create([ssd], { labels: ["storage=disk"] })).rejects.toThrow(
      /labels storage=ssd, not storage=disk/,
    );
  });

  it("stop and start with their data, address and engine ID", async () => {
    const id = await engine(ssd, "docker info -f '{{.ID}}'");
    const { ip } = await machines.inspect(ssd);
    await machines.stop(ssd);
    expect((await machines.inspect(ssd)).state).toBe("Stopped");
    await expect(machines.enter(ssd, ["true"])).rejects.toThrow(/not running; start it/);
    expect((await machines.start(ssd)).ip).toBe(ip);
    expect(await engine(ssd, "docker info -f '{{.ID}}'")).toBe(id);
    expect(await engine(ssd, "docker inspect -f '{{.State.Running}}' always")).toBe("true");
  });

  it("lose power without a word, a paused container or not, and come back", async () => {
    await engine(ssd, "docker pause always");
    await machines.kill(ssd);
    expect((await machines.list()).find((machine) => machine.name === ssd)).toMatchObject({
      state: "Stopped",
      docker: null,
    });
    expect(processes().filter((line) => line.includes(`/${ssd}/`))).toEqual([]);
    expect((await machines.restart(ssd)).state).toBe("Running");
    expect(await engine(ssd, "docker inspect -f '{{.State.Running}}' always")).toBe("true");
  });

  it("keep containers running while only the engine is down", async () => {
    const pid = await engine(disk, "docker inspect -f '{{.State.Pid}}' worker");
    expect(cgroups()).toContain(`/${disk}/`);
    await machines.stopEngine(disk);
    expect(await machines.enginePid(disk)).toBeNull();
    expect(await engine(disk, `cat /proc/${pid}/comm`)).toBe("sh");
    await machines.startEngine(disk);
    expect(await engine(disk, "docker inspect -f '{{.State.Pid}}' worker")).toBe(pid);
  });

  it("are stopped when their processes died, and start cleans up after them", async () => {
    const { pid } = await machines.inspect(ssd);
    expect(pid).not.toBeNull();
    process.kill(pid ?? 0, "SIGKILL");
    await expect.poll(async () => (await machines.inspect(ssd)).state).toBe("Stopped");
    rmSync(`${storagePath}/${disk}/run.json`);
    expect((await machines.start(ssd)).state).toBe("Running");
    expect((await machines.start(disk)).state).toBe("Running");
    expect(processes().filter((line) => line.startsWith("unshare")).length).toBe(2);
  });

  it("say what is wrong", async () => {
    await expect(machines.create(["no_good"])).rejects.toThrow(/must match/);
    await expect(machines.create(["big"], { cpus: hostCpus() + 1 })).rejects.toThrow(/this host has/);
    await expect(machines.inspect("nobody")).rejects.toThrow(/does not exist/);
    await expect(machines.create(["broken"], { engineOpts: ["no-such-flag=1"] })).rejects.toThrow(/no-such-flag/);
    await expect(machines.inspect("broken")).rejects.toThrow(/does not exist/);
  });

  it("leave nothing behind when they are removed", async () => {
    await Promise.all([machines.remove(ssd), machines.remove(disk)]);
    expect(await machines.list()).toEqual([]);
    expect(processes()).toEqual([]);
    expect(existsSync(storagePath)).toBe(false);
    expect(cgroups()).toBe("");
    expectNoTraces();
  });

  it("leave nothing behind where making or removing them was cut short", async () => {
    await machines.create([ssd]);
    await machines.kill(ssd);
    for (const file of [ssd, ".cluster.json"]) rmSync(`${storagePath}/${file}`, { recursive: true });
    await machines.removeAll();
    expect(existsSync(storagePath)).toBe(false);
    expectNoTraces();
  });
});
