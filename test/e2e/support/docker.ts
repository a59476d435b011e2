/**
 * The stock docker CLI: which two versions the suite runs (28 or newer, and 20.10), where they are found, and how a
 * shell line is run with one of them against one address. Knows nothing of fleets and managers.
 */
import { existsSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { unpackedProgram, type Wanted } from "./debian.ts";
import { type Outcome, output, run } from "./exec.ts";

export type CliName = "28" | "20.10";

export interface Cli {
  readonly name: CliName;
  /** The version as the CLI itself says it. */
  readonly version: string;
  /** A directory with nothing but `docker` in it, to go first in PATH. */
  readonly bin: string;
}

/**
 * Both CLIs, as links in `work`; what had to be fetched stays in `cache`. Throws with the reason when one cannot be had:
 * the suite never skips half of itself.
 */
export async function findClis(cache: string, work: string): Promise<Record<CliName, Cli>> {
  const paths = ["/usr/local/bin/docker", "/usr/bin/docker", ...onPath("docker")].filter((path) => existsSync(path));
  const found = await Promise.all(
    [...new Set(paths)].map(async (path) => ({ path, version: await versionOf(path).catch(() => "0") })),
  );
  const recent = found.find(({ version }) => isOf("28", version)) ?? (await fetched("28", cache));
  const old = found.find(({ version }) => isOf("20.10", version)) ?? (await fetched("20.10", cache));
  return { "28": link(work, "28", recent), "20.10": link(work, "20.10", old) };
}

const isOf = (name: CliName, version: string): boolean =>
  name === "28" ? Number(version.split(".")[0]) >= 28 : version.startsWith("20.10.");
const onPath = (name: string): string[] => (process.env.PATH ?? "").split(":").map((folder) => join(folder, name));

/** Where Debian has them: up to bookworm the CLI is part of docker.io. */
const PACKAGES: Record<CliName, readonly Omit<Wanted, "program">[]> = {
  "28": [
    { package: "docker-cli", suite: "forky" },
    { package: "docker-cli", suite: "sid" },
  ],
  "20.10": [{ package: "docker.io", suite: "bookworm" }],
};

/** A CLI that is not installed here, unpacked from a Debian suite that has it. */
async function fetched(name: CliName, cache: string): Promise<{ path: string; version: string }> {
  const reasons: string[] = [];
  for (const from of PACKAGES[name]) {
    try {
      console.log(`no docker CLI ${name} on this machine: unpacking ${from.package} of Debian ${from.suite} …`);
      const path = await unpackedProgram({ ...from, program: "usr/bin/docker" }, cache);
      const version = await versionOf(path);
      if (isOf(name, version)) return { path, version };
      reasons.push(`${from.suite} has ${version}`);
    } catch (error) {
      reasons.push(`${from.suite}: ${String(error)}`);
    }
  }
  throw new Error(`no docker CLI ${name} on this machine, and none could be fetched: ${reasons.join("; ")}`);
}

async function versionOf(path: string): Promise<string> {
  const text = await output(path, ["--version"], { timeout: 60_000 });
  return /version (\d[\w.]*)/.exec(text)?.[1] ?? "0";
}

function link(work: string, name: CliName, from: { path: string; version: string }): Cli {
  const bin = join(work, `bin-${name}`);
  mkdirSync(bin, { recursive: true });
  symlinkSync(from.path, join(bin, "docker"));
  return { name, version: from.version, bin };
}

export interface Target {
  /** The address as DOCKER_HOST takes it. */
  readonly host: string;
  readonly cli: Cli;
  /** More environment, such as DOCKER_CERT_PATH. */
  readonly env?: Record<string, string>;
}

export interface ShellOptions {
  readonly cwd?: string;
  readonly env?: Record<string, string>;
  readonly timeout?: number;
}

/** Runs a POSIX shell line in which `docker` is the target's CLI, aimed at the target, with an empty configuration. */
export function shell(target: Target, line: string, options: ShellOptions = {}): Promise<Outcome> {
  return run("/bin/bash", ["-c", line], {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    timeout: options.timeout ?? 120_000,
    env: {
      PATH: `${target.cli.bin}:${process.env.PATH ?? ""}`,
      // No ~/.docker: neither a user's contexts nor their formats may change what the CLI prints.
      HOME: "/nonexistent",
      TERM: "xterm",
      LANG: "C.UTF-8",
      DOCKER_HOST: target.host,
      ...target.env,
      ...options.env,
    },
  });
}

/** Runs a line that must succeed; answers its standard output without the last newline. */
export async function docker(target: Target, line: string, options: ShellOptions = {}): Promise<string> {
  const done = await shell(target, line, options);
  if (done.code !== 0) throw new Error(`${line}: exit ${done.code}: ${done.stderr || done.stdout}`);
  return done.stdout.replace(/\n$/, "");
}
