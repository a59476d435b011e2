/** What a machine is asked to be: names, sizes, labels and engine flags, checked. Pure; must not know how one is made. */
import { failed } from "./errors.ts";

/** What `create` takes; everything but the name has a default. */
export interface MachineOptions {
  /** CPUs the engine sees; whole, 1 or more. */
  readonly cpus?: number;
  /** Bytes of memory the engine reports. */
  readonly memory?: number;
  /** Engine labels, `key=value`. */
  readonly labels?: readonly string[];
  /** A directory of engine binaries put first in PATH. */
  readonly engineDir?: string;
  /** Further flags of dockerd without their dashes, such as `insecure-registry=10.99.0.1:5000`. */
  readonly engineOpts?: readonly string[];
}

export interface MachineSpec {
  readonly cpus: number;
  readonly memory: number;
  readonly labels: readonly string[];
  readonly engineDir: string | null;
  readonly engineOpts: readonly string[];
}

export const DEFAULT_CPUS = 1;
export const DEFAULT_MEMORY = 2 * 2 ** 30;
/** An engine with less does not start containers. */
const LEAST_MEMORY = 64 * 2 ** 20;
/** Linux's limit for a host name. */
const LONGEST_NAME = 63;

/** Flags that the driver itself gives to dockerd. */
const OWN_FLAGS = new Set(["H", "host", "data-root", "g", "graph", "exec-root", "pidfile", "p", "config-file"]);

/** docker-machine's rule for names. Throws MachineError. */
export function checkName(name: string): void {
  if (!/^[a-zA-Z0-9][a-zA-Z0-9\-.]*$/.test(name))
    throw failed(`invalid machine name "${name}": it must match ^[a-zA-Z0-9][a-zA-Z0-9\\-\\.]*$`);
  if (name.length > LONGEST_NAME)
    throw failed(`invalid machine name "${name}": a host name has at most ${LONGEST_NAME} characters`);
}

/** `2g`, `512m`, `2GiB`, `1073741824`: bytes, in powers of 1024 as Docker reads sizes. Throws MachineError. */
export function parseMemory(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?$/i.exec(text.trim());
  if (!match) throw failed(`invalid memory size "${text}": write it like 512m or 2g`);
  const power = " kmgt".indexOf((match[2] || " ").toLowerCase());
  return Math.floor(Number(match[1]) * 1024 ** power);
}

/** `2GiB`, `512MiB`: the shortest exact form, for people. */
export function formatMemory(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${Number(value.toFixed(value < 10 ? 2 : 1))}${units[unit]}`;
}

/** Fills in the defaults and checks the rest. Throws MachineError. */
export function machineSpec(options: MachineOptions): MachineSpec {
  const cpus = options.cpus ?? DEFAULT_CPUS;
  if (!Number.isInteger(cpus) || cpus < 1) throw failed(`invalid number of CPUs: ${cpus}; it must be 1 or more, whole`);
  const memory = options.memory ?? DEFAULT_MEMORY;
  if (!Number.isSafeInteger(memory) || memory < LEAST_MEMORY)
    throw failed(`invalid memory size: ${memory} bytes; an engine needs at least ${formatMemory(LEAST_MEMORY)}`);
  const labels = [...new Set(options.labels ?? [])].sort();
  const keys = labels.map(labelKey);
  const twice = keys.find((key, at) => keys.indexOf(key) !== at);
  if (twice !== undefined) throw failed(`label "${twice}" is given twice with different values`);
  const engineOpts = (options.engineOpts ?? []).map(engineOpt);
  return { cpus, memory, labels, engineDir: options.engineDir ?? null, engineOpts };
}

function labelKey(label: string): string {
  const at = label.indexOf("=");
  if (at < 1) throw failed(`invalid label "${label}": write it as key=value`);
  return label.slice(0, at);
}

function engineOpt(option: string): string {
  const bare = option.replace(/^-+/, "");
  const flag = bare.split("=", 1)[0] ?? "";
  if (!/^[a-zA-Z0-9][a-zA-Z0-9-]*$/.test(flag))
    throw failed(`invalid engine option "${option}": write it as flag=value`);
  if (OWN_FLAGS.has(flag)) throw failed(`engine option "${flag}" is set by the machine itself and cannot be given`);
  return bare;
}

/** The differences of two specs in words, empty when they are the same. */
export function specDifferences(have: MachineSpec, want: MachineSpec): string[] {
  const differences: string[] = [];
  const compare = (what: string, a: string, b: string): void => {
    if (a !== b) differences.push(`${what} ${a || "none"}, not ${b || "none"}`);
  };
  compare("CPUs", String(have.cpus), String(want.cpus));
  compare("memory", formatMemory(have.memory), formatMemory(want.memory));
  compare("labels", have.labels.join(","), want.labels.join(","));
  compare("engine directory", have.engineDir ?? "", want.engineDir ?? "");
  compare("engine options", have.engineOpts.join(" "), want.engineOpts.join(" "));
  return differences;
}

/** /proc/meminfo as the engine shall see it: another MemTotal, and nothing larger than it. */
export function meminfoText(host: string, bytes: number): string {
  const total = Math.floor(bytes / 1024);
  return host.replace(/^(MemTotal|MemFree|MemAvailable|SwapTotal|SwapFree):\s+(\d+) kB$/gm, (_line, key, value) => {
    const size = key === "MemTotal" ? total : key.startsWith("Swap") ? 0 : Math.min(total, Number(value));
    return `${`${key}:`.padEnd(16)}${String(size).padStart(8)} kB`;
  });
}

/** Which of the host's CPUs the machine is pinned to: machines of one cluster are dealt round. */
export function cpuList(cpus: number, position: number, hostCpus: number): string {
  const first = (position * cpus) % hostCpus;
  return Array.from({ length: Math.min(cpus, hostCpus) }, (_, at) => (first + at) % hostCpus)
    .sort((a, b) => a - b)
    .join(",");
}
