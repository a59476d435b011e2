// What this machine lacks for real engines, and how it gets it: Debian packages, npm packages, the build.
import { existsSync, readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { attempt, has, run } from "./run.mjs";
import { remark, Stop, say } from "./say.mjs";

export const root = fileURLToPath(new URL("../../", import.meta.url));

/** Program → Debian package, apart from the engine itself. */
const PROGRAMS = {
  iptables: "iptables",
  ip: "iproute2",
  busybox: "busybox-static",
  unshare: "util-linux",
  nsenter: "util-linux",
};
const ENGINE_UNITS = ["docker.service", "docker.socket", "containerd.service"];

/** Debian packages that are missing here. The engine is among them only where no dockerd of any make is installed. */
export async function missingPackages() {
  const missing = new Set();
  const engine = await has("dockerd");
  if (!engine) missing.add("docker.io");
  if (!engine && !(await has("docker"))) missing.add("docker-cli");
  if (engine && !(await has("docker")))
    throw new Stop(
      "dockerd is installed without the docker command. Install the CLI of the same make (docker-cli or docker-ce-cli).",
    );
  for (const [program, name] of Object.entries(PROGRAMS)) if (!(await has(program))) missing.add(name);
  const systemd = existsSync("/run/systemd/system");
  if (!systemd && !/ cgroup2? /.test(readFileSync("/proc/mounts", "utf8"))) missing.add("cgroupfs-mount");
  return [...missing];
}

/** Installs Debian packages. A Docker Engine that comes with them is neither started nor enabled. */
export async function installPackages(names) {
  if (names.length === 0) return;
  if (!(await has("apt-get"))) throw new Stop(`apt-get is missing here. Install these by hand: ${names.join(", ")}.`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  if (!(await available(names))) {
    say("Reading the package lists (apt-get update) ...");
    await run(["apt-get", "update", "-q"], { env });
  }
  const wanted = [];
  // Before Debian 13 the CLI is part of docker.io.
  for (const name of names) if (name !== "docker-cli" || (await available([name]))) wanted.push(name);
  say(`Installing ${wanted.join(", ")} (apt-get install) ...`);
  const install = async () => {
    await run(["apt-get", "install", "-q", "-y", "--no-install-recommends", ...wanted], { env });
  };
  await (wanted.includes("docker.io") ? withoutStarting(install) : install());
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
  await run(["npm", "ci", "--no-audit", "--no-fund"], { cwd: root });
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
