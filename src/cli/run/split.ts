/**
 * Finds shoal's own flags among those of `docker run` and turns them into what the manager reads. Everything else stays
 * byte for byte and in its order. Must not start anything.
 */
import { CliError } from "../fail.ts";

/** `docker run --help` of 28.2, hidden aliases too: long flags that take the next argument as their value. */
const LONG_WITH_VALUE = new Set(
  `add-host annotation attach blkio-weight blkio-weight-device cap-add cap-drop cgroup-parent cgroupns cidfile cpu-count
  cpu-percent cpu-period cpu-quota cpu-rt-period cpu-rt-runtime cpu-shares cpus cpuset-cpus cpuset-mems detach-keys
  device device-cgroup-rule device-read-bps device-read-iops device-write-bps device-write-iops dns dns-opt dns-option
  dns-search domainname entrypoint env env-file expose gpus group-add health-cmd health-interval health-retries
  health-start-interval health-start-period health-timeout hostname io-maxbandwidth io-maxiops ip ip6 ipc isolation
  kernel-memory label label-file link link-local-ip log-driver log-opt mac-address memory memory-reservation memory-swap
  memory-swappiness mount name net net-alias network network-alias oom-score-adj pid pids-limit platform publish pull
  restart runtime security-opt shm-size stop-signal stop-timeout storage-opt sysctl tmpfs ulimit user userns uts volume
  volume-driver volumes-from workdir`.split(/\s+/),
);
const SHORT_WITH_VALUE = new Set("acehlmpuvw");
const OURS = ["constraint", "affinity", "reschedule"] as const;
type Ours = (typeof OURS)[number];
const POLICIES = ["on-node-failure", "always", "never", "off"];

export interface SplitRun {
  /** For docker, shoal's flags replaced by `-e …` where they stood. */
  readonly args: readonly string[];
  /** Was there any flag of ours? */
  readonly ours: boolean;
}

/** The exit code of docker run for its own failures, and so of ours. */
export const RUN_FAILED = 125;

/** `--constraint storage=ssd -d redis` → `-e constraint:storage==ssd -d redis`. Throws CliError (125) for a wrong value. */
export function splitRun(args: readonly string[]): SplitRun {
  const result: string[] = [];
  let ours = false;
  let index = 0;
  while (index < args.length) {
    const arg = args[index] ?? "";
    if (!arg.startsWith("-") || arg === "-" || arg === "--") break;
    index++;
    const own = /^--?(constraint|affinity|reschedule)(?:=(.*))?$/s.exec(arg);
    if (own) {
      const name = own[1] as Ours;
      const value = own[2] ?? args[index++];
      if (value === undefined) throw new CliError(`flag needs an argument: --${name}`, RUN_FAILED);
      result.push("-e", environmentOf(name, value));
      ours = true;
      continue;
    }
    result.push(arg);
    if (takesNext(arg) && index < args.length) result.push(args[index++] ?? "");
  }
  return { args: [...result, ...args.slice(index)], ours };
}

function takesNext(arg: string): boolean {
  if (arg.startsWith("--")) return LONG_WITH_VALUE.has(arg.slice(2));
  // In a cluster the first letter that takes a value takes the rest; only as the last letter does it take the next.
  const cluster = arg.slice(1);
  const at = [...cluster].findIndex((letter) => SHORT_WITH_VALUE.has(letter));
  return at >= 0 && at === cluster.length - 1;
}

function environmentOf(name: Ours, value: string): string {
  if (name !== "reschedule") return `${name}:${expression(value)}`;
  if (!POLICIES.includes(value)) throw new CliError(`invalid reschedule policy: ${value}`, RUN_FAILED);
  return `reschedule:${value}`;
}

/** A single `=` counts as `==`, as the first documents of Docker's clustering have it. */
function expression(text: string): string {
  const match = /^([^=!]+)(==|!=|=)(.*)$/s.exec(text);
  if (!match) throw new CliError(`invalid expression "${text}": One of operator ==, != is expected`, RUN_FAILED);
  return `${match[1]}${match[2] === "=" ? "==" : match[2]}${match[3]}`;
}
