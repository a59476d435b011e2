/**
 * Programs out of Debian packages, unpacked into a folder and never installed: apt gets a configuration of its own, made
 * from this machine's sources with the suite's name changed, so nothing on the machine changes and no host name is
 * written here.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { output, retried } from "./exec.ts";

const SUITES = "bullseye|bookworm|trixie|forky|sid|oldstable|stable|testing|unstable";
const KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg";

export interface Wanted {
  readonly package: string;
  /** The suite's name; the packages that a program needs must be the C library alone. */
  readonly suite: string;
  /** The program's path inside the package. */
  readonly program: string;
}

/** Where programs that had to be fetched stay from run to run. */
export function packageCache(): string {
  const folder = join(tmpdir(), "shoal-e2e-packages");
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** The program's path in the cache, fetched unless it is there. Throws with apt's words when it cannot be had. */
export async function unpackedProgram(wanted: Wanted, cache: string): Promise<string> {
  const { suite, package: name } = wanted;
  const folder = await unpackedPackages(`${name}-${suite}`, { suite, packages: [name] }, cache);
  const program = join(folder, wanted.program);
  if (!existsSync(program)) throw new Error(`${name} of ${suite} holds no ${wanted.program}`);
  return program;
}

export interface Packages {
  readonly suite: string;
  readonly packages: readonly string[];
  /** Whether all that they depend on, down to the C library, comes with them: a root to run them in. */
  readonly whole?: boolean;
}

/** Folders that are being filled: several tests may ask for the same one at once. */
const filling = new Map<string, Promise<void>>();

/** A folder of the cache with these packages' files, fetched unless it is there. Throws with apt's words. */
export async function unpackedPackages(name: string, wanted: Packages, cache: string): Promise<string> {
  const folder = join(cache, name);
  if (existsSync(folder)) return folder;
  const work = filling.get(folder) ?? fill(folder, wanted, cache).finally(() => filling.delete(folder));
  filling.set(folder, work);
  await work;
  return folder;
}

async function fill(folder: string, wanted: Packages, cache: string): Promise<void> {
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, "fetch-"));
  try {
    const debs = await retried(() => download(wanted, work));
    const content = join(work, "content");
    mkdirSync(content);
    if (wanted.whole === true) linkMergedFolders(content);
    for (const deb of debs) {
      const line = 'dpkg-deb --fsys-tarfile "$1" | tar -x --keep-directory-symlink -C "$2"';
      await output("sh", ["-c", line, "sh", deb, content], { timeout: 120_000 });
    }
    if (wanted.whole === true) await gatherCertificates(content);
    // Whole or not at all: a killed run leaves no half of a program under the final name.
    renameSync(content, folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Debian's base system links these into usr/, and some packages count on it. */
function linkMergedFolders(root: string): void {
  for (const name of ["bin", "sbin", "lib", "lib64"]) {
    mkdirSync(join(root, "usr", name), { recursive: true });
    symlinkSync(join("usr", name), join(root, name));
  }
}

/** Python's requests reads this file on import; the package's installation would make it. */
async function gatherCertificates(root: string): Promise<void> {
  const line = "mkdir -p etc/ssl/certs; cat usr/share/ca-certificates/*/*.crt >etc/ssl/certs/ca-certificates.crt";
  if (existsSync(join(root, "usr/share/ca-certificates"))) await output("sh", ["-c", line], { cwd: root });
}

/** The packages' files, each with its path. */
async function download({ suite, packages, whole }: Packages, root: string): Promise<string[]> {
  for (const folder of ["lists/partial", "archives/partial", "etc", "parts"])
    mkdirSync(join(root, folder), { recursive: true });
  const signed = existsSync(KEYS) ? `[signed-by=${KEYS}] ` : "";
  writeFileSync(join(root, "etc/sources.list"), `deb ${signed}${debianUri()} ${suite} main\n`);
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
    "Acquire::Retries=3",
  ].flatMap((option) => ["-o", option]);
  await output("apt-get", [...options, "update", "-q"], { timeout: 180_000 });
  // Nothing is installed according to the status file, so all that is needed is downloaded.
  const how =
    whole === true ? ["install", "--download-only", "--no-install-recommends", "-y", "-q"] : ["download", "-q"];
  const to = whole === true ? join(root, "archives") : root;
  await output("apt-get", [...options, ...how, ...packages], { timeout: 300_000, cwd: root });
  const debs = readdirSync(to).filter((name) => name.endsWith(".deb"));
  if (debs.length < packages.length) throw new Error("apt-get downloaded not all of them");
  return debs.map((name) => join(to, name));
}

/** The address that this machine's own Debian packages come from. */
export function debianUri(): string {
  const files = ["/etc/apt/sources.list", ...listed("/etc/apt/sources.list.d")].filter((path) => existsSync(path));
  for (const file of files) {
    const uri = uriIn(readFileSync(file, "utf8"));
    if (uri !== undefined) return uri;
  }
  throw new Error("no Debian package source in /etc/apt to derive another suite from");
}

/** Of one sources file: one-line entries, or stanzas in any order of their fields. Security and update suites do not count. */
function uriIn(text: string): string | undefined {
  const line = new RegExp(`^deb\\s+(?:\\[[^\\]]*\\]\\s+)?(\\S+)\\s+(?:${SUITES})\\s.*\\bmain\\b`, "m").exec(text);
  if (line !== null) return line[1];
  for (const stanza of text.split(/\n\s*\n/)) {
    const suites = /^Suites:(.*)$/m.exec(stanza)?.[1] ?? "";
    if (!/^Types:.*\bdeb\b/m.test(stanza) || !/^Components:.*\bmain\b/m.test(stanza)) continue;
    if (!suites.split(/\s+/).some((suite) => new RegExp(`^(?:${SUITES})$`).test(suite))) continue;
    const uri = /^URIs:\s*(\S+)/m.exec(stanza)?.[1];
    if (uri !== undefined) return uri;
  }
  return undefined;
}

const listed = (folder: string): string[] =>
  existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
