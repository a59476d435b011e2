/**
 * The stock docker CLI: which two versions the suite runs (28 or newer, and 20.10), where they are found, and how a
 * shell line is run with one of them against one address. Knows nothing of fleets and managers.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
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
  const old = found.find(({ version }) => version.startsWith("20.10"));
  const recent = found.find(({ version }) => major(version) >= 28) ?? (await fetchLater(cache));
  if (old === undefined) throw new Error("no docker CLI 20.10 here: install Debian's docker.io");
  return { "28": link(work, "28", recent), "20.10": link(work, "20.10", old) };
}

const major = (version: string): number => Number(version.split(".")[0]);
const onPath = (name: string): string[] => (process.env.PATH ?? "").split(":").map((folder) => join(folder, name));

async function versionOf(path: string): Promise<string> {
  const text = await output(path, ["--version"], { timeout: 10_000 });
  return /version (\d[\w.]*)/.exec(text)?.[1] ?? "0";
}

function link(work: string, name: CliName, from: { path: string; version: string }): Cli {
  const bin = join(work, `bin-${name}`);
  mkdirSync(bin, { recursive: true });
  symlinkSync(from.path, join(bin, "docker"));
  return { name, version: from.version, bin };
}

/**
 * Unpacks `docker-cli` of a later Debian suite into the cache. apt gets a configuration of its own, made from this
 * machine's sources with the suite's name changed, so nothing on the machine changes and no host name is written here.
 */
async function fetchLater(cache: string): Promise<{ path: string; version: string }> {
  const unpacked = join(cache, "later", "usr/bin/docker");
  if (existsSync(unpacked)) return { path: unpacked, version: await versionOf(unpacked) };
  const uri = debianUri();
  const reasons: string[] = [];
  for (const suite of ["forky", "sid"]) {
    try {
      await unpackFrom(suite, uri, cache);
      const version = await versionOf(unpacked);
      if (major(version) >= 28) return { path: unpacked, version };
      reasons.push(`${suite} has ${version}`);
    } catch (error) {
      reasons.push(`${suite}: ${String(error)}`);
    }
    rmSync(join(cache, "later"), { recursive: true, force: true });
  }
  throw new Error(`no docker CLI 28 or newer on this machine, and none could be fetched: ${reasons.join("; ")}`);
}

/** The address that this machine's own Debian packages come from. */
function debianUri(): string {
  const files = ["/etc/apt/sources.list", ...listed("/etc/apt/sources.list.d")].filter((path) => existsSync(path));
  for (const file of files) {
    const text = readFileSync(file, "utf8");
    const uri =
      /^deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(?:bookworm|trixie|stable|testing)\s.*\bmain\b/m.exec(text)?.[1] ??
      /^URIs:\s*(\S+)(?=(?:\n\S.*)*\nSuites:\s*(?:bookworm|trixie|stable|testing)\b)/m.exec(text)?.[1];
    if (uri !== undefined) return uri;
  }
  throw new Error("no Debian package source in /etc/apt to derive a later suite from");
}

const listed = (folder: string): string[] => {
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
};

async function unpackFrom(suite: string, uri: string, cache: string): Promise<void> {
  const root = join(cache, "apt");
  rmSync(root, { recursive: true, force: true });
  for (const folder of ["lists/partial", "archives/partial", "etc", "parts"])
    mkdirSync(join(root, folder), { recursive: true });
  const keys = "/usr/share/keyrings/debian-archive-keyring.gpg";
  writeFileSync(join(root, "etc/sources.list"), `deb [signed-by=${keys}] ${uri} ${suite} main\n`);
  writeFileSync(join(root, "etc/status"), "");
  const options = [
    `Dir::State=${root}`,
    `Dir::State::lists=${root}/lists`,
    `Dir::State::status=${root}/etc/status`,
    `Dir::Cache=${root}`,
    `Dir::Cache::archives=${root}/archives`,
    `Dir::Etc::sourcelist=${root}/etc/sources.list`,
    `Dir::Etc::sourceparts=${root}/parts`,
    "APT::Sandbox::User=root",
    // Suites in motion may carry a date that has passed; their signatures are checked all the same.
    "Acquire::Check-Valid-Until=false",
    "Acquire::Languages=none",
  ].flatMap((option) => ["-o", option]);
  await output("apt-get", [...options, "update", "-q"], { timeout: 120_000 });
  await output("apt-get", [...options, "download", "-q", "docker-cli"], { timeout: 120_000, cwd: root });
  const deb = readdirSync(root).find((name) => name.endsWith(".deb"));
  if (deb === undefined) throw new Error("apt-get downloaded nothing");
  await output("dpkg", ["-x", join(root, deb), join(cache, "later")]);
  rmSync(root, { recursive: true, force: true });
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
    timeout: options.timeout ?? 60_000,
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
