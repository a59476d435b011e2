// What this machine lacks for real engines, and how it gets it: Debian packages, npm packages, the build.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { attempt, has, run } from "./run.mjs";
import { remark, Stop, say } from "./say.mjs";

export const root = fileURLToPath(new URL("../../", import.meta.url));

/** Program → Debian package that engines and machines call, apart from the engine itself: `docker top` is the host's `ps`. */
const PROGRAMS = {
  iptables: "iptables",
  ip: "iproute2",
  busybox: "busybox-static",
  ps: "procps",
  unshare: "util-linux",
  nsenter: "util-linux",
  taskset: "util-linux",
  flock: "util-linux",
  mount: "mount",
  tar: "tar",
};
/** And what the suites on real engines call besides. */
const TEST_PROGRAMS = {
  openssl: "openssl",
  script: "bsdutils",
  find: "findutils",
  awk: "mawk",
  java: "default-jre-headless",
};
const ENGINE_UNITS = ["docker.service", "docker.socket", "containerd.service"];

/**
 * Debian packages that are missing here. The engine is among them only where no dockerd of any make is installed.
 * @param {{ tests?: boolean }} [options] `tests`: also what the suites call
 */
export async function missingPackages({ tests = false } = {}) {
  const missing = new Set();
  const engine = await has("dockerd");
  if (!engine) missing.add("docker.io");
  if (!engine && !(await has("docker"))) missing.add("docker-cli");
  if (engine && !(await has("docker")))
    throw new Stop(
      "dockerd is installed without the docker command. Install the CLI of the same make (docker-cli or docker-ce-cli).",
    );
  const programs = { ...PROGRAMS, ...(tests ? TEST_PROGRAMS : {}) };
  for (const [program, name] of Object.entries(programs)) if (!(await has(program))) missing.add(name);
  const systemd = existsSync("/run/systemd/system");
  if (!systemd && !/ cgroup2? /.test(readFileSync("/proc/mounts", "utf8"))) missing.add("cgroupfs-mount");
  return [...missing];
}

/** The browser that the hub's page is tried in. */
export async function missingForPage() {
  return (await has("chromium")) ? [] : ["chromium"];
}

/** Installs Debian packages. A Docker Engine that comes with them is neither started nor enabled. */
export async function installPackages(names) {
  if (names.length === 0) return;
  if (!(await has("apt-get"))) throw new Stop(`apt-get is missing here. Install these by hand: ${names.join(", ")}.`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  await mendPackages(env);
  if (!(await available(names))) {
    say("Reading the package lists (apt-get update) ...");
    await retried(() => run(["apt-get", ...PATIENT, "update", "-q"], { env }));
  }
  const wanted = [];
  // Before Debian 13 the CLI is part of docker.io.
  for (const name of names) if (name !== "docker-cli" || (await available([name]))) wanted.push(name);
  say(`Installing ${wanted.join(", ")} (apt-get install) ...`);
  const install = async () => {
    const argv = ["apt-get", ...PATIENT, "install", "-q", "-y", "--no-install-recommends", ...wanted];
    await retried(() => run(argv, { env }));
  };
  await (wanted.includes("docker.io") ? withoutStarting(install) : install());
}

/** Somebody else's apt may be at work. */
const PATIENT = ["-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3"];
const TRIES = 5;
const PAUSE_MS = 10_000;

/** What a bad minute spoils is tried again a few times: a mirror's, a registry's, or apt's own (its lists' lock knows no patience). */
export async function retried(work) {
  for (let left = TRIES; ; left--) {
    try {
      return await work();
    } catch (error) {
      if (left === 1) throw error;
      say(`${String(error?.message).split("\n").at(-1)}; trying again in ${PAUSE_MS / 1000} s ...`);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}

/** Ends what a killed dpkg left half done: until then every installation is refused. */
async function mendPackages(env) {
  if (existsSync("/var/lib/dpkg/updates") && readdirSync("/var/lib/dpkg/updates").length > 0)
    await retried(() => run(["dpkg", "--configure", "-a"], { env, input: "" }));
}

async function available(names) {
  for (const name of names) {
    const { stdout } = await attempt(["apt-cache", "policy", name]);
    if (!/Candidate: (?!\(none\))/.test(stdout)) return false;
  }
  return true;
}

/** Masks the engine's units until the next boot, installs, then takes the masks and the enabling back. */
async function withoutStarting(install) {
  const places = ["/etc/systemd/system", "/lib/systemd/system", "/usr/lib/systemd/system"];
  const units = ENGINE_UNITS.filter((unit) => !places.some((place) => existsSync(`${place}/${unit}`)));
  const systemd = existsSync("/run/systemd/system");
  if (systemd && units.length > 0) await run(["systemctl", "mask", "--runtime", ...units]);
  try {
    await install();
  } finally {
    if (systemd && units.length > 0) await attempt(["systemctl", "unmask", "--runtime", ...units]);
    if (!systemd && existsSync("/etc/init.d/docker"))
      await attempt(["sh", "-c", "service docker stop; update-rc.d docker disable"]);
    if (units.length > 0 && (await has("systemctl"))) await attempt(["systemctl", "disable", ...units]);
  }
}

/** Whether `npm ci` has to run: nothing is installed, or the lock file changed since. */
export function npmMissing() {
  const installed = `${root}node_modules/.package-lock.json`;
  return !existsSync(installed) || statSync(installed).mtimeMs < statSync(`${root}package-lock.json`).mtimeMs;
}

export async function npmInstall() {
  if (!(await has("npm"))) throw new Stop("npm is missing. It comes with Node; on Debian: apt-get install npm.");
  say("Installing the npm packages (npm ci) ...");
  await retried(() => run(["npm", "ci", "--no-audit", "--no-fund"], { cwd: root }));
}

export async function build() {
  await run(["npm", "run", "--silent", "build"], { cwd: root });
}

/** Lists what is missing, then installs it. */
export async function prepare() {
  const packages = await missingPackages();
  const npm = npmMissing();
  if (packages.length > 0) say(`Debian packages that are missing: ${packages.join(", ")}`);
  if (packages.includes("docker.io")) remark("the Docker Engine's own service is neither started nor enabled");
  if (npm) say("npm packages that are missing: those of package-lock.json, into node_modules/");
  if (packages.length === 0 && !npm) say("Nothing to install.");
  await installPackages(packages);
  if (npm) await npmInstall();
  say("Building shoal (npm run build) ...");
  await build();
}
