/** Processes as /proc shows them, told apart from later ones with the same number. Must not know what they run. */
import { readdir, readFile } from "node:fs/promises";

export interface ProcessMark {
  readonly pid: number;
  /** Start time in clock ticks since boot: together with the number it is unique until a reboot. */
  readonly started: string;
  /** The boot the two belong to. */
  readonly boot: string;
}

interface Stat {
  readonly name: string;
  readonly state: string;
  readonly parent: number;
  readonly started: string;
}

/** proc(5): the name is in parentheses and may hold any byte, the rest is blank-separated. */
async function stat(pid: number): Promise<Stat | null> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => null);
  if (text === null) return null;
  const close = text.lastIndexOf(")");
  const rest = text.slice(close + 2).split(" ");
  return {
    name: text.slice(text.indexOf("(") + 1, close),
    state: rest[0] ?? "",
    parent: Number(rest[1]),
    started: rest[19] ?? "",
  };
}

const bootId = async (): Promise<string> => (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();

/** Marks a living process; null when there is none of that number. */
export async function mark(pid: number): Promise<ProcessMark | null> {
  const facts = await stat(pid);
  return facts && facts.state !== "Z" ? { pid, started: facts.started, boot: await bootId() } : null;
}

/** Whether the marked process still runs (a zombie does not). */
export async function alive(process: ProcessMark): Promise<boolean> {
  const facts = await stat(process.pid);
  return facts?.started === process.started && facts.state !== "Z" && process.boot === (await bootId());
}

/** The child of `parent` that runs a program of this name; null when there is none. */
export async function childNamed(parent: number, name: string): Promise<number | null> {
  for (const entry of await readdir("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const facts = await stat(Number(entry));
    if (facts?.parent === parent && facts.name === name && facts.state !== "Z") return Number(entry);
  }
  return null;
}

/** Processes that have this very argument in their command line. */
export async function withArgument(argument: string): Promise<ProcessMark[]> {
  const found: ProcessMark[] = [];
  for (const entry of await readdir("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const words = await readFile(`/proc/${entry}/cmdline`, "utf8").catch(() => "");
    if (!words.split("\0").includes(argument)) continue;
    const process = await mark(Number(entry));
    if (process) found.push(process);
  }
  return found;
}

/** Sends a signal; a process that is gone is no error. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
