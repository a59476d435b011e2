// The demo's cluster: three machines and a manager, kept in one directory; up, down, and what runs.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, openSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { hasImage, importImage } from "./demo-image.mjs";
import { root } from "./install.mjs";
import { attempt, run } from "./run.mjs";
import { Stop, say } from "./say.mjs";

export const stateDirectory = "/var/lib/shoal/demo";
export const shoal = `${root}bin/shoal`;
const storage = `${stateDirectory}/machines`;
const pidFile = `${stateDirectory}/manager.pid`;
const addressFile = `${stateDirectory}/manager.address`;
export const logFile = `${stateDirectory}/manager.log`;
const madeFile = `${stateDirectory}/containers`;

const NODES = { "node-1": "storage=ssd", "node-2": "storage=disk", "node-3": "storage=disk" };
const FIRST_PORT = 3375;
const MANAGER_MS = 60_000;

/** The docker CLI's environment: nothing of the caller's docker settings, nothing written to ~/.docker. */
export function dockerEnv(host) {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("DOCKER_")));
  return { ...env, DOCKER_CONFIG: `${stateDirectory}/docker-config`, ...(host ? { DOCKER_HOST: host } : {}) };
}

const machine = (...args) => [shoal, "machine", "--storage-path", storage, ...args];

async function machines() {
  const lines = (await run(machine("ls", "--format", "json"))).trim().split("\n").filter(Boolean);
  return lines.map((line) => JSON.parse(line));
}

/** @param {() => void} begun called with its first line of progress: it has its address */
async function startMachine(name, label, begun) {
  const argv = machine("create", "-d", "local", "--cpus", "1", "--memory", "2g", "--label", label, name);
  const onLine = (line) => {
    if (!line.startsWith("(")) return;
    say(line);
    begun();
  };
  const result = await attempt(argv, { onLine });
  if (result.code !== 0) throw new Stop(`${name} cannot be made:\n${result.stderr.trim()}`);
}

/** Creates or starts the machines, gives their engines the image; resolves with `ip:2375` of each in order. */
export async function startMachines() {
  mkdirSync(`${stateDirectory}/docker-config`, { recursive: true });
  const calls = [];
  for (const [name, label] of Object.entries(NODES)) {
    let begun;
    // The next one follows when this one has its address, so that addresses are in order; the engines start side by side.
    const turn = new Promise((resolve) => {
      begun = resolve;
    });
    const call = startMachine(name, label, begun);
    calls.push(call);
    await Promise.race([turn, call.catch(() => undefined)]);
  }
  const results = await Promise.allSettled(calls);
  const failure = results.find((result) => result.status === "rejected");
  if (failure) throw failure.reason;
  const made = (await machines()).filter((one) => one.Name in NODES).sort((a, b) => a.Name.localeCompare(b.Name));
  await Promise.all(
    made.map(async ({ URL: url }) => {
      if (!(await hasImage(url, dockerEnv()))) await importImage(url, dockerEnv());
    }),
  );
  return made.map((one) => `${one.IPAddress}:2375`);
}

/** Starts a manager over the nodes and waits until it finds all of them healthy; resolves with its address. */
export async function startManager(nodes) {
  await stopManager();
  const address = `tcp://127.0.0.1:${await freePort()}`;
  const log = openSync(logFile, "w");
  const argv = ["manage", "-H", address, "--store", `file://${stateDirectory}/store`, `nodes://${nodes.join(",")}`];
  say(`$ bin/shoal ${argv.join(" ")} &`);
  const child = spawn(process.execPath, [shoal, ...argv], {
    cwd: "/",
    detached: true,
    stdio: ["ignore", log, log],
    env: dockerEnv(),
  });
  writeFileSync(pidFile, String(child.pid));
  writeFileSync(addressFile, address);
  let ended = false;
  child.once("exit", () => {
    ended = true;
  });
  child.unref();
  const until = Date.now() + MANAGER_MS;
  for (;;) {
    const { stdout } = await attempt(["docker", "info"], { env: dockerEnv(address), deadlineMs: 10_000 });
    if ((stdout.match(/Status: Healthy/g) ?? []).length === nodes.length) return address;
    if (ended || Date.now() > until) {
      const tail = readFileSync(logFile, "utf8").trim().split("\n").slice(-15).join("\n");
      throw new Stop(
        `the manager ${ended ? "ended" : `sees not all nodes within ${MANAGER_MS / 1000} s`}; its log:\n${tail}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** The first port from 3375 on that nobody listens on. */
function freePort(port = FIRST_PORT) {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", () =>
      port < FIRST_PORT + 100 ? resolve(freePort(port + 1)) : reject(new Stop("no free port")),
    );
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(port)));
  });
}

/** The manager's number, if the one in the pid file is still a manager. */
function managerPid() {
  try {
    const pid = Number(readFileSync(pidFile, "utf8"));
    const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    return words.some((word) => word.endsWith("/bin/shoal")) && words.includes("manage") ? pid : null;
  } catch {
    return null;
  }
}

export async function stopManager() {
  const pid = managerPid();
  if (pid !== null) process.kill(pid, "SIGTERM");
  for (let tries = 0; managerPid() !== null; tries++) {
    if (tries === 150) process.kill(pid, "SIGKILL");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  rmSync(pidFile, { force: true });
}

/** The containers that the story of an earlier run left, one ID a line. */
export const remembered = () =>
  existsSync(madeFile) ? readFileSync(madeFile, "utf8").split("\n").filter(Boolean) : [];
export const remember = (ids) => writeFileSync(madeFile, ids.map((id) => `${id}\n`).join(""));

/** Removes everything; says what it does. */
export async function down() {
  if (!existsSync(stateDirectory)) {
    say("There is no demo cluster on this machine.");
    return;
  }
  say("Stopping the manager ...");
  await stopManager();
  if (existsSync(storage)) {
    const names = (await machines()).map((one) => one.Name);
    if (names.length > 0) {
      say(`Removing ${names.join(", ")} ...`);
      await run(machine("rm", "-f", ...names));
    }
  }
  rmSync(stateDirectory, { recursive: true, force: true });
  try {
    rmdirSync("/var/lib/shoal");
  } catch {
    // Other clusters of machines live there.
  }
}
