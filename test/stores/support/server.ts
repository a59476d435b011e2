/**
 * A real server of a store as a process of its own: started, killed, paused and taken away with its data. Knows nothing of
 * what it serves.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, unlinkSync, writeSync } from "node:fs";
import { cp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { output, until } from "../../e2e/support/exec.ts";

/** How one kind of server is run. */
export interface Program {
  readonly name: string;
  /** How many ports it takes. */
  readonly ports: number;
  /** Its command line, on a directory of its own that is there, and on these ports. */
  command(directory: string, ports: readonly number[]): readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** Whether it answers. */
  answers(ports: readonly number[]): Promise<boolean>;
}

/** A directory that holds no more than this many bytes. */
export interface SmallDisk {
  readonly bytes: number;
}

const START_MS = 90_000;
/** Disks are memory where that can be: a server that syncs each change would wait most of the time. */
const ROOMY: SmallDisk = { bytes: 1 << 30 };

export class Server {
  readonly #program: Program;
  readonly #parent: string;
  readonly #ports: readonly number[];
  #child: ChildProcess | undefined;
  #gone: Promise<unknown> = Promise.resolve();

  private constructor(program: Program, parent: string, ports: readonly number[]) {
    this.#program = program;
    this.#parent = parent;
    this.#ports = ports;
  }

  /** Makes its directory and takes its ports; it does not run yet. */
  static async make(program: Program, disk?: SmallDisk): Promise<Server> {
    const parent = mkdtempSync(join(tmpdir(), `shoal-${program.name}-`));
    const directory = join(parent, "data");
    mkdirSync(directory);
    if (isRoot) await mountMemory(directory, disk);
    return new Server(program, parent, await freePorts(program.ports));
  }

  /** Makes it and starts it; resolves when it answers. */
  static async start(program: Program, disk?: SmallDisk): Promise<Server> {
    const server = await Server.make(program, disk);
    try {
      await server.startAgain();
      return server;
    } catch (error) {
      await server.remove();
      throw error;
    }
  }

  /** `host:port` for clients. */
  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  get #port(): number {
    return this.#ports[0] ?? 0;
  }

  /** Where its data are. */
  get directory(): string {
    return join(this.#parent, "data");
  }

  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** On the same data and ports; nothing happens when it runs. */
  async startAgain(): Promise<void> {
    if (!this.isRunning) {
      const [program = "", ...args] = this.#program.command(this.directory, this.#ports);
      const log = openSync(join(this.#parent, "log"), "a");
      const child = spawn(program, args, {
        stdio: ["ignore", log, log],
        env: { ...process.env, ...this.#program.env },
      });
      closeSync(log);
      this.#child = child;
      this.#gone = new Promise((resolve) => {
        child.once("close", resolve);
        child.once("error", resolve);
      });
    }
    await until(`${this.#program.name} to answer`, START_MS, async () => {
      if (!this.isRunning) throw new Error(`it ended: ${(await this.log()).slice(-2_000)}`);
      return (await this.#program.answers(this.#ports)) || undefined;
    });
  }

  log(): Promise<string> {
    return readFile(join(this.#parent, "log"), "utf8");
  }

  /** Begins with what another server holds, which must not run. */
  async takeOver(other: Server): Promise<void> {
    await cp(other.directory, this.directory, { recursive: true });
    await this.startAgain();
  }

  /** It is told to end, and does. */
  async stop(): Promise<void> {
    this.#child?.kill("SIGTERM");
    await this.#gone;
  }

  /** Without warning. */
  async kill(): Promise<void> {
    this.#child?.kill("SIGKILL");
    await this.#gone;
  }

  /** It stands still, with its connections open. */
  pause(): void {
    this.#child?.kill("SIGSTOP");
  }

  resume(): void {
    this.#child?.kill("SIGCONT");
  }

  /** Leaves no room on its disk. */
  fillDisk(): void {
    const file = openSync(this.#filler, "w");
    for (const size of [1 << 20, 4096, 1]) {
      const piece = Buffer.alloc(size);
      try {
        for (;;) writeSync(file, piece);
      } catch {
        // Full, but for what is smaller than this piece.
      }
    }
    closeSync(file);
  }

  freeDisk(): void {
    unlinkSync(this.#filler);
  }

  get #filler(): string {
    return join(this.directory, "filler");
  }

  /** With all that it holds. */
  async remove(): Promise<void> {
    await this.kill();
    if (isRoot) await output("umount", [this.directory]);
    await rm(this.#parent, { recursive: true, force: true });
  }
}

async function mountMemory(directory: string, { bytes } = ROOMY): Promise<void> {
  await sweepMemory();
  await output("mount", ["-t", "tmpfs", "-o", `size=${bytes}`, `${MOUNTED}${process.pid}`, directory]);
}

/** With the process that mounted it. */
const MOUNTED = "shoal-stores-";

/** Takes away what runs that were killed left mounted. */
async function sweepMemory(): Promise<void> {
  for (const line of readFileSync("/proc/mounts", "utf8").split("\n")) {
    const [source = "", directory = ""] = line.split(" ");
    if (!source.startsWith(MOUNTED) || existsSync(`/proc/${source.slice(MOUNTED.length)}`)) continue;
    await output("umount", ["-l", directory]);
  }
}

/** Unused ones, by the kernel's choice. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const listeners = await Promise.all(
    Array.from({ length: count }, async () => {
      const listener = createServer();
      await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
      return listener;
    }),
  );
  const ports = listeners.map((listener) => (listener.address() as { readonly port: number }).port);
  await Promise.all(listeners.map((listener) => new Promise((resolve) => listener.close(resolve))));
  return ports;
}

export const isRoot = process.getuid?.() === 0;
