/** One `shoal manage` process: started with flags, waited for until every node is healthy, read, logged and stopped. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { output, sleep, until } from "./exec.ts";
import { fleet } from "./fleet.ts";
import { get } from "./http.ts";

const SHOAL = resolve(import.meta.dirname, "../../../bin/shoal");

export interface ManagerOptions {
  /** More flags of `shoal manage`, before the discovery. */
  readonly flags?: readonly string[];
  /** The nodes' names, all by default. */
  readonly nodes?: readonly string[];
  /** Discovery entries instead of the nodes' own addresses. */
  readonly entries?: readonly string[];
  /** Instead of a file that lists them. */
  readonly discovery?: string;
  readonly env?: Record<string, string>;
  /** Do not wait until all nodes are healthy. */
  readonly impatient?: boolean;
}

export interface Manager {
  /** tcp://127.0.0.1:port */
  readonly host: string;
  /** unix:///… of the same manager. */
  readonly socket: string;
  readonly pid: number;
  /** Resident memory now, in bytes. */
  rss(): number;
  log(): string;
  printLog(): void;
  /** Sends SIGTERM and answers the exit code; SIGKILL after 30 s answers 137. */
  stop(): Promise<number>;
}

/** Below the ports that the kernel gives to outgoing connections: one of those may be gone again before it is listened on. */
const PORTS = { first: 21_000, count: 11_000 };
let nextPort = randomInt(PORTS.count);

/** A TCP port that nobody listened on a moment ago, of 127.0.0.1 or another address of this host. */
export function freePort(address = "127.0.0.1"): Promise<number> {
  const port = PORTS.first + (nextPort++ % PORTS.count);
  return new Promise((done, fail) => {
    const server = createServer();
    server.on("error", (error: NodeJS.ErrnoException) =>
      error.code === "EADDRINUSE" ? done(freePort(address)) : fail(error),
    );
    server.listen(port, address, () => server.close(() => done(port)));
  });
}

/** Where the suite checks itself, the first node's own engine stands for the manager. */
function engineInstead(): Manager {
  const host = fleet().nodes[0]?.host ?? "";
  return { host, socket: host, pid: 0, rss: () => 0, log: () => "", printLog: () => {}, stop: async () => 0 };
}

/** A process of `shoal manage` without any waiting: for the tests of how it starts, refuses and ends. */
export function spawnManager(args: readonly string[], env: Record<string, string> = {}) {
  const state = mkdtempSync(join(fleet().work, "manager-"));
  mkdirSync(join(state, "home"));
  const child: ChildProcess = spawn(SHOAL, ["manage", ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: process.env.PATH ?? "",
      HOME: join(state, "home"),
      XDG_STATE_HOME: join(state, "home/state"),
      XDG_RUNTIME_DIR: state,
      SHOAL_STORE: `file://${join(state, "store")}`,
      ...(fleet().minted ? { SHOAL_TEST_MINT_IDS: "1" } : {}),
      ...env,
    },
  });
  let log = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    log += chunk.toString();
  });
  child.stderr?.on("data", (chunk: Buffer) => {
    log += chunk.toString();
  });
  const ended = new Promise<number>((done) => {
    child.on("error", (error) => {
      log += String(error);
      done(127);
    });
    child.on("close", (code, signal) => done(code ?? (signal === "SIGKILL" ? 137 : 143)));
  });
  const stop = async (): Promise<number> => {
    child.kill("SIGTERM");
    const code = await Promise.race([ended, sleep(30_000).then(() => undefined)]);
    if (code !== undefined) return code;
    child.kill("SIGKILL");
    return ended;
  };
  return { child, state, ended, log: () => log, stop };
}

/** Keys of everything that the store in a directory holds, a manager running meanwhile. */
export async function storeKeys(directory: string): Promise<string[]> {
  const lines = (await output(SHOAL, ["store", "dump", directory])).split("\n").filter(Boolean);
  return lines.map((line) => (JSON.parse(line) as { key: string }).key).sort();
}

/** Starts a manager over the nodes of a watched file and waits until all are healthy. */
export async function startManager(options: ManagerOptions = {}): Promise<Manager> {
  if (fleet().subject === "engine") return engineInstead();
  const port = await freePort();
  const nodes = fleet().nodes.filter(({ name }) => options.nodes?.includes(name) ?? true);
  const entries = options.entries ?? nodes.map(({ host }) => host.replace("tcp://", ""));
  const list = join(mkdtempSync(join(fleet().work, "list-")), "nodes");
  writeFileSync(list, `${entries.join("\n")}\n`);
  const path = `${list}.sock`;
  const started = spawnManager(
    [
      "-H",
      `tcp://127.0.0.1:${port}`,
      "-H",
      `unix://${path}`,
      ...(options.flags ?? []),
      options.discovery ?? `file://${list}`,
    ],
    options.env,
  );
  const socket = `unix://${path}`;
  try {
    const wanted = options.impatient === true ? 0 : nodes.length;
    const over = started.ended.then((code) => {
      throw new Error(`the manager ended with ${code}`);
    });
    over.catch(() => {}); // It ends by itself when it is stopped, long after this race.
    await Promise.race([over, until(`${wanted} healthy nodes`, 120_000, () => enough(socket, wanted))]);
  } catch (error) {
    await started.stop();
    throw new Error(`${String(error)}\n${started.log()}`, { cause: error });
  }
  const pid = started.child.pid ?? 0;
  return {
    host: `tcp://127.0.0.1:${port}`,
    socket,
    pid,
    rss: () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024,
    log: started.log,
    printLog: () =>
      console.error(
        started
          .log()
          .replace(/^.*"level":"info".*\n/gm, "")
          .slice(-4000),
      ),
    stop: async () => {
      const code = await started.stop();
      rmSync(started.state, { recursive: true, force: true });
      return code;
    },
  };
}

export interface NodeStatus {
  readonly name: string;
  readonly fields: Readonly<Record<string, string>>;
}

/** The nodes of `docker info`'s SystemStatus block, in classic Swarm's layout. */
export async function nodeStatus(host: string): Promise<NodeStatus[]> {
  const info = await get<{ SystemStatus?: [string, string][] | null }>(host, "/info");
  const nodes: { name: string; fields: Record<string, string> }[] = [];
  for (const [label, value] of info.SystemStatus ?? []) {
    const field = /^\s*└ (.*)$/.exec(label);
    if (field !== null) {
      const last = nodes.at(-1);
      if (last !== undefined) last.fields[field[1] ?? ""] = value;
    } else if (/^\s/.test(label)) {
      nodes.push({ name: label.trim(), fields: {} });
    }
  }
  return nodes;
}

async function enough(host: string, wanted: number): Promise<true | undefined> {
  const nodes = await nodeStatus(host);
  return nodes.filter(({ fields }) => fields.Status === "Healthy").length >= wanted ? true : undefined;
}
