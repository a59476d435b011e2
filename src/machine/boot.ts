/**
 * Brings a machine's namespaces to life and its engine in them. Owns the first process of a machine (a shell that runs
 * dockerd and reaps what it leaves) and the files it mounts; must not know the network's other end nor records.
 */
import { spawn } from "node:child_process";
import { mkdir, open, readFile, realpath, rename, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cleanEnv } from "./command.ts";
import { failed, unfit } from "./errors.ts";
import { hostCpus } from "./host.ts";
import { mark, type ProcessMark } from "./processes.ts";
import type { MachineRecord } from "./records.ts";
import { cpuList, meminfoText } from "./spec.ts";
import { positionOf } from "./subnet.ts";

/** Directories of the host that engines write to besides their roots; each machine has its own in their place. */
export const OWN_DIRECTORIES: Record<string, string> = { "/etc/docker": "etc-docker", "/opt/containerd": "opt" };

/** While this file exists inside a machine, its first process does not run an engine. */
export const HOLD_FILE = "/run/shoal-hold";

/**
 * The first process of the PID namespace. It tells its number as the host sees it, waits until its network is plugged in,
 * mounts what is its own and runs the engine; it ends with the engine, and everything else ends with it.
 */
const BOOT = `#!/bin/sh
# Written at each start of the machine.
set -eu
read -r self _ < /proc/self/stat
echo "$self"
read -r go || exit 1
[ "$go" = go ] || exit 1
exec </dev/null >>"$MACHINE/engine.log" 2>&1
echo "$NAME" > /proc/sys/kernel/hostname
mount --make-rshared /
mount -t proc proc /proc
mount --bind "$MACHINE/meminfo" /proc/meminfo
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/lock
[ -L /var/run ] || mount --bind /run /var/run
mount --bind "$MACHINE/etc-docker" /etc/docker
mount --bind "$MACHINE/opt" /opt/containerd
if [ -n "$RESOLV" ]; then
  [ -e "$RESOLV" ] || { mkdir -p "$(dirname "$RESOLV")"; : > "$RESOLV"; }
  mount --bind "$MACHINE/resolv.conf" "$RESOLV"
fi
[ ! -e /etc/hosts ] || mount --bind "$MACHINE/hosts" /etc/hosts
ip link set lo up
ip address add "$ADDRESS/24" dev eth0
ip link set eth0 up
ulimit -n 1048576 2>/dev/null || :
while :; do
  code=0
  taskset -c "$CPUS" dockerd "$@" || code=$?
  [ -e ${HOLD_FILE} ] || exit $code
  while [ -e ${HOLD_FILE} ]; do sleep 0.1; done
done
`;

/** Where a machine's boot script is; it stands in its processes' command lines, too. */
export const bootScript = (directory: string): string => join(directory, "boot.sh");

export interface Booted {
  readonly outer: ProcessMark;
  readonly init: ProcessMark;
  /** Lets it go on once its network is plugged in; without this it ends by itself. */
  go(): void;
}

/** @param cgroup the machine's own cgroup, absolute */
export function engineArguments(machine: MachineRecord, directory: string, cgroup: string): string[] {
  const { spec, address } = machine;
  return [
    "--host=unix:///var/run/docker.sock",
    `--host=tcp://${address}:2375`,
    // Said aloud, newer engines do not pause for 15 s over it.
    "--tls=false",
    `--data-root=${join(directory, "data")}`,
    "--pidfile=/run/docker.pid",
    `--cgroup-parent=${cgroup}`,
    "--exec-opt=native.cgroupdriver=cgroupfs",
    ...spec.labels.map((label) => `--label=${label}`),
    ...spec.engineOpts.map((option) => `--${option}`),
  ];
}

/** Writes what the machine mounts. The resolver is its own address, where nobody listens: look-ups fail at once. */
async function writeFiles(machine: MachineRecord, directory: string): Promise<void> {
  for (const own of [...Object.values(OWN_DIRECTORIES), "data"]) await mkdir(join(directory, own), { recursive: true });
  const log = join(directory, "engine.log");
  await rename(log, `${log}.1`).catch(() => undefined);
  await Promise.all([
    writeFile(bootScript(directory), BOOT, { mode: 0o755 }),
    writeFile(join(directory, "meminfo"), meminfoText(await readFile("/proc/meminfo", "utf8"), machine.spec.memory)),
    writeFile(join(directory, "resolv.conf"), `nameserver ${machine.address}\noptions attempts:1 timeout:1\n`),
    writeFile(
      join(directory, "hosts"),
      `127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n${machine.address} ${machine.name}\n`,
    ),
    ...Object.keys(OWN_DIRECTORIES).map((path) => makeMountPoint(path)),
  ]);
}

/** Marks a directory of the host that exists only because machines need a place to mount over. */
export const MADE_MARK = ".made-for-shoal-machines";

async function makeMountPoint(path: string): Promise<void> {
  const there = await stat(path).catch(() => null);
  if (there) return;
  await mkdir(path, { recursive: true });
  await writeFile(join(path, MADE_MARK), "");
}

/** Starts the machine's namespaces; its first process then waits for `go`. Rejects with MachineError. */
export async function boot(machine: MachineRecord, directory: string, cgroup: string): Promise<Booted> {
  await writeFiles(machine, directory);
  const log = await open(join(directory, "engine.log"), "a");
  try {
    const argv = ["--net", "--uts", "--ipc", "--mount", "--propagation", "slave", "--pid", "--fork", "--kill-child"];
    const child = spawn(
      "unshare",
      [...argv, "sh", bootScript(directory), ...engineArguments(machine, directory, cgroup)],
      {
        cwd: "/",
        detached: true,
        stdio: ["pipe", "pipe", log.fd],
        env: cleanEnv(
          {
            MACHINE: directory,
            NAME: machine.name,
            ADDRESS: machine.address,
            CPUS: cpuList(machine.spec.cpus, positionOf(machine.host), hostCpus()),
            RESOLV: await realpath("/etc/resolv.conf").catch(() => ""),
          },
          machine.spec.engineDir,
        ),
      },
    );
    child.stdin?.on("error", () => undefined);
    const pid = await new Promise<number>((resolve, reject) => {
      child.once("error", (error) => reject(failed(`unshare: ${error.message}`, error)));
      child.once("exit", () => resolve(0));
      child.stdout?.once("data", (data: Buffer) => resolve(Number(data.toString().trim())));
    });
    child.unref();
    const [outer, init] = await Promise.all([mark(child.pid ?? 0), mark(pid)]);
    if (!outer || !init) throw unfit(`namespaces cannot be made here: ${await logTail(directory)}`);
    const go = (): void => {
      child.stdin?.end("go\n");
      child.stdout?.destroy();
    };
    return { outer, init, go };
  } finally {
    await log.close();
  }
}

const TAIL_BYTES = 4096;
const TAIL_LINES = 12;

/** The last lines of the engine's log, for an error. */
export async function logTail(directory: string): Promise<string> {
  const text = await readFile(join(directory, "engine.log"), "utf8").catch(() => "");
  const lines = text.slice(-TAIL_BYTES).trim().split("\n").slice(-TAIL_LINES);
  return lines.join("\n") || "(its log is empty)";
}
