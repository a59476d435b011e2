/** Is this host fit for local machines? Each answer carries its remedy. Must not change anything on the host. */
import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { which } from "./command.ts";
import { unfit } from "./errors.ts";
import type { MachineSpec } from "./spec.ts";

/** Program → Debian package. */
const PROGRAMS: Record<string, string> = {
  ip: "iproute2",
  iptables: "iptables",
  unshare: "util-linux",
  nsenter: "util-linux",
  taskset: "util-linux",
  flock: "util-linux",
  mount: "mount",
};
const ENGINE_PROGRAMS = ["dockerd", "containerd", "runc"];
/** Hidden inside a machine by mounts of its own. */
const HIDDEN = ["/run", "/var/run", "/proc", "/sys", "/dev", "/etc/docker"];

export const hostCpus = (): number => availableParallelism();

/** Rejects with MachineError (`precreate`) unless this process may make machines. */
export function requireRoot(): void {
  if (process.platform !== "linux") throw unfit("local machines need Linux: they are namespaces of this host");
  if (process.getuid?.() !== 0) throw unfit("local machines need root (namespaces, mounts, interfaces): use sudo");
}

/** Rejects with MachineError (`precreate`) unless a machine like this can run here. */
export async function requireFit(spec: MachineSpec, storagePath: string): Promise<void> {
  requireRoot();
  requireVisible("storage path", storagePath);
  if (spec.engineDir !== null) requireVisible("engine directory", spec.engineDir);
  if (spec.cpus > hostCpus())
    throw unfit(`--cpus ${spec.cpus}: this host has ${hostCpus()}; an engine cannot see more than the host's own`);
  for (const program of ENGINE_PROGRAMS) {
    if (await which(program, spec.engineDir)) continue;
    const where = spec.engineDir ? ` in ${spec.engineDir} or PATH` : "";
    throw unfit(`${program} not found${where}; install Docker Engine: apt-get install docker.io`);
  }
  const missing = new Set<string>();
  for (const [program, pack] of Object.entries(PROGRAMS)) if (!(await which(program))) missing.add(pack);
  if (missing.size > 0) throw unfit(`programs are missing: apt-get install ${[...missing].join(" ")}`);
  const mounts = await readFile("/proc/mounts", "utf8");
  if (!/ cgroup2? /.test(mounts)) throw unfit("no cgroups are mounted on this host: apt-get install cgroupfs-mount");
}

function requireVisible(what: string, path: string): void {
  const whole = resolve(path);
  const hidden = HIDDEN.find((directory) => whole === directory || whole.startsWith(`${directory}/`));
  if (hidden) throw unfit(`${what} ${path}: ${hidden} is a machine's own; choose a place outside of it`);
}

/** What works less well here than elsewhere, one line each. */
export async function hostWarnings(spec: MachineSpec): Promise<string[]> {
  const warnings: string[] = [];
  if (!(await which("ps"))) warnings.push("no ps on this host, which docker top needs: apt-get install procps");
  const filesystems = await readFile("/proc/filesystems", "utf8");
  if (!/\boverlay\b/.test(filesystems))
    warnings.push("this kernel has no overlayfs (modprobe overlay): the engine falls back to vfs, slow and large");
  const total = Number(/^MemTotal:\s+(\d+)/m.exec(await readFile("/proc/meminfo", "utf8"))?.[1] ?? 0) * 1024;
  if (spec.memory > total) warnings.push("the machine reports more memory than this host has");
  return warnings;
}
